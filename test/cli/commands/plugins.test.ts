import t from 'tap'
import { FakeDaemon, json } from '../fake-daemon.ts'

t.test('lists plugins, what they provide, and why one is broken', async t => {
  const daemon = await FakeDaemon.start(t)
  const plugin = {
    name: 'proxy',
    version: '1.0.0',
    from: 'built-in',
    state: 'active',
    reason: null,
    types: [],
    features: ['vm'],
    commands: ['a', 'b'],
    setupMs: 1.25,
  }
  const broken = {
    ...plugin,
    name: 'x',
    state: 'broken',
    reason: 'it threw: no',
    features: [],
    commands: [],
    setupMs: null,
  }
  daemon.on('GET /v1/plugins', json({ plugins: [plugin, broken] }))
  t.equal(
    (await daemon.run(['plugins', 'list'])).stdout,
    `NAME   VERSION  FROM      STATE   PROVIDES
proxy  1.0.0    built-in  active  features: vm; commands: a, b
x      1.0.0    built-in  broken  -
  it threw: no
`,
  )
  t.match((await daemon.run(['plugins', 'list', '--timing'])).stdout, /SETUP[\s\S]*1\.3 ms/)
  t.same(JSON.parse((await daemon.run(['plugins', 'list', '--json'])).stdout), { plugins: [plugin, broken] })
})
