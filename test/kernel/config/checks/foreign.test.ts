import t from 'tap'
import { foreignMentions } from '../../../../kernel/config/checks/foreign-dependencies.ts'
import { failure, load, problemLines } from '../projects.ts'

const head = '[project]\nname = "shop"\n[services.db]\ncommand = "db"\n[services.web]\ncommand = "web"\n'

t.test('services of other projects are apart from those of the project', async t => {
  const { plan } = await load({
    'locald.toml': `${head}depends_on = { "events:api" = "started", "shop:db" = "completed" }
env = { OWN = "\${projects.shop.db.port}", OTHER = "\${projects.events.api.url:-none}", DEEP = "\${X:-\${projects.db.db.ports.80}}" }
[projects]
events = "../events"
`,
  })
  const web = plan.services.find(({ name }) => name === 'web')
  t.strictSame(web?.common.dependsOn, { db: 'completed' }, 'its own name is no other project')
  t.strictSame(web?.common.foreign, { 'events:api': 'started' })
  t.strictSame(plan.projects, { events: '../events' }, 'as written')
  t.strictSame(web && foreignMentions(plan, web).map(({ key, path, hasDefault }) => [key, path.at(-1), hasDefault]), [
    ['events:api', 'events:api', false],
    ['events:api', 'OTHER', true],
    ['db:db', 'DEEP', false],
  ])
})

t.test('a project may have the name of a service', async t => {
  const { plan } = await load({ 'locald.toml': `${head}depends_on = ["db", "db:db"]\n` })
  const { dependsOn, foreign } = plan.services.find(({ name }) => name === 'web')?.common ?? {}
  t.strictSame({ dependsOn, foreign }, { dependsOn: { db: 'ready' }, foreign: { 'db:db': 'ready' } })
})

t.test('all wrong names are reported with their lines', async t => {
  const error = await failure(
    load({
      'locald.toml': `${head}depends_on = ["a:b:c", "Up:db", ":db", "shop:dbb", "db:"]
env = { A = "\${projects.shop.dbb.url}", B = "\${projects.shop}" }
[projects]
shop = "../shop"
"a b" = "../a"
empty = ""
number = 1
`,
    }),
  )
  const rule = 'must be a service, or PROJECT:SERVICE for one of another project'
  t.strictSame(problemLines(error.problems), [
    `7 services.web.depends_on[0]: ${rule}`,
    `7 services.web.depends_on[1]: ${rule}`,
    `7 services.web.depends_on[2]: ${rule}`,
    "7 services.web.depends_on[3]: unknown service 'dbb'; did you mean 'db'?",
    `7 services.web.depends_on[4]: ${rule}`,
    `8 services.web.env.A: unknown service 'dbb' in \${projects.shop.dbb.…}; did you mean 'db'?`,
    `8 services.web.env.B: has a \${…} at column 1 that names nothing`,
    '10 projects.shop: has the name of this project: use another name',
    `11 projects."a b": a project's name must be 1 to 63 lower-case letters, digits or '-', with no '-' at either end`,
    '12 projects.empty: must not be empty',
    '13 projects.number: must be a folder such as "../services", not a number',
  ])
})

t.test('a service that depends on itself by the name of its project is a cycle', async t => {
  const error = await failure(load({ 'locald.toml': `${head}depends_on = ["shop:web"]\n` }))
  t.equal(error.code, 'DEPENDENCY_CYCLE')
  t.strictSame(problemLines(error.problems), ['7 services.web.depends_on[0]: depends on itself: web → web'])
})
