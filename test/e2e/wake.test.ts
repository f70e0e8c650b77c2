import { join } from 'node:path'
import t from 'tap'
import { IdleProject } from '../lib/idle-project.ts'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'

t.test('a request starts what was idle', async t => {
  const box = new Sandbox(t)
  const project = new IdleProject(box, { db: [], web: ['db'] })
  const { folder } = project
  await box.up(folder)
  await project.findPort()
  await project.stopped('web', 'db')

  await t.test('once for many requests, with its dependencies, and each body arrives once', async t => {
    const before = project.starts('web')
    const gets = Array.from({ length: 60 }, (_, at) => project.ask('web', `/${at}`))
    const posts = Array.from({ length: 40 }, (_, at) =>
      project.ask('web', '/post', { method: 'POST', body: 'x'.repeat(100_000 + at) }),
    )
    t.ok((await Promise.all(gets)).every(({ status }) => status === 200))
    const sizes = (await Promise.all(posts)).map(({ body }) => body)
    t.strictSame(
      sizes,
      posts.map((_, at) => `${100_000 + at} bytes`),
    )
    t.equal(project.starts('web'), before + 1)
    t.equal(project.requests('web').filter(line => line.startsWith('POST')).length, posts.length)
    t.notOk(await project.isStopped('db'))
    await project.stopped('web', 'db')
  })

  await t.test('behind the starting page for a browser, also under the next daemon', async t => {
    const before = project.starts('web')
    await box.ok(['server', 'restart'])
    t.ok(await project.isStopped('web', 'db'))
    await project.findPort()
    const headers = { accept: 'text/html', 'sec-fetch-mode': 'navigate' }
    const first = await project.ask('web', '/page', { headers })
    t.ok(first.status === 200 || /is (waiting|starting)/.test(first.body), first.body.slice(0, 300))
    await until('the page', async () => (await project.ask('web', '/page', { headers })).status === 200)
    t.equal(project.starts('web'), before + 1)
    await project.stopped('web', 'db')
  })

  await t.test('not what someone has stopped', async t => {
    await box.ok(['stop', 'db'], { cwd: folder })
    t.equal((await project.ask('web', '/')).status, 200)
    t.ok(await project.isStopped('db'))
    await box.ok(['stop', 'web'], { cwd: folder })
    t.equal((await project.ask('web', '/')).status, 503)
    t.ok(await project.isStopped('web'))
  })

  await t.test('and shows why it cannot start, without trying again', async t => {
    await box.up(folder)
    await project.stopped('web', 'db')
    box.write(join(folder, 'at', 'web', 'server.mjs'), 'import "node:fs"; process.exit(3)')
    for (const _ of [1, 2]) {
      const { status, body } = await project.ask('web', '/')
      t.equal(status, 503)
      t.match(body, /exited with code 3/)
    }
    t.equal((await box.service(folder, 'web')).status, 'failed')
  })
})
