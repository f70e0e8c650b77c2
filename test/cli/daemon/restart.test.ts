import { once } from 'node:events'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { waitForShutdown } from '../../../cli/daemon/start.ts'
import { addressFile } from '../../../kernel/system/daemon-address.ts'
import { resolvePaths } from '../../../kernel/system/paths.ts'
import { folder } from '../fake-daemon.ts'
import { end, noServices, place } from './scripted-daemon.ts'

t.test('shutdown stops the services that a killed daemon left', async t => {
  const { home, lines, run } = place(t)
  t.match(await run(['server', 'shutdown']), { code: 0, stdout: 'Daemon is not running\n' })
  mkdirSync(join(home, 'data', 'locald', 'running', 'projects', 'shop'), { recursive: true })
  t.match(await run(['server', 'shutdown', '--pid=1']), { code: 0, stdout: /^No daemon with pid 1 is running\n$/ })
  t.equal(lines('daemons').length, 0, 'another one is not meant')
  t.match(await run(['server', 'shutdown']), { code: 0, stdout: 'Daemon stopped\n' })
  t.same(JSON.parse(lines('facts').at(-1) ?? ''), { keepServices: false })
})

t.test('shutdown stops services and restart keeps them, while the lock is still held', async t => {
  const { lines, run } = place(t)
  await run(['up'])
  t.match(await run(['server', 'shutdown']), { code: 0, stdout: 'Daemon stopped\n' })
  t.same(JSON.parse(lines('facts')[1] ?? ''), { keepServices: false })
  t.comment('its lock is still held')
  t.match(await run(['up']), { code: 0, stderr: noServices })
  t.equal(lines('daemons').length, 2)
  t.match(await run(['server', 'restart']), { code: 0, stdout: /^Daemon restarted \(pid \d+\)\n$/ })
  t.same(JSON.parse(lines('facts')[3] ?? ''), { keepServices: true })
  t.equal(lines('daemons').length, 3)
  t.comment('a request while it is ending waits for the next')
  const ending = run(['server', 'shutdown'])
  while (lines('facts').length < 6) await new Promise(resolve => setTimeout(resolve, 10))
  t.match(await run(['up']), { code: 0, stderr: noServices })
  t.equal((await ending).code, 0)
  t.equal(lines('daemons').length, 4)
})

t.test('a request goes to the next daemon once when the first is killed before it answers', async t => {
  const { lines, run } = place(t)
  await run(['server', 'start'], { LOCALD_FAKE_MODE: 'mute' })
  t.match(await run(['up']), { code: 0, stderr: noServices })
  t.equal(lines('daemons').length, 2)
  lines('daemons').forEach(end)
  t.match(await run(['up'], { LOCALD_FAKE_MODE: 'mute' }), {
    code: 1,
    stderr: /lost connection to the daemon while starting the project/,
  })
  t.equal(lines('daemons').length, 4)
})

t.test('starts another daemon when the first exits right after its start', async t => {
  const { lines, run } = place(t)
  t.match(await run(['up'], { LOCALD_FAKE_MODE: 'short' }), { code: 0, stderr: noServices })
  t.equal(lines('daemons').length, 2)
})

t.test('status starts a daemon only to adopt what a killed one left', async t => {
  const { home, lines, run } = place(t)
  t.match(await run(['status', '--json']), { code: 0, stdout: '{"services":[]}\n' })
  t.equal(lines('daemons').length, 0)
  mkdirSync(join(home, 'data', 'locald', 'running', 'projects', 'shop'), { recursive: true })
  t.match(await run(['status', '--json']), { code: 0, stdout: '{"services":[]}\n' })
  t.equal(lines('daemons').length, 1)
})

t.test('status asks the next daemon when a dying one with services accepted the connection', async t => {
  const { home, lines, run } = place(t)
  await run(['server', 'start'], { LOCALD_FAKE_MODE: 'dying' })
  mkdirSync(join(home, 'data', 'locald', 'running', 'projects', 'shop'), { recursive: true })
  t.match(await run(['status', '--json']), { code: 0, stdout: '{"services":[]}\n' })
  t.equal(lines('daemons').length, 2)
})

t.test('waits for a daemon that refuses connections for a moment, as macOS does with a full queue', async t => {
  const home = folder(t)
  const paths = resolvePaths({
    env: { HOME: home, XDG_RUNTIME_DIR: join(home, 'run'), XDG_DATA_HOME: join(home, 'data') },
  })
  mkdirSync(paths.data, { recursive: true })
  mkdirSync(paths.runtime, { recursive: true, mode: 0o700 })
  const { runtime, socket } = paths
  const isOf = (pid: number) =>
    writeFileSync(addressFile(paths.data), JSON.stringify({ pid, version: '0', runtime, socket }))
  const listen = async () => {
    const made = `${socket}.made`
    const server = createServer(client => client.destroy()).listen(made)
    await once(server, 'listening')
    renameSync(made, socket)
    return server
  }
  const refusing = await listen()
  await new Promise(resolve => refusing.close(resolve))
  isOf(process.pid)
  const end = waitForShutdown(paths, 60_000)
  const server = await listen()
  await once(server, 'connection')
  server.close()
  rmSync(socket)
  await end
  t.comment('its process exited, or the pid is of another one')
  const other = await listen()
  await new Promise(resolve => other.close(resolve))
  await waitForShutdown(paths, 60_000)
  isOf(2 ** 30)
  await waitForShutdown(paths, 60_000)
})
