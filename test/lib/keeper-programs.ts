/** The programs that tests of keepers run. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const build = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')
const native = join(build, 'native')

/** A keeper program under test. */
export interface Variant {
  readonly name: string
  readonly path: string
  readonly sanitized: boolean
}

function made(path: string): boolean {
  return (
    spawnSync(
      process.execPath,
      [join(build, 'scripts', 'build-native.js'), ...(path.includes('-asan') ? ['--sanitize'] : [])],
      {
        stdio: 'ignore',
      },
    ).status === 0 && existsSync(path)
  )
}

/** `undefined`: it cannot be built. */
export interface Variants {
  readonly release: Variant
  /** With sanitizers. */
  readonly asan: Variant | undefined
  /** That knows no children files. */
  readonly walk: Variant | undefined
  /** As on macOS, and under the rules of its kernel. */
  readonly xnu: Variant | undefined
}

export function variants(): Variants {
  const of = (name: string, file: string): Variant | undefined => {
    const path = join(native, file)
    return made(path) ? { name, path, sanitized: file !== 'locald-keeper' } : undefined
  }
  const release = of('release', 'locald-keeper')
  if (release === undefined) throw new Error('the keeper was not built')
  return {
    release,
    asan: of('sanitized', 'locald-keeper-asan'),
    walk: of('without children files', 'locald-keeper-asan-walk'),
    xnu: of('as on macOS', 'locald-keeper-asan-xnu'),
  }
}

/** Compiles `test-program.c` into the folder. */
export function buildTestProgram(into: string): string {
  const source = resolve(build, '..', 'test', 'native', 'test-program.c')
  const path = join(into, 'test-program')
  const ran = spawnSync(process.env['CC'] || 'cc', ['-O1', '-D_GNU_SOURCE', source, '-o', path], { stdio: 'inherit' })
  if (ran.status !== 0) throw new Error('test-program.c was not built')
  return path
}

/** What the keeper's C files include from. */
export const includes = `-I${resolve(build, '..', 'native', 'common')}`

/** All C files of the keeper. */
export function keeperSources(): string[] {
  return ['common', 'keeper'].flatMap(name => {
    const sources = resolve(build, '..', 'native', name)
    return readdirSync(sources)
      .filter(file => file.endsWith('.c'))
      .map(file => join(sources, file))
  })
}
