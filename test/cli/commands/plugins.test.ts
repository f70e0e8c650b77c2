import t from 'tap'
import { FakeDaemon, json } from '../fake-daemon.ts'

t.test('lists plugins, what they provide, and why one is broken', async t => {
  const daemon = await FakeDaemon.start(t)
  const common = {
    name: 'proxy',
    version: '1.0.0',
    from: 'built-in',
    state: 'active',
    reason: null,
    types: [],
    features: [],
    commands: [],
    setupMs: null,
  }
  const plugin = {
    ...common,
    features: ['vm', 'containers'],
    details: { containers: 'podman 4.3.1' },
    commands: ['a', 'b'],
    setupMs: 1.25,
  }
  const broken = { ...common, name: 'x', state: 'broken', reason: 'it threw: no' }
  daemon.on('GET /v1/plugins', json({ plugins: [plugin, broken] }))
  t.equal(
    (await daemon.run(['plugins', 'list'])).stdout,
    `NAME   VERSION  FROM      STATE   PROVIDES
proxy  1.0.0    built-in  active  features: vm, containers (podman 4.3.1); commands: a, b
x      1.0.0    built-in  broken  -
  it threw: no
`,
  )
  t.match((await daemon.run(['plugins', 'list', '--timing'])).stdout, /SETUP[\s\S]*1\.3 ms/)
  t.same(JSON.parse((await daemon.run(['plugins', 'list', '--json'])).stdout), { plugins: [plugin, broken] })
})
