import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { socketFault, withSockets } from '../../../kernel/system/daemon/socket-support.ts'
import { addressFile } from '../../../kernel/system/daemon-address.ts'
import { resolvePaths, settlePaths } from '../../../kernel/system/paths.ts'
import { preparePaths } from '../../../kernel/system/prepare-paths.ts'
import {
  localRuntimeOf,
  longestSocketPath,
  plainRuntimeOf,
  type RuntimeInput,
  runtimeOf,
  spareRuntimeOf,
} from '../../../kernel/system/runtime-folder.ts'
import { servicePaths } from '../../../plugins/postgres/files/paths.ts'

const uid = process.geteuid?.() ?? 0
const darwinTemporary = '/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T/'

/** The folders of a user of a Mac whose home is where macOS makes it. */
function onMac(user: string, sandbox?: string, env: NodeJS.ProcessEnv = {}): RuntimeInput {
  const home = `/Users/${user}`
  const root = `${home}/Library/Application Support/locald`
  const base = sandbox === undefined ? undefined : `${root}/sandboxes/${sandbox}`
  const data = base === undefined ? root : `${base}/data`
  return { env: { TMPDIR: darwinTemporary, ...env }, home, isMac: true, data, base }
}

function onLinux(user: string, sandbox: string | undefined, env: NodeJS.ProcessEnv): RuntimeInput {
  const home = `/home/${user}`
  const root = `${home}/.local/share/locald`
  const base = sandbox === undefined ? undefined : `${root}/sandboxes/${sandbox}`
  return { env, home, isMac: false, data: base === undefined ? root : `${base}/data`, base }
}

/** All sockets that are made below a runtime folder. */
function socketsIn(runtime: string): readonly string[] {
  const id = 'f'.repeat(12)
  const postgres = servicePaths('/data', runtime).socket
  return [
    'locald.sock',
    'starter-ffffff.s',
    `k/${id}.s`,
    `k/${id}.n`,
    `${postgres.slice(runtime.length + 1)}/.s.PGSQL.65535`,
  ].map(name => join(runtime, name))
}

t.test('macOS: in the data folder, whatever TMPDIR is', async t => {
  const { data } = onMac('ann')
  for (const TMPDIR of [darwinTemporary, '/tmp/nix-shell.Ab12', undefined])
    t.equal(runtimeOf(onMac('ann', undefined, { TMPDIR })), `${data}/run`)
  t.equal(
    runtimeOf(onMac('ann', undefined, { XDG_RUNTIME_DIR: '/r' })),
    '/r/locald',
    'unless XDG_RUNTIME_DIR says another',
  )
  t.equal(runtimeOf(onMac('ann', undefined, { XDG_RUNTIME_DIR: 'r' })), `${data}/run`, 'an absolute one')
  t.equal(runtimeOf(onMac('ann', 'dev')), `/Users/ann/Library/Application Support/locald/sandboxes/dev/run`)
})

