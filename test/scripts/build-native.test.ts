/** How the native programs are built where users do it: by whatever C compiler is there, and the most that it can. */
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { root } from '../lib/user.ts'

t.setTimeout(300_000)
const compiler = process.env['CC'] || 'cc'
const onLinux = process.platform === 'linux' ? ['locald-native.node', 'locald-tunnel'] : []

/** A compiler that fails when it is given this file, and compiles everything else. */
function failingAt(t: Test, file: string): string {
  const path = join(folderFor(t), 'cc')
  writeFileSync(
    path,
    `#!/bin/sh\ncase "$*" in */${file}*) echo 'no such luck' >&2; exit 1 ;; esac\nexec ${compiler} "$@"\n`,
    {
      mode: 0o755,
    },
  )
  return path
}

/** A build with this compiler into a folder of its own: what it says, its exit code, what is there afterwards. */
function build(t: Test, cc: string, ...words: readonly string[]) {
  const into = folderFor(t)
  const ran = spawnSync(
    process.execPath,
    [join(root, 'build', 'scripts', 'build-native.js'), ...words, '--into', into],
    {
      encoding: 'utf8',
      env: { ...process.env, CC: cc },
    },
  )
  return { code: ran.status, says: ran.stderr, made: readdirSync(into).sort() }
}

function folderFor(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'locald-build-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

t.test('builds the other programs when one does not compile', async t => {
  const { code, says, made } = build(t, failingAt(t, 'shim/bind.c'))
  t.equal(code, 0, 'an install goes on: the keeper is there')
  t.strictSame(made, ['locald-keeper', ...onLinux])
  t.match(says, /^no such luck$/m)
  t.match(says, /^locald-shim was not built\. Without it locald cannot bind ports below 1024, /m)
  t.notMatch(says, /locald-keeper was not built/)
})

t.test('fails when the keeper does not compile', async t => {
  const { code, says, made } = build(t, failingAt(t, 'keeper/run.c'))
  t.equal(code, 1)
  t.strictSame(made, ['locald-shim', ...onLinux].sort())
  t.match(says, /^locald-keeper was not built\.$/m)
})

t.test('names the compiler it looked for when there is none', async t => {
  const { code, says, made } = build(t, '/nowhere/cc')
  t.equal(code, 1)
  t.strictSame(made, [])
  t.match(says, /^No C compiler \(\/nowhere\/cc\): install one with .*, or set CC\.$/m)
})

t.test('runs no compiler on a Mac without Apple’s tools: it would open a dialog', async t => {
  const bin = folderFor(t)
  const script = (name: string, text: string) => writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  // What xcode-select(1) says then.
  script('xcode-select', "echo 'xcode-select: error: unable to get active developer directory' >&2; exit 2")
  const asMac = `data:text/javascript,Object.defineProperty(process,'platform',{value:'darwin'})`
  const words = ['--import', asMac, join(root, 'build', 'scripts', 'build-native.js'), '--into', folderFor(t)]
  const { CC: _, ...env } = process.env
  const run = (CC: string) =>
    spawnSync(process.execPath, words, { encoding: 'utf8', env: { ...env, CC, PATH: `${bin}:/usr/bin:/bin` } })
  script('run', `echo "$@" >> ${bin}/ran; exit 1`)
  for (const CC of ['', '/usr/bin/cc']) {
    const { status, stderr } = run(CC)
    t.equal(status, 1)
    t.match(stderr, /^No C compiler \((?:\/usr\/bin\/)?cc\): install one with `xcode-select --install`, or set CC\.$/m)
  }
  t.notOk(existsSync(join(bin, 'ran')))
  t.equal(run('run').status, 1)
  t.match(readFileSync(join(bin, 'ran'), 'utf8'), '--version', 'one of another origin is asked itself')
})

t.test('compiler warnings fail builds for tests, not those of users', async t => {
  const header = join(folderFor(t), 'warns.h')
  writeFileSync(header, 'static int never_used(void) { return 1; }\n')
  const cc = `${compiler} -include ${header}`
  const user = build(t, cc)
  t.equal(user.code, 0, user.says)
  t.strictSame(user.made, ['locald-keeper', ...onLinux, 'locald-shim'].sort())
  const tests = build(t, cc, '--sanitize')
  t.equal(tests.code, 1)
  t.match(tests.says, /\[-Werror[=,].*unused-function\]/)
})

t.test('rejects calls that Apple has deprecated', async t => {
  // A copy of the sources, for macOS alone: what is newer than its sources is not built again.
  const copy = folderFor(t)
  cpSync(join(root, 'build', 'scripts'), join(copy, 'build', 'scripts'), { recursive: true })
  cpSync(join(root, 'package.json'), join(copy, 'package.json'))
  for (const part of ['native', 'shim']) cpSync(join(root, part), join(copy, part), { recursive: true })
  mkdirSync(join(root, 'build', 'zig'), { recursive: true })
  symlinkSync(join(root, 'build', 'zig'), join(copy, 'build', 'zig'))
  const source = join(copy, 'shim', 'store-darwin.c')
  const text = readFileSync(source, 'utf8')
  t.match(text, '#pragma GCC diagnostic ignored "-Wdeprecated-declarations"')
  writeFileSync(source, text.replaceAll(/^#pragma .*\n/gm, ''))
  const later = Date.now() / 1000 + 60
  for (const target of ['linux-x64', 'linux-arm64', 'darwin-x64']) {
    const folder = join(copy, 'build', 'native', target)
    mkdirSync(folder, { recursive: true })
    for (const program of ['locald-keeper', 'locald-shim', 'locald-keychain', 'locald-native.node', 'locald-tunnel']) {
      writeFileSync(join(folder, program), '')
      utimesSync(join(folder, program), later, later)
    }
  }
  const words = [join(copy, 'build', 'scripts', 'build-native.js'), '--all']
  const ran = spawnSync(process.execPath, words, { encoding: 'utf8' })
  t.equal(ran.status, 1)
  t.match(ran.stderr, /'SecKeychainOpen' is deprecated: first deprecated in macOS 10\.10.*-Wdeprecated-declarations/)
  t.match(ran.stderr, 'locald-shim was not built for darwin-arm64.')
  t.notOk(readdirSync(join(copy, 'build', 'native', 'darwin-arm64')).includes('locald-shim'))
})
