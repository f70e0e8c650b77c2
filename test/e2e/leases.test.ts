import t from 'tap'
import type { StatusView } from '../../kernel/protocol.ts'
import { type Running, until } from '../lib/running.ts'
import { type Files, Sandbox } from '../lib/sandbox.ts'

/** A project of workers: each waits for those it depends on. */
function workers(name: string, services: Readonly<Record<string, readonly string[]>>): Files {
  const tables = Object.entries(services).map(
    ([service, needs]) =>
      `[services.${service}]\ntype = "worker"\ncommand = "exec sleep 200300"\ndepends_on = ${JSON.stringify(needs)}\n`,
  )
  return { 'locald.toml': `[project]\nname = "${name}"\n${tables.join('')}` }
}

/** What is stopped within 5 s of its owner's exit, as `kill -9` lets it. */
const limitMs = 5000

t.test('leases', async t => {
  const box = new Sandbox(t)
  const owner = () => box.spawn(['sleep', '200400'])
  const up = (folder: string, lease: Running | string | undefined, ...services: readonly string[]) => {
    const value = typeof lease === 'object' ? `${lease.child.pid}` : lease
    return box.ok(['up', ...services, ...(value === undefined ? [] : ['--lease', value])], { cwd: folder })
  }
  const running = async (folder: string) =>
    (await box.status(folder)).flatMap(({ name, status }) => (status === 'running' ? [name] : []))
  const runs = async (folder: string, names: readonly string[]) => {
    const wanted = names.join()
    await until(`only ${wanted} to run`, async () => (await running(folder)).join() === wanted, limitMs)
  }
  const kill = async ({ child, done }: Running) => {
    child.kill('SIGKILL')
    await done
  }
  const startersIn = async (folder: string) =>
    new Map((await box.status(folder)).map((view: StatusView) => [view.name, view.startedBy]))

  await t.test('stop what an exited owner has started, and leave alone what someone else started', async t => {
    const folder = box.project('shop', workers('shop', { db: [], api: ['db'], web: ['db'] }))
    const agent = owner()
    await up(folder, undefined, 'api')
    await up(folder, agent, 'web')
    t.strictSame(
      [...(await startersIn(folder))],
      [
        ['db', 'you'],
        ['api', 'you'],
        ['web', `lease of sleep (pid ${agent.child.pid})`],
      ],
    )
    t.match((await box.ok(['status'], { cwd: folder })).stdout, /lease of sleep \(pid \d+\)/)
    await kill(agent)
    await runs(folder, ['db', 'api'])
    t.match(
      (await box.ok(['why', 'web'], { cwd: folder })).stdout,
      /web is stopped: lease of sleep \(pid \d+\) is over/,
    )
  })

  await t.test('share services: the last owner counts, and a dependency runs as long as one needs it', async t => {
    const folder = box.project('two', workers('two', { db: [], api: ['db'], web: ['db'] }))
    const [first, second] = [owner(), owner()]
    await up(folder, first, 'web')
    await up(folder, second, 'api')
    await up(folder, second, 'web')
    await kill(first)
    const isSecond = ([, by]: readonly [string, unknown]) => by === `lease of sleep (pid ${second.child.pid})`
    await until('the first owner to be removed', async () => [...(await startersIn(folder))].every(isSecond), limitMs)
    t.strictSame(await running(folder), ['db', 'api', 'web'])
    await box.ok(['stop', 'web'], { cwd: folder })
    t.strictSame(await running(folder), ['db', 'api'])
    await kill(second)
    await runs(folder, [])
  })

  await t.test('a plain up keeps their services running', async t => {
    const folder = box.project('mine', workers('mine', { web: [] }))
    await up(folder, '1s')
    t.match((await startersIn(folder)).get('web'), /^lease for \ds more$/)
    await up(folder, undefined)
    t.equal((await startersIn(folder)).get('web'), 'you')
    await new Promise(wake => setTimeout(wake, 1200))
    t.strictSame(await running(folder), ['web'])
  })

  await t.test('last for a time, which another up extends', async t => {
    const folder = box.project('timed', workers('timed', { web: [] }))
    await up(folder, '1s')
    await up(folder, '1h')
    await new Promise(wake => setTimeout(wake, 1200))
    t.strictSame(await running(folder), ['web'])
    await box.ok(['stop'], { cwd: folder })
    await up(folder, '1s')
    await runs(folder, [])
  })

  await t.test('outlive the daemon, and stop what an owner has started that exited while none ran', async t => {
    const folder = box.project('later', workers('later', { db: [], web: ['db'] }))
    const [stays, dies] = [owner(), owner()]
    await up(folder, dies, 'web')
    await up(folder, stays, 'db')
    await box.ok(['server', 'restart'])
    t.strictSame(await running(folder), ['db', 'web'])
    const { pid } = await box.server()
    process.kill(pid, 'SIGKILL')
    await kill(dies)
    await box.ok(['server', 'start'])
    await runs(folder, ['db'])
    t.equal((await startersIn(folder)).get('db'), `lease of sleep (pid ${stays.child.pid})`)
    await kill(stays)
    await runs(folder, [])
  })

  await t.test('bad ones change nothing', async t => {
    const folder = box.project('bad', workers('bad', { web: [] }))
    for (const value of ['0', '-1', '1.5', 'soon', '10x', '99d', '9999999']) {
      const { code, stderr } = await box.run(['up', '--lease', value], { cwd: folder })
      t.equal(code, 2, value)
      t.match(stderr, /\[USAGE\]/)
    }
    const { stderr } = await box.run(['up', '--lease', '9999999'], { cwd: folder })
    t.match(stderr, "Hint: Use '9999999s' for seconds, or the pid of a process that runs.")
    t.strictSame(await running(folder), [])
  })
})