t.test('macOS: the twin of a path that is too long is in the home folder', async t => {
  const twin = runtimeOf(onMac('ann', 'a-sandbox-with-a-long-name'))
  t.match(twin, /^\/Users\/ann\/\.locald\/run\/[0-9a-f]{12}$/)
  t.not(runtimeOf(onMac('ann', 'a-sandbox-with-a-long-name2')), twin)
  t.equal(runtimeOf(onMac('ann', 'a-sandbox-with-a-long-name', { TMPDIR: '/elsewhere' })), twin, 'in every shell')
  const long = runtimeOf(onMac('ann', undefined, { XDG_RUNTIME_DIR: `/${'r'.repeat(80)}` }))
  t.match(long, /^\/Users\/ann\/\.locald\/run\//)
  t.match(runtimeOf(onMac('x'.repeat(60))), new RegExp(`^/tmp/locald-${uid}-[0-9a-f]{12}$`), 'at last in /tmp')
})

t.test('macOS: sockets that are written in commands have no white space in their paths', async t => {
  const short = runtimeOf(onMac('ann'))
  t.match(short, /\s/)
  t.match(plainRuntimeOf(short, onMac('ann')), /^\/Users\/ann\/\.locald\/run\/[0-9a-f]{12}$/)
  t.equal(plainRuntimeOf('/run/user/1000/locald', onLinux('ann', undefined, {})), '/run/user/1000/locald')
})

t.test('a disk that takes no sockets: the runtime folder is in the temporary folder', async t => {
  const root = mkdtempSync(join(tmpdir(), 'locald-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  const input = { env: { HOME: join(root, 'home'), TMPDIR: root, LOCALD_PLATFORM: 'darwin' }, sandbox: 'dev' }
  const paths = resolvePaths(input)
  preparePaths(paths)
  t.equal(await withSockets(paths, input), paths, 'this one takes them')
  t.strictSame(readdirSync(paths.runtime), [], 'and nothing is left of the trial')
  for (const code of ['ENOTSUP', 'EOPNOTSUPP', 'EPERM']) {
    const other = await withSockets(paths, input, async () => code)
    t.match(other.runtime, new RegExp(`^${root}/locald-${uid}-[0-9a-f]{12}$`), code)
    t.equal(await socketFault(other.runtime), undefined)
    t.equal(other.data, paths.data)
  }
  t.equal(
    await withSockets(paths, input, async () => 'ENOSPC'),
    paths,
    'leaves other errors to the code that needs the socket',
  )
  t.equal(typeof (await socketFault(join(root, 'none'))), 'string')
})

t.test('every socket fits, for every length of a user’s name', async t => {
  const places = { data: 0, home: 0, tmp: 0 }
  for (let length = 1; length <= 255; length++) {
    const user = 'u'.repeat(length)
    for (const sandbox of [undefined, 'a', 's'.repeat(32)]) {
      const mac = onMac(user, sandbox)
      const inputs = [
        mac,
        onLinux(user, sandbox, {}),
        onLinux(user, sandbox, { XDG_RUNTIME_DIR: '/run/user/4294967294' }),
      ]
      const folders = inputs.flatMap(input => {
        const runtime = runtimeOf(input)
        return [runtime, spareRuntimeOf(input), plainRuntimeOf(runtime, input), localRuntimeOf(runtime, input)]
      })
      for (const socket of folders.flatMap(socketsIn))
        if (Buffer.byteLength(socket) > longestSocketPath) t.fail(`${Buffer.byteLength(socket)} bytes: ${socket}`)
      const runtime = runtimeOf(mac)
      const place = runtime.startsWith('/tmp/') ? 'tmp' : runtime.includes('/.locald/') ? 'home' : 'data'
      if (sandbox === undefined) places[place] = Math.max(places[place], length)
    }
  }
  t.strictSame(places, { data: 33, home: 47, tmp: 255 }, 'the longest names of each place')
})

t.test('macOS: the next daemon leaves the temporary folder, in which the last one was', async t => {
  const root = mkdtempSync(join(tmpdir(), 'locald-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  const env = { HOME: root, TMPDIR: root }
  const settled = (platform: 'darwin' | 'linux', runtime: string) => {
    const input = { env: { ...env, LOCALD_PLATFORM: platform }, sandbox: 'dev' }
    const { data } = resolvePaths(input)
    mkdirSync(runtime, { recursive: true, mode: 0o700 })
    mkdirSync(data, { recursive: true, mode: 0o700 })
    writeFileSync(
      addressFile(data),
      JSON.stringify({ pid: 1, version: '0.1.0', runtime, socket: join(runtime, 'locald.sock') }),
    )
    return settlePaths(input).runtime
  }
  const { base } = onMac('ann', 'dev')
  const own = join(root, base?.slice('/Users/ann'.length) ?? '', 'run')
  for (const name of [`locald-${uid}`, `locald-${uid}-0123456789ab`]) {
    t.equal(settled('darwin', join(root, name)), own)
    t.equal(settled('linux', join(root, name)), join(root, name), 'on Linux it stays')
  }
  const given = join(root, 'xdg', 'locald')
  t.equal(settled('darwin', given), given, 'a folder of XDG_RUNTIME_DIR is used on')
})
