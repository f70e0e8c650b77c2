import { dirname, join } from 'node:path'
import { packageFolder, versionOf } from './package.ts'
import { machineName, otherMachineName } from './platform.ts'

// Every command reads this file, and few need the programs: other modules of Node are loaded on demand.
const { existsSync } = process.getBuiltinModule('node:fs')
const built = join(packageFolder, 'build', 'native')
const program = 'locald-keeper'
/** A compiler takes seconds. ms */
const compileMs = 300_000

/**
 * Returns the folder of the native programs: built in this package (a checkout), else of the optional package for this
 * machine, else compiled into the data folder; the first of these where there is none yet.
 */
export function nativeFolder(data: string): string {
  if (existsSync(join(built, program))) return built
  const packaged = nativePackageFolder()
  if (packaged !== undefined) return packaged
  const made = compiledFolder(data)
  return existsSync(join(made, program)) ? made : built
}

/**
 * Compiles the native programs with `cc` into the data folder, for a machine without a package. Returns the folder;
 * undefined on failure, after the compiler has printed the reason on stderr.
 */
export function compileNative(data: string): string | undefined {
  const script = join(packageFolder, 'build', 'scripts', 'build-native.js')
  if (!existsSync(script) || !existsSync(join(packageFolder, 'native'))) return undefined
  const folder = compiledFolder(data)
  const stdio = ['ignore', process.stderr, process.stderr] as const
  const { spawnSync } = process.getBuiltinModule('node:child_process')
  const ran = spawnSync(process.execPath, [script, '--into', folder], { stdio: [...stdio], timeout: compileMs })
  return ran.status === 0 ? folder : undefined
}

/** Returns a folder for this version of locald and this kind of machine: a data folder may be copied to another one. */
function compiledFolder(data: string): string {
  return join(data, 'native', `${versionOf()}-${machineName()}`)
}

function nativePackageFolder(): string | undefined {
  const own = packageOf(machineName(), packageFolder)
  if (own !== undefined) return own
  const other = otherMachineName()
  return other === undefined ? undefined : packageOf(other, packageFolder)
}

/**
 * Returns the folder of the package of native programs for a machine, as a package would resolve it; undefined: not
 * installed.
 */
export function packageOf(machine: string, from: string): string | undefined {
  try {
    const { createRequire } = process.getBuiltinModule('node:module')
    return dirname(createRequire(join(from, 'package.json')).resolve(`@locald/native-${machine}/package.json`))
  } catch {
    return undefined
  }
}
