/** A daemon that was killed and started again: the page is live at once. */
import { onHost } from '../e2e/suite.ts'
import { noBrowser } from '../lib/browser.ts'
import { openDashboard } from '../lib/dashboard.ts'

const files = {
  'locald.toml': '[project]\nname = "shop"\n[services.web]\ntype = "worker"\ncommand = "sleep 1000"\n',
}
/** From the daemon's readiness to the page's, ms. */
const limitMs = 3000
/** So long without a daemon that the pauses between tries are at their longest, ms. */
const absenceMs = 6000

onHost(
  'the dashboard after the daemon was killed',
  async (t, machine) => {
    const sandbox = machine.sandbox()
    await sandbox.up(sandbox.project('shop', files))
    const dashboard = await openDashboard(t, sandbox)
    const page = await dashboard.visit('/')
    const lost = page.getByText('The daemon was last seen')
    const env = { LOCALD_HTTP_PORT: new URL(dashboard.origin).port }
    for (const ms of [0, absenceMs])
      await t.test(`${ms} ms later`, async t => {
        const row = page.locator('tr[data-service="shop:web"]')
        await row.getByText('Ready').waitFor()
        const { pid } = await sandbox.server()
        process.kill(pid, 'SIGKILL')
        await lost.waitFor()
        await page.waitForTimeout(ms)
        await sandbox.ok(['server', 'start'], { env })
        const started = performance.now()
        await lost.waitFor({ state: 'hidden', timeout: limitMs })
        t.comment(`live ${Math.round(performance.now() - started)} ms after the daemon`)
        // What it shows is of the new daemon.
        await sandbox.ok(['stop', 'shop:web'])
        await row.getByText('Stopped').waitFor()
        await sandbox.ok(['up', 'shop:web'])
      })
    // The browser reports each connection that failed.
    dashboard.problems.length = 0
  },
  { timeout: 180_000, skip: noBrowser },
)
