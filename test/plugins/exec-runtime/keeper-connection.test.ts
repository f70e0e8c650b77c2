import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { KeeperConnection } from '../../../plugins/exec-runtime/keeper-connection.ts'
import { recoverProcess } from '../../../plugins/exec-runtime/keeper-recovery.ts'
import { LinuxProcessTable } from '../../../plugins/platform-linux/process-table.ts'
import { makeFolder, removeFolder } from '../../lib/keeper.ts'
import { limited } from './harness.ts'

t.test("closes the connection on lines that are not a keeper's", async t => {
  const dir = makeFolder()
  t.teardown(() => removeFolder(dir))
  for (const words of ['not json\n', '{"no":"event"}\n', 'x'.repeat(70_000)]) {
    const path = join(dir, 's')
    const server = createServer(socket => socket.on('error', () => {}).end(`{"event":"a"}\n${words}`))
    await new Promise<void>(resolve => server.listen(path, resolve))
    const connection = await KeeperConnection.open(path)
    t.match(await connection?.next('a'), { event: 'a' }, 'a late listener receives earlier events')
    await limited(connection?.closed ?? Promise.resolve(), 'closed')
    server.close()
  }
  t.equal(await KeeperConnection.open(join(dir, 'nothing')), undefined)
})

t.test('an event that came before it was asked for is returned', async t => {
  const dir = makeFolder()
  t.teardown(() => removeFolder(dir))
  const server = createServer(socket => socket.on('error', () => {}).write('{"event":"a"}\n{"event":"b"}\n'))
  await new Promise<void>(resolve => server.listen(join(dir, 's'), resolve))
  const connection = await KeeperConnection.open(join(dir, 's'))
  t.match(await connection?.next('a'), { event: 'a' })
  t.match(await connection?.next('b'), { event: 'b' })
  connection?.close()
  server.close()
})

t.test('returns no process for a keeper that does not answer or an invalid socket', async t => {
  const dir = makeFolder()
  t.teardown(() => removeFolder(dir))
  const state = { socket: join(dir, 'k.s') }
  for (const words of ['', '{"event":"state"}\n']) {
    let isClosed: Promise<unknown> | undefined
    const server = createServer(socket => {
      isClosed = once(
        socket.on('error', () => {}),
        'close',
      )
      socket.write(words)
      socket.resume()
    })
    await new Promise<void>(resolve => server.listen(state.socket, resolve))
    const table = new LinuxProcessTable(process.getuid?.() ?? 0, join(dir, 'proc'))
    t.equal(await limited(recoverProcess(state, table, 50), 'given up'), undefined)
    await limited(isClosed ?? Promise.reject(new Error('not connected')), 'closed')
    server.close()
  }
})
