import { dirname, join } from 'node:path'
import { packageFolder, versionOf } from './package.ts'
import { machineName, otherMachineName } from './platform.ts'

// Every command reads this file, few need the programs: what else it takes of Node is loaded when used.
const { existsSync } = process.getBuiltinModule('node:fs')
const built = join(packageFolder, 'build', 'native')
const program = 'locald-keeper'
/** A compiler takes seconds. ms */
const compileMs = 300_000

/**
 * The folder of the native programs: built in this package (a checkout), else of the optional package for this machine, else compiled
 * into the data folder where neither is there; the first of these when there is none yet.
 */
export function nativeFolder(data: string): string {
  if (existsSync(join(built, program))) return built
  const packaged = nativePackageFolder()
  if (packaged !== undefined) return packaged
  const made = compiledFolder(data)
  return existsSync(join(made, program)) ? made : built
}

/**
 * Compiles them with `cc` into the data folder, for a machine that no package is for. The folder; undefined where that cannot be done,
 * after the compiler has said why on stderr.
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

/** For this version of locald and this kind of machine alone: a data folder may be copied to another one. */
function compiledFolder(data: string): string {
  return join(data, 'native', `${versionOf()}-${machineName()}`)
}

function nativePackageFolder(): string | undefined {
  const own = packageOf(machineName(), packageFolder)
  if (own !== undefined) return own
  const other = otherMachineName()
  return other === undefined ? undefined : packageOf(other, packageFolder)
}

/** The folder of the package of native programs for a machine, where a package finds it; undefined: it is not installed. */
export function packageOf(machine: string, from: string): string | undefined {
  try {
    const { createRequire } = process.getBuiltinModule('node:module')
    return dirname(createRequire(join(from, 'package.json')).resolve(`@locald/native-${machine}/package.json`))
  } catch {
    return undefined
  }
}
