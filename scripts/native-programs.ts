/** The native programs: what each is made of, and the flags it is compiled with. */
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** `build`, the output folder of this file and of the programs. */
export const build = resolve(dirname(fileURLToPath(import.meta.url)), '..')
/** The folder with package.json: the sources are in `native` and `shim`. */
export const root = dirname(build)
/** Stubs for linking for macOS without Apple's SDK. */
export const apple = join(root, 'native', 'macos-stubs')

const language = [
  ...['-std=c11', '-D_GNU_SOURCE', '-D_DARWIN_C_SOURCE', '-Wall', '-Wextra'],
  `-I${join(root, 'native', 'common')}`,
]
/** The flags for a build on the user's machine. */
export const release = [...language, '-O2']
/** The flags for packages: warnings are errors. Not so on users' machines, whose compilers may have more warnings. */
export const packed = [
  ...release,
  '-Werror',
  '-Wconversion',
  '-Wshadow',
  '-Wstrict-prototypes',
  '-Wunguarded-availability',
]
/** The flags for tests. */
export const sanitized = [
  ...language,
  '-Werror',
  '-O1',
  '-g',
  '-fno-omit-frame-pointer',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=undefined',
]

/** Node.js modules link no library, so that they load with any libc. */
const linked = ['-shared', '-fPIC', '-fvisibility=hidden', '-nostdlib']

/** An imitation of XNU on Linux, linked into keepers that are compiled as on macOS. */
export const xnu = join(root, 'test', 'native', 'xnu')
/** The functions that it replaces. */
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

/** A program: all C files of its folder and of `common`, except `fuzz.c`. */
export interface Program {
  readonly name: string
  /** Below the root. */
  readonly folder: string
  /** More builds for tests, by the suffix of their names. */
  readonly variants: Readonly<Record<string, Variant>>
  /** The macOS frameworks that it links. */
  readonly frameworks: readonly string[]
  /** Files from other programs' folders, relative to the root. */
  readonly shares?: readonly string[]
  /** The only system that it runs on; default: all. */
  readonly only?: 'linux' | 'darwin'
  /** Whether it is built as a static program or not at all: it runs where there is no libc. */
  readonly isStatic?: true
  /** Whether it is a Node.js module, made of its own folder only. */
  readonly isModule?: true
  /** What locald cannot do without it. Absent: nothing works without it. */
  readonly lacking?: string
}

/** All native programs. */
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
      name: 'locald-native.node',
      folder: 'native/node-module',
      variants: {},
      frameworks: [],
      only: 'linux',
      isModule: true,
    },
    lacking: 'the daemon takes more memory, and `locald logs -f` exits later than its reader.',
  },
  {
    ...{ name: 'locald-tunnel', folder: 'native/tunnel', variants: {}, frameworks: [], only: 'linux', isStatic: true },
    lacking: 'containers cannot reach services of this machine.',
  },
]

/**
 * The machines with packages. The Postgres binaries need macOS 13: code that uses a newer function must not compile.
 */
export const targets: readonly { readonly folder: string; readonly zig: string }[] = [
  { folder: 'linux-x64', zig: 'x86_64-linux-musl' },
  { folder: 'linux-arm64', zig: 'aarch64-linux-musl' },
  { folder: 'darwin-x64', zig: 'x86_64-macos.13.0' },
  { folder: 'darwin-arm64', zig: 'aarch64-macos.13.0' },
]

/** Lists its files with an ending. */
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

/** Returns the compiler arguments of a program: flags and files. */
export function partsOf(program: Program, variant?: Variant): readonly string[] {
  return [...(program.isModule ? linked : []), ...filesOf(program, /\.c$/, variant)]
}

/** Lists the stubs of Apple's SDK; the npm package has none. */
export function appleFiles(): readonly string[] {
  if (!existsSync(apple)) return []
  return readdirSync(apple, { recursive: true, encoding: 'utf8' })
    .filter(file => /\.(?:h|tbd)$/.test(file))
    .map(file => join(apple, file))
}

/** Returns the arguments that link its frameworks. */
export function frameworksOf(program: Program): readonly string[] {
  return program.frameworks.flatMap(name => ['-framework', name])
}
