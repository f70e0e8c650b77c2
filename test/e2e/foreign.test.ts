import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { GraphAnswer, WhyAnswer } from '../../kernel/protocol.ts'
import { foreignProject, foreignToml, startsOf } from '../lib/foreign-projects.ts'
import { processList } from '../lib/process-list.ts'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'
import { askDaemon } from '../lib/web.ts'

t.setTimeout(300_000)

const isNightly = process.env['LOCALD_NIGHTLY'] === '1'

/** States at which the daemon is killed during an `up`. */
const points = ['services:db starting', 'services:events starting', 'shop:web waiting', 'shop:web starting']

/** `shop`, whose web needs events of `services`, which needs its db. */
function twoProjects(box: Sandbox) {
  const services = foreignProject(box, 'services', { db: {}, events: { needs: ['db'] }, other: {} })
  const web = { needs: ['services:events'], got: `\${projects.services.events.url}` }
  const shop = foreignProject(box, 'shop', { web }, '[projects]\nservices = "../services"')
  return { services, shop }
}

async function kill(box: Sandbox): Promise<void> {
  const { pid } = await box.server()
  process.kill(pid, 'SIGKILL')
  await until('the daemon to exit', () => !processList.isAlive(pid))
}

t.test('an up starts what it needs of another project', async t => {
  const box = new Sandbox(t)
  const { services, shop } = twoProjects(box)
  const checked = await box.ok(['config', 'check'], { cwd: shop })
  t.match(checked.stdout, 'is valid')
  t.strictSame(await box.status(), [], 'a check registers nothing')
  const up = await box.ok(['up'], { cwd: shop })
  t.match(up.stdout, /services:db +ready[\s\S]*services:events +ready[\s\S]*shop:web +ready/)
  t.match(up.stderr, /shop:web +waiting +for services:events/)
  t.match(up.stderr, /services:events +waiting +for db/)
  const all = await box.status()
  t.strictSame(all.map(({ key, status }) => `${key} ${status}`).sort(), [
    'services:db running',
    'services:events running',
    'services:other stopped',
    'shop:web running',
  ])
  const { port } = await box.service(services, 'events')
  const logs = await box.logs(shop, ['web'])
  t.match(logs[0]?.text, `web got http://127.0.0.1:${port} in ${shop}`)
  t.match((await box.logs(services, ['events']))[0]?.text, `in ${services}`)
  const env = JSON.parse((await box.ok(['env', 'web', '--json'], { cwd: shop })).stdout)
  t.match(
    env.variables.find(({ name }: { name: string }) => name === 'GOT'),
    { value: `http://127.0.0.1:${port}`, from: { text: /^locald\.toml:\d+$/ } },
  )
  const { socket } = await box.server()
  const graph: GraphAnswer = JSON.parse(
    (await askDaemon(socket, `/v1/projects/graph?${new URLSearchParams({ path: shop })}`)).body,
  )
  t.strictSame(
    graph.services.map(({ dependsOn }) => dependsOn),
    [['services:events']],
  )

  await t.test('another up leaves it alone, and a stop leaves it running', async t => {
    await box.ok(['up'], { cwd: shop })
    t.match(
      (await box.ok(['stop'], { cwd: shop })).stderr,
      'services:events keeps running; run `locald stop services:events`',
    )
    t.match(await box.service(services, 'events'), { status: 'running' })
    await box.ok(['up'], { cwd: shop })
    t.equal(startsOf(services, 'events'), 1)
    t.equal(startsOf(shop, 'web'), 2)
  })

  await t.test('a stop of it names what still needs it; a restart of that does not start it', async t => {
    t.match((await box.ok(['stop', 'services'], { cwd: shop })).stderr, 'shop:web still needs services:events')
    t.match(await box.service(shop, 'web'), { status: 'running', reason: 'dependency services:events is stopped' })
    await box.ok(['restart', 'web'], { cwd: shop })
    t.match(await box.service(services, 'events'), { status: 'stopped' })
    await box.ok(['up'], { cwd: shop })
    t.match(await box.service(shop, 'web'), { status: 'running', reason: null })
    t.equal(startsOf(services, 'events'), 2)
  })

  await t.test('a change or an error in its file does not stop what needs it', async t => {
    const pid = (await box.service(shop, 'web')).pid
    const file = join(services, 'locald.toml')
    writeFileSync(file, foreignToml('services', { db: {}, event: { needs: ['db'] } }))
    await until('the reload', async () => (await box.status(services)).some(({ name }) => name === 'event'))
    t.match(await box.service(shop, 'web'), { status: 'running', pid })
    const refused = await box.run(['up'], { cwd: shop })
    t.equal(refused.code, 2)
    t.match(refused.stderr, /locald\.toml:8: .*unknown service 'events' in project 'services' .*did you mean 'event'\?/)
    writeFileSync(file, foreignToml('services', { db: {}, events: { needs: ['db'] } }))
    await box.ok(['up'], { cwd: services })
    writeFileSync(file, 'broken')
    await until('its note', async () => /configuration/.test((await box.service(services, 'events')).reason ?? ''))
    t.equal((await box.run(['up'], { cwd: shop })).code, 0, 'it runs')
    t.match(await box.service(shop, 'web'), { status: 'running' })
  })
})

