import t from 'tap'
import { makeFolder, removeFolder } from '../../lib/keeper.ts'
import { hostTable } from '../../lib/machine.ts'
import { listen } from '../../lib/ports.ts'
import { until } from '../../lib/running.ts'
import { TestProject } from '../../lib/test-service.ts'

const table = hostTable()

t.test('ports', async t => {
  t.test('moves to another port when its port is in use after a crash', async t => {
    const project = new TestProject(t, { table })
    const web = await project.service('web', { restart: 'on-failure' })
    web.start()
    const first = await web.until('running', 'healthy')
    process.kill(first.pid ?? 0, 'SIGKILL')
    await web.until('restarting')
    await listen(t, first.port ?? 0)
    const then = await web.until('running', 'healthy')
    t.not(then.port, first.port)
    t.equal((await fetch(`http://127.0.0.1:${then.port}`)).status, 200)
  })

  t.test('fails with the process that uses a fixed port', async t => {
    const project = new TestProject(t, { table })
    const { port = 0 } = (await project.service('other')).plan
    await listen(t, port)
    const web = await project.service('web', { port, restart: 'on-failure' })
    web.start()
    t.match(
      (await web.until('failed')).reason,
      new RegExp(`^port ${port} of shop:web is in use by .*pid ${process.pid}`),
    )
    t.equal(web.service.supervisor.active, false)
  })

  t.test('two daemons that chose the same port both start', async t => {
    const data = makeFolder()
    const [one, two] = [new TestProject(t, { table, data }), new TestProject(t, { table, data })]
    const first = await one.service('web', { restart: 'on-failure' })
    const second = await two.service('web', { restart: 'on-failure' })
    t.equal(first.plan.port, second.plan.port)
    first.start()
    second.start()
    const ports = new Set<number | null>()
    await until('both run', () => {
      ports.clear()
      for (const { state } of [first, second]) if (state.now.health === 'healthy') ports.add(state.now.port)
      return ports.size === 2
    })
    t.equal(ports.size, 2)
    await Promise.all([first.stop(), second.stop()])
    removeFolder(data)
  })

  t.test('releases its port after a stop', async t => {
    const project = new TestProject(t, { table })
    const web = await project.service('web')
    web.start()
    await web.until('running', 'healthy')
    const { port = 0 } = web.plan
    t.throws(() => project.ports.hold(port, 'x:y'), { code: 'PORT_TAKEN' })
    await web.stop()
    project.ports.hold(port, 'x:y')
  })
})
