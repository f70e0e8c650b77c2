/** Worktrees of one repository stand together, below the main checkout. */
import { spawnSync } from 'node:child_process'
import { onHost } from '../e2e/suite.ts'
import { noBrowser } from '../lib/browser.ts'
import { openDashboard } from '../lib/dashboard.ts'

const files = (name: string) => ({
  'locald.toml': `[project]\nname = "${name}"\n[services.web]\ntype = "worker"\ncommand = "sleep 1000"\n`,
})

onHost(
  'worktrees in the dashboard',
  async (t, machine) => {
    const sandbox = machine.sandbox()
    const shop = sandbox.project('shop', files('shop'))
    // Its name is between those of the two, and its folder, too.
    const other = sandbox.project('shop-a', files('shop-a'))
    const git = async (...words: readonly string[]) => {
      const who = ['-c', 'user.name=a', '-c', 'user.email=a@example.com']
      const { code, stderr } = await sandbox.spawn(['git', ...who, ...words], { cwd: shop }).done
      if (code !== 0) throw new Error(stderr)
    }
    await git('init', '-q', '-b', 'main')
    await git('add', '.')
    await git('commit', '-qm', 'first')
    await git('worktree', 'add', '-q', '-b', 'fix', `${sandbox.home}/elsewhere/zz`)
    const tree = `${sandbox.home}/elsewhere/zz`
    for (const folder of [other, shop]) await sandbox.up(folder)
    const dashboard = await openDashboard(t, sandbox)
    const page = await dashboard.visit('/')
    await page.locator('tr[data-service="shop:web"]').waitFor()
    // While the page is open.
    await sandbox.up(tree)
    const rack = page.getByRole('navigation', { name: 'Projects' })
    await rack.getByRole('region', { name: 'shop, branch fix' }).waitFor()

    await t.test('stand together in the rack, with their branches', async t => {
      const names = await rack.locator('section').evaluateAll(all => all.map(it => it.getAttribute('aria-label')))
      t.strictSame(names, ['shop', 'shop, branch fix', 'shop-a'])
    })

    await t.test('and in the overview', async t => {
      const rows = page.locator('tr[data-service]')
      t.equal(await rows.count(), 3)
      const keys = await rows.evaluateAll(all => all.map(it => it.getAttribute('data-service')))
      t.strictSame(keys, ['shop:web', 'shop-fix:web', 'shop-a:web'])
    })
  },
  {
    timeout: 180_000,
    skip: noBrowser || (spawnSync('git', ['--version']).status === 0 ? false : 'git is not installed'),
  },
)