t.test('its failure is the cause of what needs it', async t => {
  const box = new Sandbox(t)
  const { services, shop } = twoProjects(box)
  box.write(
    join(services, 'locald.toml'),
    '[project]\nname = "services"\n[services.events]\ncommand = "echo no space left >&2; exit 3"\nrestart = "no"\n',
  )
  const up = await box.run(['up'], { cwd: shop })
  t.equal(up.code, 1)
  t.match(up.stderr, 'shop:web failed: services:events failed: exited with code 3: no space left')
  t.match(up.stderr, /services:events failed[\s\S]*no space left/)
  const why: WhyAnswer = JSON.parse((await box.ok(['why', 'web', '--json'], { cwd: shop })).stdout)
  t.match(why.tree?.causes, [{ key: 'services:events', name: 'services:events', lines: ['no space left'] }])
  t.match(why, { folder: services })
})

t.test('what is wrong with its names is reported with file and line, and nothing is started', async t => {
  const box = new Sandbox(t)
  const services = foreignProject(box, 'services', { events: { needs: ['shop:web'] } }, '[projects]\nshop = "../shop"')
  const shopOf = (needs: string, more = '') => foreignProject(box, 'shop', { web: { needs: [needs] } }, more)
  const refused = async (needs: string, more?: string) => {
    const shop = shopOf(needs, more)
    const checked = await box.run(['config', 'check'], { cwd: shop })
    const up = await box.run(['up'], { cwd: shop })
    t.equal(up.code, 2)
    t.equal(checked.stderr, up.stderr, 'as config check reports it')
    return up.stderr
  }
  const unknown = await refused('services:events')
  t.match(unknown, 'locald.toml:6: services.web.depends_on."services:events": unknown project \'services\'')
  t.match(unknown, 'Write [projects] with services = "../services"')
  t.match(unknown, 'run `locald up` in it')
  t.match(
    await refused('services:events', '[projects]\nservices = "../none"'),
    /locald\.toml:4: projects\.services: the folder .*\/none does not exist/,
  )
  const alias = '[projects]\nservices = "../services"'
  t.match(
    await refused('services:evens', alias),
    /locald\.toml:7: .*unknown service 'evens' in project 'services' .*did you mean 'events'\?/,
  )
  const cycle = await refused('services:events', alias)
  t.match(
    cycle,
    /dependency cycle: shop:web \(locald\.toml:7\) → services:events \(.*services\/locald\.toml:7\) → shop:web/,
  )
  t.match(await refused('me:web', '[projects]\nme = "."'), "'me' is this project: write 'web'")
  mkdirSync(join(box.home, 'shop', 'sub'), { recursive: true })
  t.match(await refused('sub:web', '[projects]\nsub = "sub"'), /has no project of its own: it belongs to the one in/)
  box.write(join(services, 'locald.toml'), 'broken')
  t.match(await refused('services:events', alias), /'services:events' in .*\/services: locald\.toml:1: not valid TOML/)
  t.strictSame(
    (await box.status()).filter(({ status }) => status !== 'stopped'),
    [],
  )
})

