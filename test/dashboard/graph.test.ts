import { onHost } from '../e2e/suite.ts'
import { noBrowser } from '../lib/browser.ts'
import { openDashboard } from '../lib/dashboard.ts'
import { graphProject } from '../lib/graph-project.ts'

/** ms */
const limit = { timeout: 20_000 }

onHost(
  'the graph in the browser',
  async (t, machine) => {
    const sandbox = machine.sandbox()
    const path = sandbox.project('shop', graphProject)
    await sandbox.ok(['up', '--detach'], { cwd: path })
    await sandbox.ok(['wait', 'web'], { cwd: path })
    const dashboard = await openDashboard(t, sandbox)
    const page = await dashboard.visit('/graph')
    const node = (name: string) => page.locator(`.node[data-service="shop:${name}"]`)

    await t.test('draws states, times and the critical path of the last start', async t => {
      await node('web').getByText('ready', { exact: true }).waitFor(limit)
      t.strictSame(
        await page
          .locator('.node.critical b')
          .allTextContents()
          .then(names => [...names].sort()),
        ['api', 'db', 'seed', 'web'],
      )
      t.equal(await page.locator('.edge.critical').count(), 3)
      t.match(await page.locator('.summary').textContent(), /Last start \d.*: *db .*→ seed 1\.\d s.*→ api .*→ web/)
      const row = page.locator('tr[data-service="shop:api"]')
      t.match(await row.textContent(), /api.*ready.*(seed, db|db, seed).*1\.\d s/)
    })

    await t.test('follows the states', async () => {
      await sandbox.ok(['stop', 'alone'], { cwd: path })
      await node('alone').getByText('stopped').waitFor(limit)
      await sandbox.ok(['up', 'alone', '--detach'], { cwd: path })
      await node('alone').getByText('ready', { exact: true }).waitFor(limit)
      await page.locator('.summary').filter({ hasText: 'alone' }).waitFor(limit)
    })

    await t.test('is used by the keyboard', async t => {
      const focused = () => page.evaluate('document.activeElement?.getAttribute("data-service")')
      await node('db').focus()
      await page.keyboard.press('ArrowRight')
      t.equal(await focused(), 'shop:seed')
      await page.keyboard.press('ArrowRight')
      t.equal(await focused(), 'shop:api')
      await page.keyboard.press('ArrowLeft')
      t.equal(await focused(), 'shop:seed')
      await page.keyboard.press('Enter')
      await page.waitForURL(`${dashboard.origin}/service/shop:seed`, limit)
      await page.goBack()
    })

    await t.test('has no violation of accessibility or of the policy, in all looks', t =>
      dashboard.checkLooks(t, '/graph', 'graph', it => it.locator('.node.critical').first().waitFor()),
    )
  },
  { timeout: 240_000, skip: noBrowser },
)
