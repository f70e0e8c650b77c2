/** The daemon's end of a tunnel, without a forwarder. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Listener, socketName } from '../../../../plugins/container/host-access/listener.ts'
import { lastAddresses } from '../../../../plugins/container/host-access/network-address.ts'
import { Refusals } from '../../../../plugins/container/host-access/refusals.ts'
import { until } from '../../../lib/running.ts'
import { drain } from '../../../lib/tunnel.ts'

interface Listening {
  readonly listener: Listener
  readonly folder: string
  readonly lines: string[]
  /** Connects and says this. */
  say(text: string): Promise<Socket>
}

async function listening(t: Test): Promise<Listening> {
  const parent = mkdtempSync(join(tmpdir(), 'listener-'))
  const folder = join(parent, 'c')
  const lines: string[] = []
  const listener = new Listener(new Refusals(text => lines.push(text)), () => {})
  t.teardown(() => {
    listener.close()
    rmSync(parent, { recursive: true, force: true })
  })
  await listener.open(folder)
  const say = async (text: string): Promise<Socket> => {
    const socket = connect({ path: join(folder, socketName), allowHalfOpen: true })
    await once(socket, 'connect')
    socket.write(text)
    return socket
  }
  return { listener, folder, lines, say }
}

t.test('the folder is private, and a removed one is made again', async t => {
  const { listener, folder, say } = await listening(t)
  t.equal(statSync(folder).mode & 0o777, 0o700)
  const forwarder = await say('forwarder abc\n')
  await until('the forwarder', () => listener.forwarder('abc'))
  rmSync(folder, { recursive: true })
  t.notOk(listener.isIn(folder))
  await listener.open(folder)
  t.ok(listener.isIn(folder))
  t.ok(listener.forwarder('abc'), 'connections stay')
  forwarder.destroy()
})

t.test('what is no first line is closed', async t => {
  const { lines, say } = await listening(t)
  for (const text of ['\n', '0\n', '080\n', '99999x\n', 'forwarder XYZ\n', 'GET / HTTP/1.1\r\n\r\n', 'x'.repeat(97)]) {
    t.equal((await drain(await say(text))).bytes, 0, text.slice(0, 12))
  }
  t.strictSame(lines, [])
})

t.test('carries what follows the first line, to allowed ports only', async t => {
  const { listener, lines, say } = await listening(t)
  const server = createServer({ allowHalfOpen: true }, it => it.pipe(it)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  t.equal((await drain(await say(`${port}\n`))).bytes, 0)
  t.match(lines, [new RegExp(`^port ${port} is not allowed: `)])
  listener.setPorts([port])
  for (const split of [0, 3]) {
    const socket = await say(`${port}\nhello`.slice(0, split || undefined))
    if (split > 0) socket.write(`${port}\nhello`.slice(split))
    socket.end()
    t.equal((await drain(socket)).bytes, '+hello'.length)
  }
})

t.test('a forwarder gets each change of the ports, and its failure is kept', async t => {
  const { listener, say } = await listening(t)
  listener.setPorts([80])
  const forwarder = await say('forwarder abc\n')
  let read = ''
  forwarder.setEncoding('utf8').on('data', text => {
    read += text
  })
  await until('the first list', () => read === '80\n')
  t.notOk(listener.forwarder('abc')?.isSettled)
  forwarder.write('listening\n')
  await until('the answer', () => listener.forwarder('abc')?.isSettled)
  listener.setPorts([80, 443])
  await until('the second list', () => read === '80\n80 443\n')
  forwarder.write('failed 443 Address in use\n')
  await until('the answer', () => listener.forwarder('abc')?.isSettled)
  t.equal(listener.forwarder('abc')?.failure, 'port 443: Address in use')
  forwarder.write('nonsense\n')
  await until('its end', () => listener.forwarder('abc') === undefined)
})

t.test('logs a refusal once a minute', async t => {
  const lines: string[] = []
  const refusals = new Refusals(text => lines.push(text))
  refusals.add('one', 0)
  refusals.add('one', 59_999)
  for (let i = 0; i < 100; i++) refusals.add(`other ${i}`, 1000)
  t.equal(lines.length, 50)
  refusals.add('one', 61_000)
  t.equal(lines.at(-1), 'one')
})

t.test('the addresses of a forwarder are the last of its subnet', async t => {
  t.strictSame(lastAddresses('10.89.0.0/24'), ['10.89.0.254', '10.89.0.253', '10.89.0.252', '10.89.0.251'])
  t.strictSame(lastAddresses('172.16.0.0/12')[0], '172.31.255.254')
  t.strictSame(lastAddresses('10.0.0.16/28')[0], '10.0.0.30')
  t.strictSame([lastAddresses('10.0.0.0/29'), lastAddresses('x')], [[], []])
})
