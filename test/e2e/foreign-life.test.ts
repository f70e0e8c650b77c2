import { chownSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { foreignProject, startsOf } from '../lib/foreign-projects.ts'
import { McpClient } from '../lib/mcp.ts'
import { ask } from '../lib/raw-http.ts'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'

t.setTimeout(200_000)

const listed = '[projects]\nservices = "../services"'
const web = { needs: ['services:events'], got: `\${projects.services.events.port}` }

t.test('a service that sleeps wakes what it needs of another project, and uses it while it runs', async t => {
  const box = new Sandbox(t)
  const services = foreignProject(box, 'services', { events: { more: 'idle = "1s"\n' } })
  const shop = foreignProject(box, 'shop', { web: { ...web, more: 'idle = "2s"\n' } }, listed)
  await box.ok(['up'], { cwd: shop })
  const port = await box.http()
  const status = async (): Promise<Readonly<Record<string, string>>> =>
    Object.fromEntries((await box.status()).map(view => [view.name, view.status]))
  await until('web to sleep', async () => {
    const now = await status()
    if (now['web'] === 'running' && now['events'] !== 'running') throw new Error('it was in use until then')
    return now['web'] === 'stopped'
  })
  await until('events to sleep', async () => (await status())['events'] === 'stopped')
  const reply = await ask({ host: '127.0.0.1', port }, '/', { headers: { host: 'shop.localhost' } })
  t.equal(reply.body, 'ok')
  t.equal(startsOf(services, 'events'), 2)
  t.equal((await status())['events'], 'running')
})

t.test('a lease stops what it has started in another project, unless another one needs it', async t => {
  const box = new Sandbox(t)
  foreignProject(box, 'services', { db: {}, events: { needs: ['db'] } })
  const shop = foreignProject(box, 'shop', { web }, listed)
  const mall = foreignProject(box, 'mall', { web }, listed)
  const running = async () => (await box.status()).filter(({ status }) => status === 'running').map(({ key }) => key)
  await box.ok(['run', '--with', 'web', '--', 'true'], { cwd: shop })
  await until('all to stop', async () => (await running()).length === 0)
  const command = box.start(['run', '--with', 'web', '--', 'sleep', '200601'], { cwd: shop })
  await until('the command', () => box.processes().some(each => /^sleep 200601$/.test(each.command)))
  await box.ok(['up'], { cwd: mall })
  command.child.kill()
  await until('web to stop', async () => !(await running()).includes('shop:web'))
  t.strictSame((await running()).sort(), ['mall:web', 'services:db', 'services:events'])
  await box.ok(['stop', 'mall'])
  t.strictSame((await running()).sort(), ['services:db', 'services:events'], 'an up keeps them')
})

t.test('worktrees of a project use the same other project, also from beside the main checkout', async t => {
  const box = new Sandbox(t)
  const services = foreignProject(box, 'services', { events: {} })
  const shop = foreignProject(box, 'shop', { db: {}, web: { ...web, needs: [...web.needs, 'shop:db'] } }, listed)
  const git = async (...args: readonly string[]) => {
    const ran = await box.spawn(['git', '-c', 'user.name=x', '-c', 'user.email=x@example.com', ...args], { cwd: shop })
      .done
    if (ran.code !== 0) throw new Error(ran.stderr)
  }
  await git('init', '--quiet')
  await git('add', '.')
  await git('commit', '--quiet', '--message', 'first')
  const trees = ['fix-ui', 'fix-db'].map(name => join(box.home, 'trees', name))
  for (const tree of trees) await git('worktree', 'add', '--quiet', '-b', tree.slice(-6), tree)
  await Promise.all([shop, ...trees].map(cwd => box.ok(['up'], { cwd })))
  const all = (await box.status()).filter(({ status }) => status === 'running').map(({ key }) => key)
  t.strictSame(
    all.sort(),
    [
      'services:events',
      ...['shop-fix-db', 'shop-fix-ui', 'shop'].flatMap(name => [`${name}:db`, `${name}:web`]),
    ].sort(),
  )
  t.equal(startsOf(services, 'events'), 1)
  t.notMatch((await box.ok(['stop'], { cwd: shop })).stderr, /keep/, 'the others need it')
  t.equal(startsOf(services, 'events'), 1)
})

const skip = process.getuid?.() === 0 ? false : 'needs root, to give a file to another user'

t.test('files of another user in the other project are used only once they are allowed', { skip }, async t => {
  const box = new Sandbox(t)
  const services = foreignProject(box, 'services', { events: {} })
  const shop = foreignProject(box, 'shop', { web }, listed)
  chownSync(join(services, 'locald.toml'), 54321, 54321)
  const refused = await box.run(['up'], { cwd: shop })
  t.equal(refused.code, 2)
  t.match(refused.stderr, 'belongs to uid 54321')
  t.match(refused.stderr, `locald config allow ${services}`)
  t.strictSame(await box.status(), [], 'nothing is started or registered')
  await box.ok(['config', 'allow', services])
  await box.ok(['up'], { cwd: shop })
  t.match(await box.service(services, 'events'), { status: 'running' })
})

t.test('an agent learns the cause in the other project', async t => {
  const box = new Sandbox(t, { user: 'self' })
  foreignProject(box, 'services', { events: {} })
  box.write(
    join(box.home, 'services', 'locald.toml'),
    '[project]\nname = "services"\n[services.events]\ncommand = "echo no space left >&2; exit 3"\nrestart = "no"\n',
  )
  const shop = foreignProject(box, 'shop', { web }, listed)
  const client = await McpClient.start(t, box, shop)
  const answer = await client.call('up')
  t.match(JSON.stringify(answer), /services:events[\s\S]*exited with code 3: no space left/)
})

t.test('a service shows that the folder of a project it depends on was deleted', async t => {
  for (const lines of [listed, '']) {
    const box = new Sandbox(t)
    const services = foreignProject(box, 'services', { events: {} })
    await box.up(services)
    const shop = foreignProject(box, 'shop', { web }, lines)
    await box.up(shop)
    t.match(await box.service(shop, 'web'), { status: 'running', reason: null })
    rmSync(services, { recursive: true })
    await until(
      'events to stop',
      async () => (await box.status()).find(({ name }) => name === 'events')?.status === 'stopped',
    )
    t.match(await box.service(shop, 'web'), {
      status: 'running',
      reason: 'dependency services:events is stopped: its folder was deleted',
    })
    await box.ok(['stop'], { cwd: shop })
  }
})
