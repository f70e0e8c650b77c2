import t from 'tap'
import { Events } from '../../../kernel/events.ts'
import { ProjectCatalog } from '../../../kernel/projects/catalog.ts'
import { StartingProjects } from '../../../kernel/projects/starting-projects.ts'
import { TestKernel } from './harness.ts'

t.test('a start may take as long as the service and all that it depends on', async t => {
  const folder = t.testdir({
    'locald.toml': `[project]
name = "shop"
[services.web]
depends_on = ["api"]
ready_timeout = 5
[services.api]
depends_on = ["db"]
[services.db]
ready_timeout = "2m"
[services.other]
`,
  })
  const project = await new TestKernel(t, []).project(folder)
  const catalog = new ProjectCatalog(() => [project], new Events(), new StartingProjects())
  t.equal(catalog.startLimit('shop:web'), 155_000)
  t.equal(catalog.startLimit('shop:other'), 30_000, 'the default')
  t.equal(catalog.startLimit('shop:none'), 0)
})
