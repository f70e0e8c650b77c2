import t from 'tap'
import { EnvFiles } from '../../../../kernel/config/sources/env-files.ts'
import { Trust } from '../../../../kernel/config/trust/trust.ts'
import type { Diagnosis } from '../../../../kernel/diagnosis/diagnosis.ts'
import { type ExplainedProject, explainState } from '../../../../kernel/operations/reports/why.ts'
import type { Service } from '../../../../kernel/services/service.ts'
import { hostTable } from '../../../lib/machine.ts'
import { TestProject, type TestService } from '../../../lib/test-service.ts'

const table = hostTable()
// Keepers and timers of services keep no event loop alive.
const hold = setInterval(() => {}, 60_000)
t.teardown(() => clearInterval(hold))

function projectOf(...all: readonly TestService[]): ExplainedProject {
  const services = new Map(all.map(({ service }) => [service.ref.name, service]))
  const plans = all.map(({ plan }) => plan.plan)
  const ref = { name: 'shop', path: '/shop', domain: 'shop.localhost' }
  return {
    ...{ ref, services, shell: {}, service: name => services.get(name) },
    plan: { ...ref, env: {}, services: plans, routes: [], files: [] },
    environmentFiles: { envFiles: new EnvFiles({ trust: new Trust(), root: '/shop' }) },
    planOf: name => plans.find(plan => plan.name === name),
    needsOf: name =>
      Object.entries(plans.find(plan => plan.name === name)?.common.dependsOn ?? {}).flatMap(([other, condition]) => {
        const service = services.get(other)
        return service === undefined ? [] : [{ name: other, service, condition }]
      }),
  }
}

/** Finds one change of each service, which names it. */
const diagnoses = {
  of: async (_: unknown, { ref: { name } }: Service): Promise<Diagnosis> => ({
    changes: [{ text: `${name}.js was edited`, command: `git diff -- ${name}.js`, kind: 'file', at: null }],
    wellMs: 0,
  }),
}

t.test('explains a failed dependency with its last lines', async t => {
  const shop = new TestProject(t, { table })
  const db = await shop.service('db', { command: 'echo starting; echo no space left >&2; exit 3', worker: true })
  const api = await shop.service('api', { worker: true, dependsOn: { db: 'ready' } }, [db.dependency()])
  const web = await shop.service('web', { worker: true, dependsOn: { api: 'ready' } }, [api.dependency()])
  for (const each of [db, api, web]) each.start()
  await web.until('failed')
  const project = projectOf(db, api, web)
  const answer = await explainState(project, web.service, diagnoses)
  t.strictSame(
    answer.changes?.map(({ text }) => text),
    ['db: db.js was edited'],
    'of the service that failed first',
  )
  t.match(answer, { wellAt: '1970-01-01T00:00:00.000Z', folder: '/shop' })
  t.match(answer.tree, {
    ...{ key: 'shop:web', name: 'web', status: 'failed', health: null, reason: null, lines: [], dependents: [] },
    causes: [{ name: 'api', reason: null, dependents: ['web'], causes: [{ name: 'db', dependents: ['api'] }] }],
  })
  const [cause] = answer.tree?.causes[0]?.causes ?? []
  t.match(cause, { status: 'failed', reason: /^exited with code 3/, causes: [] })
  t.strictSame(cause?.lines, ['starting', 'no space left'])
  t.match(cause?.facts, [/^failed since \d\d:\d\d:\d\d$/])
  t.match(answer.text, /^web failed: api failed: db failed: exited with code 3/)
  t.match(answer.because, [/^web failed/, /^api failed/, /^db failed: exited with code 3/])
})

t.test('names what a waiting service waits for, nothing for a healthy one', async t => {
  const shop = new TestProject(t, { table })
  const command = 'while ! test -e go; do sleep 0.05; done'
  const job = await shop.service('job', { command, worker: true })
  const web = await shop.service('web', { worker: true, dependsOn: { job: 'completed' } }, [
    job.dependency('completed'),
  ])
  for (const each of [job, web]) each.start()
  await job.until('running')
  await web.untilReason(/waiting/)
  const project = projectOf(job, web)
  const { tree, changes } = await explainState(project, web.service, diagnoses)
  t.equal(changes, undefined, 'nothing is wrong')
  t.match(tree, { status: 'waiting', reason: null, causes: [{ name: 'job', status: 'running', lines: [] }] })
  t.strictSame((await explainState(project, job.service, diagnoses)).tree?.dependents, ['web'])
})
