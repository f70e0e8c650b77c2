import t, { type Test } from 'tap'
import { isAlive, makeFolder, removeFolder } from '../../lib/keeper.ts'
import { hostTable } from '../../lib/machine.ts'
import { TestProject } from '../../lib/test-service.ts'

const table = hostTable()

t.test('adoption by the next daemon', async t => {
  /** The first daemon's service runs; the second one's is as that of a daemon started after a kill -9 of the first. */
  async function handOver(t: Test, wanted: Parameters<TestProject['service']>[1] = {}) {
    const data = makeFolder()
    // Run last: a keeper recreates the folder of its log while its service runs.
    t.teardown(() => removeFolder(data))
    const before = new TestProject(t, { table, data })
    const old = await before.service('web', wanted)
    old.start()
    await old.until('running')
    before.records.flush()
    const after = new TestProject(t, { table, data })
    const [record] = after.records.services()
    if (record === undefined) throw new Error('no record')
    const web = await after.service('web', wanted)
    web.state.set({ port: record.port })
    const { env, fingerprint, dir } = record
    web.service.restore({ ...web.plan, env, fingerprint, dir }, record.address)
    const adopt = async () => after.processes.adopt(record.state, web.service.log)
    return { old, after, web, record, adopt }
  }

  t.test('adopts a running process as ready, and restarts it when it exits', async t => {
    const { old, after, web, record, adopt } = await handOver(t, { env: { NAME: 'it' }, restart: 'on-failure' })
    const instance = await adopt()
    if (instance === undefined) throw new Error('not found')
    t.match(record, { ready: true, env: { NAME: 'it' }, address: '127.0.0.1' })
    t.equal(web.service.address, '127.0.0.1')
    web.start({ instance, ready: record.ready })
    t.match(await web.until('running', 'healthy'), { pid: old.state.now.pid, port: old.state.now.port })
    t.notOk(after.transitions('web').includes('starting starting'))
    t.throws(() => after.ports.hold(web.plan.port ?? 0, 'x:y'), { code: 'PORT_TAKEN' }, 'its port is held')
    process.kill(instance.pid ?? 0, 'SIGKILL')
    await web.until('restarting')
    await web.until('running', 'healthy')
  })

  t.test('keeps waiting for a service that was not ready', async t => {
    const { after, web, adopt } = await handOver(t, {
      command: `test -e go || { touch go; sleep 0.3; }; exec '${process.execPath}' server.cjs`,
    })
    const instance = await adopt()
    if (instance === undefined) throw new Error('not found')
    web.start({ instance, ready: false })
    t.equal(web.state.now.status, 'starting')
    t.equal(web.state.now.health, 'starting')
    await web.until('running', 'healthy')
    t.ok(after.hooksRun.includes('ready web'))
  })

  t.test('stops a service whose stop was not delivered yet', async t => {
    const { old, web, record, adopt } = await handOver(t)
    const instance = await adopt()
    if (instance === undefined) throw new Error('not found')
    web.start({ instance, ready: record.ready })
    await web.stop()
    t.equal(web.state.now.status, 'stopped')
    t.notOk(isAlive(old.state.now.pid ?? 0), 'it has exited when its stop has completed')
  })

  t.test('does not track a child that outlives the main process for a moment', async t => {
    const { after, web, record, adopt } = await handOver(t, {
      command: `'${process.execPath}' server.cjs & (trap '' TERM; exec sleep 100) & trap 'exit 0' TERM; wait`,
      stopTimeout: 300,
    })
    const instance = await adopt()
    if (instance === undefined) throw new Error('not found')
    web.start({ instance, ready: record.ready })
    await web.stop()
    t.strictSame(after.warnings, [])
  })

  t.test('restarts a service that exited meanwhile', async t => {
    const { old, web, adopt } = await handOver(t, { restart: 'on-failure' })
    const { pid } = old.state.now
    const exited = old.service.supervisor.instance?.exited
    process.kill(pid ?? 0, 'SIGKILL')
    await exited
    await old.stop()
    const instance = await adopt()
    if (instance === undefined) throw new Error('no record')
    web.start({ instance, ready: true })
    t.match(await web.untilReason(/SIGKILL/), /restarting in/)
    t.not((await web.until('running', 'healthy')).pid, pid)
  })
})
