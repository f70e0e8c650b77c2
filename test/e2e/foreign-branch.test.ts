/** Services of other projects that a git worktree needs, while the other project has a worktree on the same branch. */
import { join } from 'node:path'
import t from 'tap'
import { foreignProject, foreignToml, startsOf } from '../lib/foreign-projects.ts'
import { processList } from '../lib/process-list.ts'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'
import { git, worktree } from '../lib/worktrees.ts'

t.setTimeout(200_000)

const web = { needs: ['services:events'], got: `\${projects.services.events.port}` }

/** Creates a repository of a project, with a linked worktree on the branch `feature`. */
async function withWorktree(box: Sandbox, main: string, name: string): Promise<string> {
  await git(box, main, 'init', '--quiet')
  await git(box, main, 'add', '.')
  await git(box, main, 'commit', '--quiet', '--message', 'first')
  const tree = join(box.home, 'trees', name)
  await git(box, main, 'worktree', 'add', '--quiet', '-b', 'feature', tree)
  return tree
}

async function projects(box: Sandbox, more: string) {
  const services = foreignProject(box, 'services', { events: {}, other: {} })
  const shop = foreignProject(box, 'shop', { web }, more)
  const trees = {
    services: await withWorktree(box, services, 'its-services'),
    shop: await withWorktree(box, shop, 'mine'),
  }
  const port = async (folder: string) => (await box.service(folder, 'events')).port
  const got = async () => (await box.logs(trees.shop, ['web'])).at(-1)?.text
  return { services, shop, trees, port, got }
}

const taken = 'services:events is services-feature:events, on the same branch'
const notTaken = 'services-feature:events, on the same branch, did not run and is not used for services:events'

for (const [how, more] of [
  ['a folder that only the main checkout has beside it', '[projects]\nservices = "../services"'],
  ['its name', ''],
] as const) {
  t.test(`a worktree uses the other project's worktree on its branch where that runs; found by ${how}`, async t => {
    const box = new Sandbox(t)
    const { services, shop, trees, port, got } = await projects(box, more)
    await box.ok(['up', 'other'], { cwd: services })
    await box.ok(['up', 'other'], { cwd: trees.services })
    const first = await box.ok(['up'], { cwd: trees.shop })
    t.match(first.stdout, /services-feature:events +ready[\s\S]*shop-feature:web +ready/)
    t.match(first.stderr, new RegExp(`shop-feature:web +starting +${taken}`))
    t.match(await got(), `web got ${await port(trees.services)} in`)
    t.match((await box.ok(['status'], { cwd: trees.shop })).stdout, taken)
    t.match((await box.ok(['why', 'web'], { cwd: trees.shop })).stdout, taken)

    t.comment('the main checkout uses the main one')
    await box.ok(['up'], { cwd: shop })
    t.match((await box.logs(shop, ['web'])).at(-1)?.text, `web got ${await port(services)} in`)
    t.notMatch((await box.ok(['status'], { cwd: shop })).stdout, 'branch')

    t.comment('what was chosen stays, also for the next daemon and a restart, until the next up')
    await box.ok(['stop', 'services-feature'])
    const { pid } = await box.server()
    process.kill(pid, 'SIGKILL')
    await until('the daemon to exit', () => !processList.isAlive(pid))
    await box.ok(['server', 'start'])
    t.match((await box.ok(['why', 'web'], { cwd: trees.shop })).stdout, taken)
    t.match((await box.ok(['why', 'web'], { cwd: trees.shop })).stdout, 'dependency services:events is stopped')
    await box.ok(['restart', 'web'], { cwd: trees.shop })
    t.match(await got(), `web got ${await port(trees.services)} in`)

    t.comment('the next up takes the main one, as the other does not run')
    await box.ok(['up'], { cwd: trees.shop })
    t.match(await got(), `web got ${await port(services)} in`)
    t.match((await box.ok(['status'], { cwd: trees.shop })).stdout.replaceAll(/\s+/g, ' '), notTaken)
    t.equal(startsOf(services, 'events'), 1)

    t.comment('a pinned one is meant to run')
    await box.ok(['registry', 'pin', 'services-feature'])
    await box.ok(['up'], { cwd: trees.shop })
    t.match(await got(), `web got ${await port(trees.services)} in`)
  })
}

t.test('a worktree uses the main project where a folder says so, and where the branch is another one', async t => {
  const box = new Sandbox(t)
  const { services, trees, port, got } = await projects(box, '')
  const other = await worktree(box, services, 'other')
  await box.ok(['up'], { cwd: services })
  await box.ok(['up', 'other'], { cwd: other })
  await box.ok(['up'], { cwd: trees.shop })
  t.match(await got(), `web got ${await port(services)} in`)
  t.notMatch((await box.ok(['status'], { cwd: trees.shop })).stdout, 'branch')

  await box.ok(['up'], { cwd: trees.services })
  await box.ok(['up', 'web'], { cwd: trees.shop })
  t.match(await got(), `web got ${await port(services)} in`, 'only an up of the whole project chooses again')
  const toml = foreignToml('shop', { web }, `[projects]\nservices = ${JSON.stringify(services)}`)
  box.write(join(trees.shop, 'locald.toml'), toml)
  await box.ok(['up'], { cwd: trees.shop })
  t.match(await got(), `web got ${await port(services)} in`)
  t.notMatch((await box.ok(['status'], { cwd: trees.shop })).stdout, 'branch')
})
