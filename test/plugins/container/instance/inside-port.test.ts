import { createServer } from 'node:net'
import t from 'tap'
import { findListener, parseListeners, probePort } from '../../../../plugins/container/instance/inside-port.ts'

const head = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode'
const row = (address: string, state = '0A') =>
  `   0: ${address} 00000000:0000 ${state} 00000000:00000000 00:00000000 0 0 1`

t.test('a listener is found in the tables of the kernel (proc(5))', async t => {
  const parse = (...rows: readonly string[]) => parseListeners([head, ...rows].join('\n'), 8080)
  t.equal(parse(row('00000000:1F90')), 'open')
  t.equal(parse(row('00000000000000000000000000000000:1F90')), 'open')
  t.equal(parse(row('0100007F:1F90')), 'loopback')
  t.equal(parse(row('00000000000000000000000001000000:1F90')), 'loopback', '::1')
  t.equal(parse(row('0000000000000000FFFF00000100007F:1F90')), 'loopback', '::ffff:127.0.0.1')
  t.equal(parse(row('0100007F:1F90'), row('0205590A:1F90')), 'open', 'on the address of its network, too')
  t.equal(parse(row('00000000:1F90', '01')), 'closed', 'a connection is no listener')
  t.equal(parse(row('00000000:1F91')), 'closed')
  t.equal(parse(), 'closed')
})

t.test("a process's own network is read", async t => {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  t.equal(await findListener(process.pid, port), 'loopback')
  t.match(await probePort(process.pid, { inside: port, outside: port }), {
    ok: false,
    detail: /has to listen on 0\.0\.0\.0/,
  })
  t.match(await probePort(process.pid, { inside: 1, outside: port }), {
    ok: false,
    detail: /nothing listens on port 1 /,
  })
  t.equal(await findListener(2 ** 22 + 1, port), undefined, 'there is no such process')
})
