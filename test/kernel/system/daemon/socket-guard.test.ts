import { spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  type FSWatcher,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  watch,
  writeFileSync,
} from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { DaemonLocks } from '../../../../kernel/system/daemon/locks.ts'
import { SocketGuard, type SocketGuardInput, type WatchFolder } from '../../../../kernel/system/daemon/socket-guard.ts'
import { addressFile } from '../../../../kernel/system/daemon-address.ts'
import { versionOf } from '../../../../kernel/system/package.ts'
import { readAddress } from '../../../../kernel/system/paths.ts'
import { claimRuntime, isClaimedByOther } from '../../../../kernel/system/runtime-claim.ts'
import { root } from '../../../lib/sources.ts'

const keeper = join(root, 'build', 'native', 'locald-keeper')

interface Guarded {
  readonly root: string
  readonly data: string
  readonly runtime: string
  readonly socket: string
  readonly lock: string
  readonly guard: SocketGuard
  /** Resolves when the socket was bound again for the first time. */
  readonly restored: Promise<void>
}

async function listenOn(server: Server, path: string): Promise<void> {
  server.close()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
}

async function guarded(
  t: Test,
  more: Partial<Pick<SocketGuardInput, 'upkeepMs' | 'lookMs' | 'watch' | 'restored'>> = {},
): Promise<Guarded> {
  const root = mkdtempSync(join(tmpdir(), 'locald-'))
  const [data, runtime] = [join(root, 'data'), join(root, 'run', 'locald')]
  for (const folder of [data, runtime]) mkdirSync(folder, { recursive: true, mode: 0o700 })
  const [socket, lock] = [join(runtime, 'locald.sock'), join(data, 'daemon.lock')]
  const paths = { data, runtime, spareRuntime: join(data, 'run'), socket, lock }
  writeFileSync(paths.lock, '')
  const server = createServer(socket => socket.on('error', () => {}).end('here'))
  await listenOn(server, paths.socket)
  const log = { info() {}, warn() {}, error() {} }
  let guard: SocketGuard | undefined
  const restored = new Promise<void>(resolve => {
    guard = new SocketGuard({
      paths,
      locks: new DaemonLocks(keeper, [paths.lock, join(runtime, 'daemon.lock')]),
      listen: socket => listenOn(server, socket),
      log,
      ...more,
      restored: async () => {
        resolve()
        await more.restored?.()
      },
    })
  })
  if (guard === undefined) throw new Error('no guard')
  const made = guard
  t.teardown(() => {
    made.close(true)
    server.close()
    rmSync(root, { recursive: true, force: true })
  })
  return { root, ...paths, guard: made, restored }
}

function ask(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    connect(path)
      .on('data', data => {
        text += String(data)
      })
      .once('end', () => resolve(text))
      .once('error', reject)
  })
}

t.test('records the address of the daemon until close with forget', async t => {
  const { data, runtime, socket, guard } = await guarded(t)
  t.strictSame(readAddress(data), { pid: process.pid, version: versionOf(), runtime, socket })
  guard.close(false)
  t.ok(existsSync(addressFile(data)))
  guard.close(true)
  t.equal(readAddress(data), undefined)
})

t.test('records the address again after the file was deleted, with the lock or alone', async t => {
  const { data, lock, socket } = await guarded(t)
  for (const files of [[addressFile(data)], [lock, addressFile(data)]]) {
    for (const file of files) rmSync(file)
    for (const end = performance.now() + 10_000; performance.now() < end && !existsSync(addressFile(data)); )
      await new Promise(wake => setTimeout(wake, 20))
    t.equal(readAddress(data)?.socket, socket)
  }
})

t.test('binds a socket again that was removed, alone or with its folders', async t => {
  for (const removed of ['run/locald/locald.sock', 'run/locald', 'run']) {
    const { root, data, runtime, socket, restored } = await guarded(t)
    rmSync(join(root, removed), { recursive: true })
    await restored
    t.equal(await ask(socket), 'here', removed)
    t.match(readAddress(data), { pid: process.pid, runtime, socket })
  }
})

t.test('binds its socket again while others are still busy with theirs', async t => {
  const { socket, restored } = await guarded(t, { restored: () => new Promise(() => {}) })
  for (let round = 0; round < 2; round++) {
    rmSync(socket)
    await restored
    await seen('its socket', () => existsSync(socket))
    t.equal(await ask(socket), 'here')
  }
})

t.test('binds a socket again that was deleted before its folder was watched', async t => {
  let isRemoved = false
  const { socket, restored } = await guarded(t, {
    watch: (folder, ...rest) => {
      if (!isRemoved) {
        rmSync(join(folder, 'locald.sock'))
        // Were they made later, that would be seen.
        writeFileSync(join(folder, 'daemon.lock'), '')
        claimRuntime(folder, join(folder, '..', '..', 'data'))
      }
      isRemoved = true
      return watch(folder, ...rest)
    },
  })
  await restored
  t.equal(await ask(socket), 'here')
})

t.test('watches a folder that was created again', async t => {
  const { root, socket, restored } = await guarded(t)
  rmSync(join(root, 'run'), { recursive: true })
  await restored
  rmSync(dirname(socket), { recursive: true })
  const deadline = Date.now() + 10_000
  while (!existsSync(socket) && Date.now() < deadline) await new Promise(wake => setTimeout(wake, 5))
  t.equal(await ask(socket), 'here')
})

