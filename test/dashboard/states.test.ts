/** What the overview and the screen of a service show of hidden, scheduled and sleeping services, and of leases. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { onHost } from '../e2e/suite.ts'
import { noBrowser } from '../lib/browser.ts'
import { openDashboard } from '../lib/dashboard.ts'

const files = {
  'locald.toml': `[project]
name = "shop"
[services.web]
type = "worker"
command = "sleep 200611"
[services.tool]
type = "worker"
hidden = true
command = "while ! test -e fail; do sleep 0.1; done; exit 3"
restart = "no"
[services.report]
type = "cron"
schedule = "0 0 1 1 *"
command = "echo x >> runs; exit $(wc -l < runs)"
[services.docs]
type = "worker"
idle = "1s"
command = "sleep 200612"
`,
}

onHost(
  'the dashboard of services in special states',
  async (t, machine) => {
    const sandbox = machine.sandbox()
    const folder = sandbox.project('shop', files)
    await sandbox.ok(['up', '--detach', '--lease', String(process.pid)], { cwd: folder })
    const dashboard = await openDashboard(t, sandbox)
    const page = await dashboard.visit('/')
    const row = (name: string) => page.locator(`tr[data-service="shop:${name}"]`)
    await row('web').getByText('Ready').waitFor()

    await t.test('who keeps a project running', async () => {
      await page.locator('tr.group').getByText(`(pid ${process.pid})`).waitFor()
    })

    await t.test('a service that sleeps, with what wakes it', async () => {
      await row('docs').getByText('Stopped: idle for 1s; starts with what needs it').waitFor()
    })

    await t.test('a scheduled command: its next run, one at once, and how that exited', async t => {
      await row('report')
        .getByText(/^Ready: next run at \d{4}-01-01 00:00$/)
        .waitFor()
      await page.setViewportSize({ width: 1280, height: 800 })
      const cut = `[...document.querySelectorAll('.services .state.wide > span')].filter(it => it.scrollWidth > it.clientWidth)`
      t.equal(await page.evaluate(`${cut}.map(it => it.textContent).join()`), '', 'no state is cut')
      await row('report').locator('a.name').click()
      await page.locator('.head').getByText('next run at').waitFor()
      await page.locator('.facts').getByText('0 0 1 1 *').waitFor()
      t.equal(await page.locator('.facts').getByText('on-failure').count(), 0, 'a scheduled command is not restarted')
      await page.locator('.head').getByRole('button', { name: 'Run now' }).click()
      await page.locator('.head').getByText('last run exited with code 1').waitFor()
      await page.locator('.timeline').getByText('exited with code 1', { exact: true }).waitFor()
      t.equal(readFileSync(join(folder, 'runs'), 'utf8'), 'x\n', 'one run')
      await page.goBack()
    })

    await t.test('hidden ones on request, and when they have failed', async t => {
      t.equal(await row('tool').count(), 0)
      t.equal(await page.locator('.rack a[data-service="shop:tool"]').count(), 0)
      await page.getByRole('button', { name: '1 hidden, show' }).click()
      await row('tool').getByText('Ready').waitFor()
      await page.locator('.rack a[data-service="shop:tool"]').waitFor()
      await page.getByRole('button', { name: 'Leave out hidden services' }).click()
      await row('tool').waitFor({ state: 'detached' })
      await dashboard.checkLooks(t, '/', 'states', async it => {
        await it.getByRole('button', { name: '1 hidden, show' }).waitFor()
      })
      sandbox.write(join(folder, 'fail'), '')
      await row('tool')
        .getByText(/^Failed/)
        .waitFor()
    })
  },
  { timeout: 180_000, skip: noBrowser },
)
