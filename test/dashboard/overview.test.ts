import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { onHost } from '../e2e/suite.ts'
import { noBrowser } from '../lib/browser.ts'
import { openDashboard } from '../lib/dashboard.ts'
import { root } from '../lib/user.ts'

const example = join(root, 'examples', 'shop')
if (!existsSync(join(example, 'node_modules')))
  throw new Error(`run \`npm ci\` in ${example}, or all tests by \`npm test\``)

onHost(
  'the overview of the shop',
  async (t, machine) => {
    const sandbox = machine.sandbox()
    const shop = sandbox.copy(example, 'shop')
    await sandbox.up(shop)
    const dashboard = await openDashboard(t, sandbox)
    const page = await dashboard.visit('/')
    const row = (name: string) => page.locator(`tr[data-service="shop:${name}"]`)

    await t.test('shows what runs, with its output', async t => {
      await row('web').getByText('Ready').waitFor()
      t.equal(await page.locator('tr[data-service]').count(), 4)
      await page.locator('.tail').getByText('pieces in stock').waitFor()
      t.equal(await page.title(), 'Overview · locald')
      await page.locator('footer').getByText('4 ready').waitFor()
      await row('api').locator('.spark').waitFor()
    })

    await t.test('shows a stop at once, and settles it by the event', async () => {
      await row('orders').hover()
      await row('orders').getByRole('button', { name: 'Stop orders' }).click()
      await row('orders').getByText('Stopped').waitFor()
      await page.locator('.toast').getByText('orders stopped').waitFor()
      await row('orders').hover()
      await row('orders').getByRole('button', { name: 'Start orders', exact: true }).click()
      await row('orders').getByText('Ready').waitFor()
    })

    await t.test('explains what has failed, at the top', async t => {
      const file = join(shop, 'api', 'server.js')
      sandbox.write(`${file}.new`, "throw new Error('connect ECONNREFUSED 127.0.0.1:6379')\n")
      renameSync(`${file}.new`, file)
      const failure = page.locator('.why')
      await failure.getByText('ECONNREFUSED').first().waitFor({ timeout: 60_000 })
      t.match(await page.title(), /▲ 1 Overview/)
      await dashboard.checkLooks(t, '/', 'overview-failed', async it => {
        await it.locator('.why pre').waitFor()
        await it.locator('.tail').getByText('waiting for orders').first().waitFor()
      })
    })
  },
  { timeout: 240_000, skip: noBrowser },
)
