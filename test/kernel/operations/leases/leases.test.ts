import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Holds } from '../../../../kernel/operations/leases/lease-holds.ts'
import { Leases } from '../../../../kernel/operations/leases/leases.ts'
import { start, TestKernel } from '../../projects/harness.ts'

const toml = `[project]\nname = "shop"\n[services.db]\n[services.api]\ndepends_on = ["db"]\n[services.web]\ndepends_on = ["db"]\n`

/** A project, its leases, and a process table that the test fills. */
async function leasedProject(t: Test) {
  const kernel = new TestKernel(t, [])
  const project = await kernel.project(t.testdir({ 'locald.toml': toml }))
  const processes = new Map<number, string>()
  const pinned = { now: false }
  const file = join(kernel.data, 'leases.json')
  const warnings: string[] = []
  const log = { info: () => {}, warn: (text: string) => warnings.push(text), error: () => {} }
  const open = () =>
    new Leases({
      ...{ projects: { list: () => [project], foreign: kernel.foreign }, holds: new Holds(file, log), log },
      table: () => ({ start: async pid => processes.get(pid) }),
      isPinned: () => pinned.now,
      stop: async (project, choose) => {
        const names = choose()
        project.setWanted([...project.wanted].filter(name => !names.includes(name)))
        await project.runs.stop(names)
      },
    })
  const up = async (leases: Leases, name: string, pid?: number) => {
    const owner = pid === undefined ? undefined : await leases.identify({ pid })
    leases.grant(project, [name, 'db'], owner)
    await start(project, name)
  }
  return { project, processes, pinned, file, warnings, open, up }
}

t.test('a lease needs a process that runs', async t => {
  const { processes, open } = await leasedProject(t)
  processes.set(2, 'boot')
  const leases = open()
  await t.rejects(leases.identify({ pid: 90 }), {
    ...{ code: 'USAGE', message: /no process with pid 90/ },
    hint: "Use '90s' for seconds, or the pid of a process that runs.",
  })
  t.match(await leases.identify({ pid: 2 }), { processes: [{ pid: 2, start: 'boot' }] })
  leases.close()
})

t.test('a later process with the same pid is another owner', async t => {
  const { project, processes, open, up } = await leasedProject(t)
  processes.set(7, 'morning')
  const leases = open()
  await up(leases, 'web', 7)
  await up(leases, 'api')
  processes.set(7, 'evening')
  leases.close()
  const next = open()
  await next.restore()
  t.strictSame([...project.wanted], ['db', 'api'], 'what someone started without a lease runs')
  next.close()
})

t.test('what a lease that is over started runs as long as another service needs it', async t => {
  const { project, processes, open, up } = await leasedProject(t)
  processes.set(7, 'a').set(8, 'b')
  const leases = open()
  await up(leases, 'web', 7)
  leases.grant(project, ['api'], await leases.identify({ pid: 8 }))
  await start(project, 'api')
  processes.delete(7)
  await leases.restore()
  t.strictSame([...project.wanted], ['db', 'api'])
  const [db] = ['db'].flatMap(name => project.service(name)?.ref ?? [])
  t.ok(db)
  if (db !== undefined) t.match(leases.describe(db), { startedBy: /over/, leases: [] })
  processes.delete(8)
  await leases.restore()
  t.strictSame([...project.wanted], [])
  leases.close()
})

t.test('a pinned project needs no lease', async t => {
  const { project, processes, pinned, open, up } = await leasedProject(t)
  processes.set(7, 'a')
  const leases = open()
  await up(leases, 'web', 7)
  pinned.now = true
  processes.delete(7)
  await leases.restore()
  t.equal(project.wanted.size, 2)
  leases.close()
})

t.test('services that a change of files adds get the leases of the others', async t => {
  const { project, processes, open, up } = await leasedProject(t)
  processes.set(7, 'a')
  const leases = open()
  await up(leases, 'web', 7)
  leases.inherit(project, ['web', 'api'])
  await start(project, 'api')
  processes.delete(7)
  await leases.restore()
  t.strictSame([...project.wanted], [])
  leases.close()
})

t.test('a damaged file stops nothing', async t => {
  const { project, processes, file, warnings, open, up } = await leasedProject(t)
  processes.set(7, 'a')
  const leases = open()
  await up(leases, 'web', 7)
  leases.close()
  t.match(JSON.parse(readFileSync(file, 'utf8')), { holds: [{ service: 'web' }, { service: 'db' }] })
  writeFileSync(file, '{"holds":[{"path":1}]}')
  processes.delete(7)
  const next = open()
  await next.restore()
  t.equal(project.wanted.size, 2)
  t.match(warnings, [/leases.json could not be read/])
  next.close()
})

t.test('refuses an owner that does not run', async t => {
  const { open } = await leasedProject(t)
  await t.rejects(open().identify({ pid: 7 }), { code: 'USAGE', message: /no process with pid 7/ })
})
