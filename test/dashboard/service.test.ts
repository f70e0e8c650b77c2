import type { Page } from 'playwright-core'
import { onHost } from '../e2e/suite.ts'
import { noBrowser } from '../lib/browser.ts'
import { openDashboard } from '../lib/dashboard.ts'

const files = {
  'locald.toml': `[project]
name = "shop"
[env]
CURRENCY = "EUR"
[services.db]
type = "worker"
command = "node db.mjs"
health_check = { type = "log", pattern = "ready" }
[services.web]
command = "node web.mjs"
depends_on = ["db"]
[services.shop-jobs]
type = "worker"
command = "node job.mjs"
depends_on = ["web"]
`,
  '.env': 'STRIPE_API_KEY=sk_live_1\n',
  'db.mjs': "console.log('ready'); setInterval(() => {}, 1000)",
  'job.mjs': "console.error('Error: no queue'); process.exit(3)",
  'web.mjs': `import { createServer } from 'node:http'
    console.log('web listens')
    createServer((_, response) => response.end('web')).listen(Number(process.env.PORT), '127.0.0.1')`,
}

onHost(
  'the screen of a service',
  async (t, machine) => {
    const sandbox = machine.sandbox()
    const path = sandbox.project('shop', files)
    await sandbox.run(['up', '--json'], { cwd: path, env: { COLOUR: 'green' } })
    const dashboard = await openDashboard(t, sandbox)
    const page = await dashboard.visit('/service/shop:web')
    const card = (name: string, on: Page = page) => on.getByRole('region', { name, exact: true })

    const heading = (name: string) => page.getByRole('heading', { level: 1, name })

    await t.test('shows what it is and what it is connected with', async t => {
      await heading('web').waitFor()
      await card('Facts').getByText('node web.mjs').waitFor()
      await card('Facts').getByText('locald.toml:10').waitFor()
      await card('Last lines').getByText('web listens').waitFor()
      await card('CPU and memory').locator('canvas').first().waitFor()
      t.equal(await card('CPU and memory').locator('canvas').count(), 2)
      await card('Events').getByText('ready').first().waitFor()
      await card('Actions').getByText('locald restart shop:web').waitFor()
      await card('Dependencies').getByRole('link', { name: 'db' }).click()
      await heading('db').waitFor()
      await card('Dependencies').getByRole('link', { name: 'web' }).click()
      await heading('web').waitFor()
    })

    await t.test('shows what sets each variable, and a secret only for ten seconds', async t => {
      const row = (name: string) => card('Environment').locator('tr', { hasText: name })
      await row('CURRENCY').getByText('locald.toml:4').waitFor()
      t.equal(await row('COLOUR').count(), 0, 'the shell is folded away')
      await card('Environment')
        .getByRole('button', { name: /^Show \d+ of the shell/ })
        .click()
      await row('COLOUR').getByText('green').waitFor()
      await row('STRIPE_API_KEY').getByText('••••').waitFor()
      t.notMatch(await page.content(), 'sk_live_1')
      const clock = page.clock
      await clock.install()
      await row('STRIPE_API_KEY').getByRole('button', { name: 'Reveal STRIPE_API_KEY' }).click()
      await row('STRIPE_API_KEY').getByText('sk_live_1').waitFor()
      await clock.fastForward(9000)
      t.match(await row('STRIPE_API_KEY').textContent(), 'sk_live_1')
      await clock.fastForward(1500)
      await row('STRIPE_API_KEY').getByText('••••').waitFor()
      t.notMatch(await page.content(), 'sk_live_1')
    })

    await t.test('keeps the filter in the URL, over a reload', async t => {
      const filtered = await dashboard.visit('/service/shop:web')
      await card('Environment', filtered).getByRole('searchbox').fill('stripe')
      await filtered.reload()
      await card('Environment', filtered).locator('tbody tr').first().waitFor()
      t.equal(await card('Environment', filtered).locator('tbody tr').count(), 1)
      t.match(filtered.url(), /\?env=stripe$/)
      await filtered.close()
    })

    await t.test('is operated by keys, and shows the restart', async t => {
      const keyed = await dashboard.visit('/service/shop:web')
      await card('Events', keyed).getByText('ready').first().waitFor()
      const before = await keyed.getByText(/^pid \d+$/).textContent()
      await keyed.keyboard.press('r')
      await card('Events', keyed).getByText('exited by SIGTERM').waitFor()
      await keyed.locator('header.head').getByText('ready').waitFor()
      await keyed.locator('.toast').getByText('web restarted').waitFor()
      t.not(await keyed.getByText(/^pid \d+$/).textContent(), before)
      await keyed.close()
    })

    await t.test('explains a failure', async () => {
      const failed = await dashboard.visit('/service/shop:shop-jobs')
      await card('Why', failed).getByText('Error: no queue').first().waitFor({ timeout: 60_000 })
      await card('Events', failed).getByText('exited with code 3').first().waitFor()
      await failed.close()
    })

    await t.test('shows no usage of what has stopped', async t => {
      const charts = card('CPU and memory')
      await charts.getByText('of one core').waitFor()
      await sandbox.run(['stop', 'shop-jobs', 'web'], { cwd: path })
      await charts.getByText('of one core').waitFor({ state: 'hidden' })
      t.match(await charts.getByRole('img').first().getAttribute('aria-label'), /now –$/)
      await sandbox.run(['up'], { cwd: path })
      await charts.getByText('of one core').waitFor()
    })

    await t.test('names an unknown service', async () => {
      const unknown = await dashboard.visit('/service/shop:nothing')
      await unknown.getByText('There is no service shop:nothing').waitFor()
      await unknown.close()
    })

    await t.test('looks right', async t => {
      await dashboard.checkLooks(t, '/service/shop:web', 'service', async it => {
        await card('CPU and memory', it).locator('canvas').first().waitFor()
        await card('Environment', it).getByText('STRIPE_API_KEY').waitFor()
      })
      await dashboard.checkLooks(t, '/service/shop:shop-jobs', 'service-failed', it =>
        card('Why', it).getByText('Error: no queue').first().waitFor(),
      )
    })
  },
  { timeout: 240_000, skip: noBrowser },
)
