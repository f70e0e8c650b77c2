/**
 * Keychains and trust settings of a Mac, in files of a test's own (`keychain.c`), and the programs that change them.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { filesOf, programs } from '../../scripts/native-programs.ts'
import { compile, shimSources } from './shim.ts'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
const sanitized = ['-O1', '-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=undefined']

/** Where something can be kept: certificates by the first two, their trust by the others. */
export type Place = 'login' | 'system' | 'user' | 'admin'

export class FakeKeychain {
  readonly folder: string

  /** @param folder is made; every user may write there */
  constructor(folder: string) {
    this.folder = folder
    mkdirSync(folder, { recursive: true })
    chmodSync(folder, 0o777)
  }

  /** Compiles `locald-keychain` with the fake in place of Apple's frameworks. */
  buildProgram(path: string): void {
    const sources = programs.filter(({ name }) => name === 'locald-keychain').flatMap(it => filesOf(it, /\.c$/))
    compile(path, this.#flags(), [...sources, ...this.#fake])
    chmodSync(path, 0o755)
  }

  /** Compiles `locald-shim` likewise; it keeps to what is below `shimRoot`. */
  buildShim(path: string, shimRoot: string): void {
    compile(path, [...this.#flags(), `-DSHIM_ROOT="${shimRoot}"`], [...shimSources('fuzz.c'), ...this.#fake])
    chmodSync(path, 0o4755)
  }

  /** From now on calls answer with these numbers of OSStatus, or never. */
  fail(calls: Readonly<Record<string, number | 'sleep'>>): void {
    const lines = Object.entries(calls).map(([call, status]) => `${call} ${status}\n`)
    writeFileSync(join(this.folder, 'fail'), lines.join(''))
  }

  /** What a place has, a line for each certificate. */
  lines(place: Place): readonly string[] {
    return this.#read(place)
  }

  /** Writes what a place has. */
  put(place: Place, lines: readonly string[]): void {
    writeFileSync(join(this.folder, place), lines.map(line => `${line}\n`).join(''))
    chmodSync(join(this.folder, place), 0o666)
  }

  /** The calls since it was last asked, as `call with status`. */
  calls(): readonly string[] {
    const lines = this.#read('calls')
    rmSync(join(this.folder, 'calls'), { force: true })
    return lines
  }

  /** As on a new Mac. */
  reset(): void {
    for (const name of readdirSync(this.folder)) rmSync(join(this.folder, name))
  }

  #read(name: string): readonly string[] {
    const file = join(this.folder, name)
    return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []
  }

  #flags(): readonly string[] {
    return [
      ...sanitized,
      '-DSHIM_FAKE_KEYCHAIN',
      `-I${join(root, 'native', 'macos-stubs')}`,
      `-DKEYCHAIN_FOLDER="${this.folder}"`,
    ]
  }

  get #fake(): readonly string[] {
    return [join(root, 'test', 'native', 'keychain.c')]
  }
}