t.test('projects may need each other, as long as services do not', async t => {
  const box = new Sandbox(t)
  foreignProject(box, 'services', { events: { needs: ['shop:db'] } }, '[projects]\nshop = "../shop"')
  const web = { needs: ['services:events', 'shop:db'] }
  const shop = foreignProject(box, 'shop', { web, db: {} }, '[projects]\nservices = "../services"')
  await box.ok(['up', 'web'], { cwd: shop })
  const order = (await box.status()).toSorted((a, b) => String(a.startedAt).localeCompare(String(b.startedAt)))
  t.strictSame(
    order.map(({ key }) => key),
    ['shop:db', 'services:events', 'shop:web'],
  )
})

t.test('two projects that need a third at once start it once; a daemon that is killed loses nothing', async t => {
  const box = new Sandbox(t)
  const services = foreignProject(box, 'services', { db: {}, events: { needs: ['db'] } })
  const web = { needs: ['services:events'], got: `\${projects.services.events.port}` }
  const listed = '[projects]\nservices = "../services"'
  const shops = ['shop', 'mall', 'kiosk'].map(name => foreignProject(box, name, { web }, listed))
  await box.ok(['server', 'start'])
  await Promise.all(shops.map(cwd => box.ok(['up'], { cwd })))
  t.equal(startsOf(services, 'events'), 1)
  const before = await box.status()
  await kill(box)
  await Promise.all(shops.map(cwd => box.ok(['up'], { cwd })))
  // The URLs of the others are those of the next daemon's port.
  const pids = (views: typeof before) =>
    views.flatMap(({ key, project, pid }) => (project === 'services' ? [`${key} ${pid}`] : [])).sort()
  t.strictSame(pids(await box.status()), pids(before), 'adopted')
  await box.ok(['stop', '--all'])

  for (const point of isNightly ? points : points.slice(0, 1)) {
    const [shop = ''] = shops
    const up = box.start(['up', '--json'], { cwd: shop })
    const [key = '', status = ''] = point.split(' ')
    await until(point, () => up.stdout.includes(`"key":"${key}"`) && up.stdout.includes(`"status":"${status}"`))
    await kill(box)
    await up.done
    await box.ok(['up'], { cwd: shop })
    const after = await box.status()
    const running = after.filter(view => view.status === 'running').map(view => view.key)
    t.strictSame(running.sort(), ['services:db', 'services:events', 'shop:web'], point)
    const servers = box.processes().filter(({ command }) => /^node server\.mjs$/.test(command))
    t.equal(servers.length, 3, `${point}: nothing runs twice`)
    await box.ok(['stop', '--all'])
  }
})

t.test("a service's own command refers to services of other projects", async t => {
  const box = new Sandbox(t)
  const services = foreignProject(box, 'services', { events: {} })
  const references = `\${projects.services.events.port} \${projects.nowhere.web.port} \${projects.shop.web.port}`
  const command = (name: string, text: string) => `[services.web.commands.${name}]\nrun = "echo ${text}"\n`
  const [events = '', unknown = '', own = ''] = references.split(' ')
  const more = `${command('events', events)}${command('unknown', unknown)}${command('own', own)}`
  const shop = foreignProject(box, 'shop', { web: { more } }, '[projects]\nservices = "../services"')
  t.match(await box.ok(['config', 'check'], { cwd: shop }), { stdout: /is valid/ })
  await box.up(services)
  await box.up(shop)
  const run = (name: string) => box.run(['run', 'web', name], { cwd: shop })
  t.match(await run('events'), {
    ...{ code: 0, stdout: `${(await box.service(services, 'events')).port}\n`, stderr: '' },
  })
  t.equal((await run('own')).stdout, `${(await box.service(shop, 'web')).port}\n`, 'its own project is itself')
  t.match(await run('unknown'), {
    code: 2,
    stderr: /\$\{projects\.nowhere\.web\.port\} has no value \[ENV_UNRESOLVED\]/,
  })
})
