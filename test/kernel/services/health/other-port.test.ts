import t from 'tap'
import { OtherPort } from '../../../../kernel/services/health/other-port.ts'

const at = (...ports: readonly number[]) => ports.map(port => ({ pid: 1, address: '127.0.0.1', port }))

t.test('the port in a printed URL, if the service listens there', async t => {
  const table: readonly (readonly [line: string, found: number | 'unsure'])[] = [
    ['  Local:   http://localhost:5173/', 5173],
    ['Listening at https://127.0.0.1:5173', 5173],
    ['ready on http://0.0.0.0:5173, and http://[::]:5173', 5173],
    ['open http://app.shop.localhost:5173/', 5173],
    ['proxying to http://localhost:3000', 'unsure'],
    ['http://localhost:51730', 'unsure'],
    ['http://example.com:5173', 'unsure'],
    ['http://localhost:5173 and http://localhost:24678', 'unsure'],
  ]
  for (const [line, found] of table) t.equal(new OtherPort().find(4000, at(5173, 24678), [line]), found, line)
})

t.test('else the only one, at the second look', async t => {
  const other = new OtherPort()
  t.equal(other.find(4000, [], []), undefined)
  t.equal(other.find(4000, at(24678), []), 'unsure')
  t.equal(other.find(4000, at(24678, 5173), []), 'unsure')
  t.equal(other.find(4000, at(5173), []), 'unsure')
  t.equal(other.find(4000, at(5173, 5173), []), 5173)
  t.equal(other.find(4000, at(4000, 5173), ['http://localhost:5173']), undefined, 'its own port is the one')
  t.equal(other.find(4000, [{ pid: 1, address: '192.0.2.1', port: 5173 }], ['http://localhost:5173']), undefined)
})

t.test('several that stay the same, those in printed URLs first', async t => {
  const other = new OtherPort()
  const lines = ['UI: http://localhost:3001', 'Local: http://localhost:3000']
  t.equal(other.find(4000, at(24678, 3000), lines), 3000, 'the only one that was printed')
  t.equal(other.find(4000, at(24678, 3000, 3001), lines), 'unsure')
  t.strictSame(other.find(4000, at(3000, 24678, 3001), lines), { several: [3001, 3000, 24678] })
  t.equal(other.find(4000, at(24678, 3001, 3002), []), 'unsure')
})

t.test('never that of a debugger', async t => {
  const table: readonly string[] = [
    'Debugger listening on ws://127.0.0.1:9229/0f2c936f-b1cd-4ac9-aab3-f63b0f33d55e',
    'Listening for transport dt_socket at address: 9229',
    'Listening for transport dt_socket at address: 127.0.0.1:9229',
    'API server listening at: 127.0.0.1:9229',
  ]
  for (const line of table) {
    const other = new OtherPort()
    t.equal(other.find(4000, at(9229), [line]), undefined, line)
    t.equal(other.find(4000, at(9229), [line]), undefined, line)
    t.equal(other.find(4000, at(9229, 3000), [line]), 'unsure', line)
    t.equal(other.find(4000, at(9229, 3000), [line]), 3000, line)
  }
})
