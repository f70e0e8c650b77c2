import { join } from 'node:path'
import t from 'tap'
import { FakeDaemon, json } from '../fake-daemon.ts'

t.test('prints the merged configuration, with provenance on request', async t => {
  const daemon = await FakeDaemon.start(t)
  const values = [
    { key: 'project.name', value: 'shop', file: null, line: null },
    {
      key: 'services.web.env',
      value: { A: 'x "y"', 'B C': [1, true] },
      file: join(daemon.home, 'locald.toml'),
      line: 4,
    },
  ]
  daemon.on('POST /v1/config', json({ project: 'shop', path: daemon.home, values }))
  t.match(await daemon.run(['config', 'check']), { code: 0, stdout: 'locald.toml is valid\n' })
  t.equal(
    (await daemon.run(['config', 'show'])).stdout,
    'project.name = "shop"\nservices.web.env = { A = "x \\"y\\"", "B C" = [1, true] }\n',
  )
  t.match((await daemon.run(['config', 'show', '--provenance'])).stdout, /"shop" {2}# default\n.* {2}# locald.toml:4\n/)
  t.match(JSON.parse((await daemon.run(['config', 'show', '--json'])).stdout), { project: 'shop', values })
})

t.test('names the files that describe a project without a locald.toml', async t => {
  const daemon = await FakeDaemon.start(t)
  const typeOf = (service: string, file: string) => {
    return { key: `services.${service}.type`, value: 'exec', file: join(daemon.home, file), line: null }
  }
  const values = [typeOf('web', 'package.json'), typeOf('db', 'compose.yaml'), typeOf('mail', 'compose.yaml')]
  daemon.on('POST /v1/config', json({ project: 'shop', path: daemon.home, values }))
  const { stdout } = await daemon.run(['config', 'check'])
  t.equal(stdout, 'No locald.toml: the project of package.json and compose.yaml is valid\n')
})

t.test('ai schema prints the JSON schema', async t => {
  const daemon = await FakeDaemon.start(t)
  daemon.on('GET /v1/schema', json({ type: 'object' }))
  t.same(JSON.parse((await daemon.run(['ai', 'schema'])).stdout), { type: 'object' })
})
