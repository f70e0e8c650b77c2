import t from 'tap'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { ask } from '../lib/raw-http.ts'
import { Sandbox } from '../lib/sandbox.ts'

const files = {
  'locald.toml': `[project]
name = "shop"
[services.web]
type = "worker"
command = "node web.mjs"
health_check = { type = "log", pattern = "COLOUR" }
`,
  'web.mjs': "console.log('COLOUR ' + process.env.COLOUR); setInterval(() => {}, 1000)",
}

t.test('a start without an environment takes that of the last up', async t => {
  const sandbox = new Sandbox(t)
  const { socket } = resolvePaths({ env: sandbox.env })
  const path = sandbox.project('shop', files)
  const post = async (route: string) => {
    const { status, body } = await ask({ path: socket }, route, { method: 'POST', body: JSON.stringify({ path }) })
    return { status, last: JSON.parse(body.trim().split('\n').at(-1) ?? '') }
  }
  const colours = async () =>
    (await sandbox.logs(path)).map(({ text }) => text).filter(text => text.startsWith('COLOUR'))
  await sandbox.ok(['server', 'start'])

  await t.test('refuses with the command to run where none is known', async t => {
    for (const route of ['/v1/projects/up', '/v1/projects/restart']) {
      const { status, last } = await post(route)
      t.equal(status, 409, route)
      t.match(last, { error: { code: 'ENVIRONMENT_UNKNOWN', hint: `Run \`locald up\` in ${path}.` } })
    }
    t.ok(
      (await sandbox.status()).every(({ status }) => status === 'stopped'),
      'nothing was started',
    )
  })

  await t.test('starts and restarts with it', async t => {
    await sandbox.up(path, [], { env: { COLOUR: 'green' } })
    t.match(await post('/v1/projects/restart'), { status: 200, last: { event: 'done', ok: true } })
    await sandbox.ok(['stop'], { cwd: path, env: { COLOUR: 'red' } })
    t.match(await post('/v1/projects/up'), { status: 200, last: { event: 'done', ok: true } })
    t.strictSame(await colours(), ['COLOUR green', 'COLOUR green', 'COLOUR green'])
  })

  await t.test('keeps it for the next daemon', async t => {
    await sandbox.ok(['server', 'restart'], { env: { COLOUR: 'blue' } })
    t.match(await post('/v1/projects/restart'), { status: 200, last: { event: 'done', ok: true } })
    t.equal((await colours()).at(-1), 'COLOUR green')
  })
})
