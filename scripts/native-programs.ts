/** The native programs: what each is made of, and the flags it is compiled with. */
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** `build`, where the programs and this file are put. */
export const build = resolve(dirname(fileURLToPath(import.meta.url)), '..')
/** The folder with package.json: the sources are in `native` and `shim`. */
export const root = dirname(build)
/** What a machine without Apple's SDK needs to link for macOS. */
export const apple = join(root, 'native', 'macos-stubs')

const language = [
  ...['-std=c11', '-D_GNU_SOURCE', '-D_DARWIN_C_SOURCE', '-Wall', '-Wextra'],
  `-I${join(root, 'native', 'common')}`,
]
/** What a program is compiled with where it is used. */
export const release = [...language, '-O2']
/** What is packed: with warnings as errors, which they are not where users compile, as their compiler may know more of them. */
export const packed = [
  ...release,
  '-Werror',
  '-Wconversion',
  '-Wshadow',
  '-Wstrict-prototypes',
  '-Wunguarded-availability',
]
/** For tests. */
export const sanitized = [
  ...language,
  '-Werror',
  '-O1',
  '-g',
  '-fno-omit-frame-pointer',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=undefined',
]

/** A module of Node.js is linked with nothing, so that it loads with any libc. */
const linked = ['-shared', '-fPIC', '-fvisibility=hidden', '-nostdlib']

/** An imitation of XNU on Linux: what a keeper is linked with that is compiled as on macOS. */
export const xnu = join(root, 'test', 'native', 'xnu')
/** What it takes the place of. */
const wrapped = [
  'accept',
  'bind',
  'close',
  'fcntl',
  'ioctl',
  'kill',
  'open',
  'poll',
  'posix_openpt',
  'read',
  'tcgetattr',
]
/** Compiles as on macOS. */
const asOnXnu = [
  ...['-U__linux__', '-U__linux', '-Ulinux', '-U_FORTIFY_SOURCE', `-I${xnu}`, '-include', 'darwin.h'],
  ...[...wrapped, 'tcsetattr'].map(name => `-Wl,--wrap=${name}`),
]

/** A build for tests: flags, and a folder of more C files. */
export interface Variant {
  readonly flags: readonly string[]
  readonly folder?: string
}

/** One program made of all C files of its folder and of `common`, but for `fuzz.c`. */
export interface Program {
  readonly name: string
  /** Below the root. */
  readonly folder: string
  /** Builds for tests besides the sanitized one, by what is added to its name. */
  readonly variants: Readonly<Record<string, Variant>>
  /** Frameworks of macOS it is linked with. */
  readonly frameworks: readonly string[]
  /** Files of other programs' folders that it is made of, too; below the root. */
  readonly shares?: readonly string[]
  /** The one system it is for; default: all. */
  readonly only?: 'linux' | 'darwin'
  /** A module of Node.js instead, of its folder alone. */
  readonly isModule?: true
  /** What is so where it could not be built. Nothing works without a program that does not say it. */
  readonly lacking?: string
}

/** All of them, for all systems. */
export const programs: readonly Program[] = [
  {
    name: 'locald-keeper',
    folder: 'native/keeper',
    variants: {
      // Finds descendants as on kernels without /proc/PID/task/TID/children.
      '-walk': { flags: ['-DKEEPER_NO_CHILDREN_FILES'] },
      '-xnu': { flags: asOnXnu, folder: xnu },
    },
    frameworks: [],
  },
  {
    ...{ name: 'locald-shim', folder: 'shim', variants: {}, frameworks: ['Security', 'CoreFoundation'] },
    lacking: 'locald cannot bind ports below 1024, change the hosts file or change what the whole system trusts.',
  },
  {
    ...{ name: 'locald-keychain', folder: 'native/keychain', variants: {}, frameworks: ['Security', 'CoreFoundation'] },
    ...{ shares: ['shim/pem.c', 'shim/root.c'], only: 'darwin' },
    lacking: 'locald cannot make macOS trust its CA.',
  },
  {
    ...{
      name: 'locald-memory.node',
      folder: 'native/malloc-trim',
      variants: {},
      frameworks: [],
      only: 'linux',
      isModule: true,
    },
    lacking: 'the daemon takes more memory.',
  },
]

/** The machines that there are packages for. macOS 13 is the oldest that the Postgres binaries run on: what is newer fails to compile. */
export const targets: readonly { readonly folder: string; readonly zig: string }[] = [
  { folder: 'linux-x64', zig: 'x86_64-linux-musl' },
  { folder: 'linux-arm64', zig: 'aarch64-linux-musl' },
  { folder: 'darwin-x64', zig: 'x86_64-macos.13.0' },
  { folder: 'darwin-arm64', zig: 'aarch64-macos.13.0' },
]

/** Its files whose names end so. */
export function filesOf(program: Program, ending: RegExp, variant?: Variant): string[] {
  const folders = program.isModule ? [program.folder] : ['native/common', program.folder]
  const all = [...folders.map(folder => join(root, folder)), ...(variant?.folder ? [variant.folder] : [])]
  const own = all.flatMap(folder =>
    readdirSync(folder)
      .filter(file => ending.test(file) && file !== 'fuzz.c')
      .sort()
      .map(file => join(folder, file)),
  )
  const shared = (program.shares ?? []).filter(file => ending.test(file))
  return [...own, ...shared.map(file => join(root, file))]
}

/** Whether it is a program of this system. */
export function isFor(program: Program, isMac: boolean): boolean {
  return program.only === undefined || program.only === (isMac ? 'darwin' : 'linux')
}

/** What a program is compiled of: flags and files. */
export function partsOf(program: Program, variant?: Variant): readonly string[] {
  return [...(program.isModule ? linked : []), ...filesOf(program, /\.c$/, variant)]
}

/** What stands in for Apple's SDK; a package has none of it. */
export function appleFiles(): readonly string[] {
  if (!existsSync(apple)) return []
  return readdirSync(apple, { recursive: true, encoding: 'utf8' })
    .filter(file => /\.(?:h|tbd)$/.test(file))
    .map(file => join(apple, file))
}

/** Words that link the frameworks. */
export function frameworksOf(program: Program): readonly string[] {
  return program.frameworks.flatMap(name => ['-framework', name])
}