t.test('notices a moved folder when a caller touches the lock', async t => {
  const { root, socket, lock, restored } = await guarded(t)
  renameSync(join(root, 'run'), join(root, 'away'))
  await t.rejects(ask(socket), { code: 'ENOENT' })
  utimesSync(lock, new Date(), new Date())
  await restored
  t.equal(await ask(socket), 'here')
})

t.test('listens in the data folder when its own folder cannot be created, or another daemon uses it', async t => {
  await t.test('cannot be made', async t => {
    const { root, data, guard, restored } = await guarded(t)
    rmSync(join(root, 'run'), { recursive: true })
    writeFileSync(join(root, 'run'), '')
    await restored
    t.equal(guard.socket, join(data, 'run', 'locald.sock'))
    t.equal(await ask(guard.socket), 'here')
    t.match(JSON.parse(readFileSync(addressFile(data), 'utf8')), { runtime: join(data, 'run'), socket: guard.socket })
  })
  await t.test('used by another', async t => {
    const { data, socket, guard, restored } = await guarded(t)
    const other = createServer(connection => connection.on('error', () => {}).end('other'))
    t.teardown(() => other.close())
    rmSync(socket)
    await listenOn(other, socket)
    await restored
    t.equal(guard.socket, join(data, 'run', 'locald.sock'))
    t.equal(await ask(guard.socket), 'here')
  })
  await t.test('claimed by another', async t => {
    const { root, data, runtime, guard, restored } = await guarded(t)
    const [made, other] = [join(root, 'made'), join(root, 'other')]
    for (const folder of [made, other]) mkdirSync(folder)
    claimRuntime(made, other)
    rmSync(runtime, { recursive: true })
    renameSync(made, runtime)
    await restored
    t.equal(guard.socket, join(data, 'run', 'locald.sock'))
    t.ok(isClaimedByOther(runtime, data), 'it stays the other’s')
  })
})

/** Whether somebody could lock a file. */
function isFree(file: string): boolean {
  return spawnSync(keeper, ['lock', file, '--', 'true']).status === 0
}

async function seen(what: string, look: () => boolean): Promise<void> {
  for (const end = performance.now() + 10_000; !look(); await new Promise(wake => setTimeout(wake, 20)))
    if (performance.now() > end) throw new Error(`timed out waiting for ${what}`)
}

t.test('locks again, and claims its folder, when these files were deleted without the socket', async t => {
  const { root, data, runtime, socket, lock, guard } = await guarded(t)
  const [runtimeLock, link] = [join(runtime, 'daemon.lock'), join(runtime, 'data')]
  for (let round = 0; round < 3; round++) {
    for (const file of [lock, runtimeLock, link]) rmSync(file, { force: true })
    await seen('both locks', () => [lock, runtimeLock].every(existsSync) && !isFree(lock) && !isFree(runtimeLock))
    await seen('the claim', () => isClaimedByOther(runtime, root))
    t.notOk(isClaimedByOther(runtime, data))
    t.equal(await ask(socket), 'here')
  }
  guard.close(true)
})

t.test('takes the lock of its folder where the starting process did not', async t => {
  const { runtime } = await guarded(t)
  t.notOk(isFree(join(runtime, 'daemon.lock')))
})

t.test('locks again once another process releases the lock', async t => {
  const { lock } = await guarded(t)
  const other = spawn(keeper, ['lock', `${lock}.other`, '--', 'sh', '-c', 'echo held; read -r end'])
  t.teardown(() => {
    other.kill('SIGKILL')
  })
  await new Promise(resolve => other.stdout.once('data', resolve))
  renameSync(`${lock}.other`, lock)
  t.notOk(isFree(lock))
  other.stdin.end()
  await new Promise(resolve => other.once('close', resolve))
  await seen('the lock', () => !isFree(lock))
})

t.test('updates the times of its files, and lets others restore theirs', async t => {
  const { socket, lock, restored } = await guarded(t, { upkeepMs: 50 })
  const old = new Date('2020-01-01')
  for (const file of [socket, lock]) utimesSync(file, old, old)
  await restored
  await seen('new times', () => [socket, lock].every(file => statSync(file).mtimeMs > old.getTime()))
})

t.test('opens a failed watch again, and then notices deletions', async t => {
  const watchers: FSWatcher[] = []
  const opened: WatchFolder = (...args) => {
    const watcher = watch(...args)
    watchers.push(watcher)
    return watcher
  }
  const it = await guarded(t, { lookMs: 50, watch: opened })
  const before = watchers.length
  // As Node does when macOS has no stream of events for it (lib/internal/fs/watchers.js): closed, then reported.
  for (const watcher of watchers.splice(0)) {
    watcher.close()
    watcher.emit('error', Object.assign(new Error('EMFILE: too many open files, watch'), { code: 'EMFILE' }))
  }
  for (const end = Date.now() + 10_000; watchers.length < before && Date.now() < end; )
    await new Promise(wake => setTimeout(wake, 10))
  rmSync(it.socket)
  await it.restored
  t.equal(await ask(it.socket), 'here')
})
