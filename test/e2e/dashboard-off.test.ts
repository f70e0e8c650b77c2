import { join } from 'node:path'
import t from 'tap'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { Sandbox } from '../lib/sandbox.ts'

t.test('without the dashboard, its plugin being off', async t => {
  const sandbox = new Sandbox(t)
  const { config } = resolvePaths({ env: sandbox.env })
  sandbox.write(join(config, 'config.toml'), '[plugins.dashboard]\nenabled = false\n')
  const folder = sandbox.project('shop', {
    'locald.toml': '[project]\nname = "shop"\n[services.web]\ncommand = "node web.mjs"\n',
    'web.mjs': `import { createServer } from 'node:http'
createServer((_, answer) => answer.end('ok')).listen(process.env.PORT, '127.0.0.1')`,
  })
  await sandbox.up(folder)

  for (const host of ['localhost', 'locald.localhost'])
    await t.test(`${host} has the plain list of services`, async t => {
      const { status, body, headers } = await sandbox.get(host, '/', { accept: 'text/html' })
      t.match({ status, type: headers['content-type'] }, { status: 200, type: /^text\/html/ })
      t.match(body, /shop:web/)
      t.notMatch(body, /locald dashboard/, 'no command that would fail')
      t.equal((await sandbox.get(host, '/logs')).status, 404)
      t.equal((await sandbox.get(host, '/v1/ping')).status, 404)
    })

  await t.test('commands say that it is off, and up does not name it', async t => {
    const ran = await sandbox.run(['dashboard'])
    t.not(ran.code, 0)
    t.match(ran.stderr, /Hint: /)
    t.notMatch((await sandbox.ok(['up'], { cwd: folder })).stderr, /Dashboard/)
  })
})
