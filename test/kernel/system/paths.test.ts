import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { release, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { longestSocketPath, type Paths, resolvePaths } from '../../../kernel/system/paths.ts'
import { factsOf, platformOf, releaseOf } from '../../../kernel/system/platform.ts'
import { preparePaths, preparePlainRuntime } from '../../../kernel/system/prepare-paths.ts'

const uid = process.getuid?.() ?? 0
/** Where the tests run as another platform, only a sandbox may say so. */
const linux = { HOME: '/home/ann', TMPDIR: '/tmp', LOCALD_PLATFORM: process.platform === 'linux' ? '' : 'linux' }

function paths(env: NodeJS.ProcessEnv, sandbox?: string): Paths {
  return resolvePaths({ env: { ...linux, ...env }, sandbox })
}

t.test('resolves paths without XDG variables', async t => {
  // Not /tmp: a daemon of who runs the tests may be there.
  t.match(paths({ TMPDIR: '/t' }), {
    data: '/home/ann/.local/share/locald',
    config: '/home/ann/.config/locald',
    runtime: `/t/locald-${uid}`,
    socket: `/t/locald-${uid}/locald.sock`,
    lock: '/home/ann/.local/share/locald/daemon.lock',
    runtimeLock: `/t/locald-${uid}/daemon.lock`,
    daemonLog: '/home/ann/.local/share/locald/daemon.log',
    crash: '/home/ann/.local/share/locald/crashes',
    sandbox: undefined,
  })
  t.match(paths({}).native, /^\/.*\/native$/)
})

t.test('resolves paths from XDG variables', async t => {
  const xdg = { XDG_DATA_HOME: '/d', XDG_CONFIG_HOME: '/c', XDG_RUNTIME_DIR: '/r' }
  t.match(paths(xdg), {
    data: '/d/locald',
    config: '/c/locald',
    runtime: '/r/locald',
    socket: '/r/locald/locald.sock',
    lock: '/d/locald/daemon.lock',
    runtimeLock: '/r/locald/daemon.lock',
  })
  const relativeOnes = { XDG_DATA_HOME: 'd', XDG_CONFIG_HOME: './c', XDG_RUNTIME_DIR: 'r' }
  t.strictSame(paths(relativeOnes), paths({}), 'relative ones are to be ignored')
  t.strictSame(paths({ XDG_DATA_HOME: '', XDG_CONFIG_HOME: '', XDG_RUNTIME_DIR: '' }), paths({}), 'and empty ones')
})

t.test('resolves paths on macOS', async t => {
  const mac = (env: NodeJS.ProcessEnv) => paths({ LOCALD_PLATFORM: 'darwin', ...env }, 'dev')
  const base = '/home/ann/Library/Application Support/locald/sandboxes/dev'
  t.match(mac({}), { data: `${base}/data`, config: `${base}/config`, runtime: `${base}/run` })
  t.equal(mac({ XDG_DATA_HOME: '/d' }).data, '/d/locald/sandboxes/dev/data', 'XDG counts there too')
})

t.test('a sandbox has separate folders', async t => {
  const own = paths({ XDG_RUNTIME_DIR: '/r' }, 'dev')
  const base = '/home/ann/.local/share/locald/sandboxes/dev'
  t.match(own, {
    data: `${base}/data`,
    config: `${base}/config`,
    runtime: `${base}/run`,
    socket: `${base}/run/locald.sock`,
    lock: `${base}/data/daemon.lock`,
    runtimeLock: `${base}/run/daemon.lock`,
    daemonLog: `${base}/data/daemon.log`,
    sandbox: 'dev',
  })
  t.strictSame(paths({ XDG_RUNTIME_DIR: '/r', LOCALD_SANDBOX: 'dev' }), own, 'from the environment')
  t.equal(paths({ LOCALD_SANDBOX: 'env' }, 'word').sandbox, 'word', 'the word counts')
  t.equal(paths({ LOCALD_SANDBOX: '' }).sandbox, undefined)
  for (const name of ['', '.', '..', '../x', 'A', 'a_b', '-a', 'a-', 'a b', 'a/b', 'x'.repeat(33), 'ä']) {
    t.throws(() => paths({}, name), { code: 'USAGE', hint: /1 to 32 lower-case/ }, `'${name}'`)
  }
  for (const name of ['a', '7', 'a-b', 'x'.repeat(32)]) t.equal(paths({}, name).sandbox, name)
})

t.test('moves a socket whose path is too long', async t => {
  const deep = `/home/${'deep/'.repeat(20)}ann`
  const long = paths({ HOME: deep }, 'dev')
  t.equal(dirname(long.runtime), '/tmp')
  t.match(long.runtime, new RegExp(`^/tmp/locald-${uid}-[0-9a-f]{12}$`))
  t.equal(long.data, `${deep}/.local/share/locald/sandboxes/dev/data`, 'only sockets move')
  t.equal(paths({ HOME: deep }, 'dev').runtime, long.runtime, 'the same one each time')
  t.not(paths({ HOME: deep }, 'other').runtime, long.runtime)
  t.not(paths({ HOME: `${deep}e` }, 'dev').runtime, long.runtime)
  t.match(paths({ HOME: deep, TMPDIR: `/${'t'.repeat(90)}` }, 'dev').runtime, /^\/tmp\//, 'a long TMPDIR is no help')
  t.match(paths({ TMPDIR: `/${'t'.repeat(90)}` }).runtime, /^\/tmp\/locald-\d+-[0-9a-f]{12}$/, 'without a sandbox, too')
  t.match(paths({ HOME: deep, TMPDIR: '/var/tmp' }, 'dev').runtime, /^\/var\/tmp\/locald-/)
  for (let length = 1; length < 120; length++) {
    const { runtime, socket } = paths({ XDG_RUNTIME_DIR: `/${'r'.repeat(length)}` })
    const keeper = join(runtime, 'k', `${'x'.repeat(12)}.s`)
    if (Buffer.byteLength(socket) > longestSocketPath || Buffer.byteLength(keeper) > longestSocketPath) t.fail(socket)
  }
  const wide = paths({ XDG_RUNTIME_DIR: `/${'ä'.repeat(45)}` })
  t.match(wide.runtime, /^\/tmp\//, 'bytes count, not letters')
})

t.test('listens on the longest allowed socket path', async t => {
  const folder = await short(t)
  const socket = join(folder, 's'.repeat(longestSocketPath - Buffer.byteLength(folder) - 1))
  t.equal(Buffer.byteLength(socket), longestSocketPath)
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socket, resolve))
  await new Promise(resolve => server.close(resolve))
  t.equal(paths({ LOCALD_SOCKET: socket }).socket, socket)
})

async function short(t: { teardown(end: () => unknown): unknown }): Promise<string> {
  const { mkdtemp, rm } = await import('node:fs/promises')
  const folder = await mkdtemp(join(tmpdir(), 'locald-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

t.test('accepts a usable LOCALD_SOCKET only', async t => {
  t.equal(paths({ LOCALD_SOCKET: '/x/y.sock' }).socket, '/x/y.sock')
  t.equal(paths({ LOCALD_SOCKET: '/x/y.sock' }, 'dev').socket, '/x/y.sock')
  t.equal(paths({ LOCALD_SOCKET: '/x/y.sock' }).runtime, paths({}).runtime, 'nothing else moves')
  t.equal(paths({ LOCALD_SOCKET: '' }).socket, paths({}).socket)
  t.throws(() => paths({ LOCALD_SOCKET: 'y.sock' }), { code: 'USAGE', message: /'y\.sock'/, hint: /absolute/ })
  t.throws(() => paths({ LOCALD_SOCKET: `/${'y'.repeat(103)}` }), {
    code: 'USAGE',
    message: /104 bytes/,
    hint: /at most 103/,
  })
})

t.test('needs a home folder', async t => {
  const real = resolvePaths({ env: { ...linux, HOME: undefined } })
  t.match(real.data, /^\/.*\/\.local\/share\/locald$/, 'from the password file')
  t.strictSame(resolvePaths({ env: { ...linux, HOME: 'relative' } }), real, 'a relative one is none')
})

t.test('creates folders with safe modes', async t => {
  const root = t.testdir({})
  const at = (name: string): Paths =>
    paths({ XDG_DATA_HOME: join(root, name, 'd'), XDG_RUNTIME_DIR: join(root, name, 'r') })
  const mode = (folder: string) => statSync(folder).mode & 0o777

  const fresh = at('fresh')
  preparePaths(fresh)
  preparePaths(fresh)
  t.strictSame([mode(fresh.data), mode(fresh.runtime)], [0o700, 0o700])

  const open = at('open')
  mkdirSync(open.runtime, { recursive: true })
  chmodSync(open.runtime, 0o755)
  preparePaths(open)
  t.equal(mode(open.runtime), 0o700, 'one that others could read is closed')

  const elsewhere = { ...at('socket'), socket: join(root, 'far', 'away', 'x.sock') }
  preparePaths(elsewhere)
  t.equal(mode(dirname(elsewhere.socket)), 0o700, 'that of a socket elsewhere')
  const shared = { ...at('shared'), socket: join(root, 'open-folder', 'x.sock') }
  mkdirSync(dirname(shared.socket))
  chmodSync(dirname(shared.socket), 0o755)
  preparePaths(shared)
  t.equal(mode(dirname(shared.socket)), 0o755, 'an existing one is left as it is')
})

t.test('reports unusable folders', async t => {
  const root = t.testdir({ file: 'text', real: {} })
  const at = (name: string): Paths => ({
    ...paths({}),
    data: join(root, name, 'd'),
    runtime: join(root, name, 'r'),
    socket: join(root, name, 'r', 's'),
  })

  const foreign = at('foreign')
  mkdirSync(foreign.runtime, { recursive: true })
  if (uid === 0) chownSync(foreign.runtime, 12345, 12345)
  const theirs = uid === 0 ? foreign : { ...foreign, runtime: '/usr/lib' }
  t.throws(() => preparePaths(theirs), {
    code: 'PATHS_UNUSABLE',
    message: /is not a folder of yours/,
    hint: /XDG_RUNTIME_DIR/,
  })

  const temporary = mkdtempSync(join(tmpdir(), 'locald-'))
  t.teardown(() => rmSync(temporary, { recursive: true }))
  const spaced = paths({ TMPDIR: temporary, XDG_RUNTIME_DIR: join(root, 'a b') })
  preparePlainRuntime(spaced)
  t.equal(dirname(spaced.plainRuntime), temporary)
  t.equal(statSync(spaced.plainRuntime).mode & 0o777, 0o700, 'the one for sockets that people name is made')
  if (uid === 0) {
    chownSync(spaced.plainRuntime, 12345, 12345)
    t.throws(() => preparePlainRuntime(spaced), { code: 'PATHS_UNUSABLE' }, 'but not taken from another user')
  }

  const planted = at('planted')
  mkdirSync(dirname(planted.runtime))
  symlinkSync(join(root, 'real'), planted.runtime)
  t.throws(
    () => preparePaths(planted),
    { code: 'PATHS_UNUSABLE', message: /is not a folder of yours/ },
    'no link to a folder',
  )

  const linked = at('linked')
  mkdirSync(dirname(linked.data))
  symlinkSync(join(root, 'real'), linked.data)
  preparePaths(linked)
  t.equal(statSync(join(root, 'real')).mode & 0o777, 0o700, 'data may be a link to another disk')
  if (uid === 0) {
    lchownSync(linked.data, 12345, 12345)
    t.throws(() => preparePaths(linked), { code: 'PATHS_UNUSABLE' }, 'but no link of another user’s')
  }

  const file = at('in-a-file')
  mkdirSync(dirname(file.data))
  writeFileSync(file.data, '')
  t.throws(() => preparePaths(file), {
    code: 'PATHS_UNUSABLE',
    message: /^cannot use .*in-a-file\/d: EEXIST/,
    hint: /HOME/,
  })
  t.throws(() => preparePaths({ ...at('x'), data: join(root, 'file', 'd') }), {
    code: 'PATHS_UNUSABLE',
    message: /ENOTDIR/,
  })
  t.throws(
    () => preparePaths({ ...at('x'), data: '/proc/none/d' }),
    { code: 'PATHS_UNUSABLE' },
    'where nothing can be made',
  )
})

t.test('takes another platform in a sandbox only', async t => {
  const here = process.platform
  const other = here === 'darwin' ? 'linux' : 'darwin'
  t.equal(platformOf({}, undefined), here)
  t.equal(platformOf({ LOCALD_PLATFORM: '' }, undefined), here)
  t.equal(platformOf({ LOCALD_PLATFORM: here }, undefined), here, 'accepts the true platform outside of a sandbox')
  t.equal(platformOf({ LOCALD_PLATFORM: other }, 'dev'), other)
  t.throws(() => platformOf({ LOCALD_PLATFORM: other }, undefined), { code: 'PLATFORM_OVERRIDE', hint: /--sandbox/ })
  t.throws(() => platformOf({ LOCALD_PLATFORM: 'win32' }, 'dev'), {
    code: 'PLATFORM_OVERRIDE',
    hint: 'Set it to linux or darwin.',
  })
  t.strictSame(factsOf({ LOCALD_PLATFORM: other }, 'dev'), { os: other, release: 0, arch: process.arch, uid })
  t.equal(releaseOf({}, undefined), Number.parseInt(release(), 10))
  t.equal(releaseOf({ LOCALD_PLATFORM_RELEASE: '27.0.0' }, 'dev'), 27)
  t.throws(() => releaseOf({ LOCALD_PLATFORM_RELEASE: '27.0.0' }, undefined), { code: 'PLATFORM_OVERRIDE' })
  const paths = resolvePaths({
    env: { HOME: '/home/ann', LOCALD_PLATFORM: 'darwin', LOCALD_PLATFORM_RELEASE: '27.0.0' },
    sandbox: 'dev',
  })
  t.strictSame([paths.platform, paths.release], ['darwin', 27])
})
