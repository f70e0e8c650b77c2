import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { hostTable } from '../../lib/machine.ts'
import { TestProject } from '../../lib/test-service.ts'

const table = hostTable()

t.test('dependencies', async t => {
  t.test('waits for started, ready and completed', async t => {
    const project = new TestProject(t, { table })
    const db = await project.service('db', {
      command: `while ! test -e go; do sleep 0.02; done; ${project.serverCommand}`,
    })
    const seed = await project.service('seed', { command: 'while ! test -e sown; do sleep 0.02; done', worker: true })
    const web = await project.service('web', { command: 'exec sleep 1000', worker: true }, [
      db.dependency('started'),
      db.dependency(),
      seed.dependency('completed'),
    ])
    const quick = await project.service('quick', { command: 'exec sleep 1000', worker: true }, [
      db.dependency('started'),
    ])
    for (const one of [db, seed, web, quick]) one.start()
    await quick.until('running', null)
    t.equal(web.state.now.status, 'waiting')
    t.match(web.state.now.reason, /^waiting for (db \(started\), )?db, seed \(completed\)$/)
    writeFileSync(join(project.dir, 'go'), '')
    t.equal(await web.untilReason(/^waiting for seed/), 'waiting for seed (completed)')
    writeFileSync(join(project.dir, 'sown'), '')
    await web.until('running', null)
  })

  t.test('a failed dependency fails its dependents', async t => {
    const project = new TestProject(t, { table })
    const broken = await project.service('broken', { command: 'exit 3', worker: true })
    const done = await project.service('done', { command: 'exit 0', worker: true })
    const stopped = await project.service('stopped', { command: 'exit 0', worker: true })
    const late = await project.service('late', { command: 'exec sleep 1000', readyTimeout: 100 })
    const waits = await Promise.all(
      [broken.dependency('started'), stopped.dependency(), broken.dependency('completed'), late.dependency()].map(
        (dependency, index) => project.service(`w${index}`, { worker: true }, [dependency]),
      ),
    )
    await broken.service.supervisor.stop()
    for (const one of [broken, done, late]) one.start()
    await broken.until('failed')
    await done.until('exited')
    for (const one of waits) one.start()
    const after = await project.service('after', { worker: true, command: 'exec sleep 1000' }, [done.dependency()])
    after.start()
    await after.until('running')
    const reasons = await Promise.all(waits.map(async one => (await one.until('failed')).reason))
    t.equal(reasons[0], 'broken failed: exited with code 3')
    t.equal(reasons[1], 'stopped is stopped')
    t.equal(reasons[2], 'broken failed: exited with code 3')
    t.match(reasons[3], /^late is unhealthy: not ready within 0\.1 s/)
  })

  t.test('a dependent starts when its dependency becomes ready after all, and can be stopped before', async t => {
    const project = new TestProject(t, { table })
    const db = await project.service('db', { command: `test -e fixed && ${project.serverCommand}; exit 3` })
    const api = await project.service('api', {}, [db.dependency()])
    const web = await project.service('web', {}, [api.dependency()])
    const batch = await project.service('batch', { worker: true }, [db.dependency()])
    for (const one of [db, api, web, batch]) one.start()
    t.equal((await web.until('failed')).reason, 'api failed: db failed: exited with code 3')
    await batch.until('failed')
    await batch.stop()
    writeFileSync(join(project.dir, 'fixed'), '')
    db.start()
    await web.until('running', 'healthy')
    t.strictSame(project.transitions('web').slice(0, 2), ['waiting null', 'failed null'])
    t.equal(batch.state.now.status, 'stopped')
  })
})
