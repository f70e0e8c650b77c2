import t from 'tap'
import type { Instance, ServiceType } from '../../../kernel/contract/plugin.ts'
import { withResolvers } from '../../../kernel/system/async.ts'
import { Tools } from '../../../plugins/platform-darwin/commands.ts'
import { DarwinProcessTable } from '../../../plugins/platform-darwin/process-table.ts'
import { isAlive, ownFolder } from '../../lib/keeper.ts'
import { buildTestProgram } from '../../lib/keeper-programs.ts'
import { hostTable } from '../../lib/machine.ts'
import { TestProject, within } from '../../lib/test-service.ts'

const testProgram = buildTestProgram(ownFolder(t))

const darwin = new DarwinProcessTable(new Tools(process.env['PATH']))

const table = hostTable()

for (const [name, platform] of [
  ['linux', table],
  ['darwin', darwin],
] as const) {
  t.test(`the essentials, as ${name}`, async t => {
    const project = new TestProject(t, { table: platform })
    const web = await project.service('web', { restart: 'on-failure' })
    web.start()
    const view = await web.until('running', 'healthy')
    t.match(view, { pid: Number, port: Number, startedAt: String, reason: null, restarts: 0 })
    t.strictSame(project.transitions('web'), ['waiting null', 'starting starting', 'running healthy'])
    t.strictSame(project.hooksRun, ['starting web', 'ready web'])
    process.kill(view.pid ?? 0, 'SIGKILL')
    t.equal(await web.untilReason(/terminated/), 'terminated by SIGKILL; restarting in 0.1 s (attempt 1 of 5)')
    const again = await web.until('running', 'healthy')
    t.not(again.pid, view.pid)
    t.equal(again.restarts, 1)
    project.hooks.stopping.tap('test', () => void project.hooksRun.push(isAlive(again.pid ?? 0) ? 'alive' : 'dead'))
    await web.stop()
    t.match(web.state.view(), { status: 'stopped', health: null, pid: null })
    t.notOk(isAlive(again.pid ?? 0))
    t.strictSame(project.transitions('web').slice(-2), ['stopping null', 'stopped null'])
    t.strictSame(project.hooksRun.slice(-3), ['stopping web', 'alive', 'gone web'])
  })
}

t.test('stop', async t => {
  t.test('stops a service that waits', async t => {
    const project = new TestProject(t, { table })
    const db = await project.service('db', { command: 'exec sleep 1000', readyTimeout: 60_000 })
    const web = await project.service('web', {}, [db.dependency()])
    db.start()
    web.start()
    await web.untilReason(/waiting for db/)
    await db.untilReason(/refused/)
    await web.stop()
    t.match(web.state.view(), { status: 'stopped', reason: null })
    t.strictSame(project.hooksRun, ['starting db'])
  })

  t.test('stops a service that prepares, also when that hangs', async t => {
    const project = new TestProject(t, { table })
    for (const isDeaf of [false, true]) {
      const entered = withResolvers<void>()
      const driver: ServiceType<unknown> = {
        ...project.driver,
        prepare: run =>
          new Promise((_, reject) => {
            entered.resolve()
            if (!isDeaf) run.signal.addEventListener('abort', () => reject(new Error('aborted')))
          }),
      }
      const web = await project.service(`web-${isDeaf}`, { driver, stopTimeout: 100 })
      web.start()
      await entered.promise
      await web.stop()
      t.equal(web.state.now.status, 'stopped')
      t.equal(project.hooksRun.at(-1), `gone web-${isDeaf}`)
    }
  })

  t.test('stops a service that starts, and a late instance too', async t => {
    const project = new TestProject(t, { table })
    const entered = withResolvers<void>()
    const go = withResolvers<void>()
    const late = withResolvers<Instance>()
    const driver: ServiceType<unknown> = {
      ...project.driver,
      start: async run => {
        entered.resolve()
        await go.promise
        const instance = await project.driver.start(run)
        late.resolve(instance)
        return instance
      },
    }
    const web = await project.service('web', { command: 'exec sleep 1000', driver, stopTimeout: 100 })
    web.start()
    await entered.promise
    await web.stop()
    t.equal(web.state.now.status, 'stopped')
    go.resolve()
    t.match(await within((await late.promise).exited, 'its end'), { signal: 'SIGTERM' })
  })

  t.test('stops a service before it is ready, and during the delay before a restart', async t => {
    const project = new TestProject(t, { table })
    const slow = await project.service('slow', { command: 'exec sleep 1000' })
    slow.start()
    await slow.untilReason(/refused/)
    const { pid } = slow.state.now
    await slow.stop()
    t.notOk(isAlive(pid ?? 0))
    const crashing = await project.service('crashing', { command: 'exit 1', worker: true, restart: 'always' })
    crashing.start()
    await crashing.until('restarting')
    await crashing.stop()
    t.equal(crashing.state.now.status, 'stopped')
    t.equal(crashing.service.supervisor.active, false)
  })

  t.test('kills a service that ignores the stop; concurrent stops are one', async t => {
    const project = new TestProject(t, { table })
    const web = await project.service('web', {
      command: `exec ${testProgram} stubborn 2`,
      worker: true,
      stopTimeout: 150,
    })
    web.start()
    await web.until('running')
    const { pid } = web.state.now
    await Promise.all([web.stop(), web.stop(), web.stop()])
    t.equal(web.state.now.status, 'stopped')
    t.notOk(isAlive(pid ?? 0))
  })

  t.test('marks an exited service, or one that never ran, as stopped', async t => {
    const project = new TestProject(t, { table })
    const failed = await project.service('failed', { command: 'exit 1', worker: true })
    failed.start()
    await failed.until('failed')
    await failed.stop()
    t.match(failed.state.view(), { status: 'stopped', reason: null })
    const never = await project.service('never')
    await never.stop()
    t.equal(never.state.now.status, 'stopped')
  })

  t.test('shows a stop for a restart as restarting', async t => {
    const project = new TestProject(t, { table })
    const web = await project.service('web')
    web.start()
    await web.until('running', 'healthy')
    await within(web.service.supervisor.stop('restarting', 'web.js changed'), 'stops')
    t.match(web.state.view(), { status: 'restarting', reason: 'web.js changed' })
    web.start()
    await web.until('running', 'healthy')
  })

  t.test('warns when the driver cannot stop a service', async t => {
    const project = new TestProject(t, { table })
    const driver: ServiceType<unknown> = {
      ...project.driver,
      start: async run => {
        const instance = await project.driver.start(run)
        t.teardown(() => instance.stop({ signal: 'SIGKILL', graceMs: 0 }))
        const { pid, startedMs, exited, state } = instance
        return { pid, startedMs, exited, state, stop: () => Promise.reject(new Error('the engine does not respond')) }
      },
    }
    const web = await project.service('web', { command: 'exec sleep 1000', worker: true, driver })
    web.start()
    await web.until('running')
    await web.stop()
    t.strictSame(project.warnings, ['web could not be stopped: the engine does not respond'])
  })
})
