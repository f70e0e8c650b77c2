/** One connection for all tabs of a browser, which heals when the daemon is replaced. */
import type { Page } from 'playwright-core'
import { onHost } from '../e2e/suite.ts'
import { noBrowser } from '../lib/browser.ts'
import { openDashboard } from '../lib/dashboard.ts'
import { until } from '../lib/running.ts'

/** Prints a number a second, and more on request. */
const counter = `let n = 0
setInterval(() => console.log('line ' + n++), 200)
require('node:http').createServer((_, response) => response.end('ok')).listen(process.env.PORT, '127.0.0.1')
`

const files = {
  'locald.toml': '[project]\nname = "count"\n[services.web]\ncommand = "node counter.js"\n',
  'counter.js': counter,
}

/** Returns the numbers of the lines that a page shows. */
async function numbersOn(page: Page): Promise<readonly number[]> {
  const texts = await page.locator('.tail .log span').allTextContents()
  return texts.flatMap(text => (/^line \d+$/.test(text) ? [Number(text.slice(5))] : []))
}

/** Whether each number is the one after the last. */
function isWithoutGap(numbers: readonly number[]): boolean {
  return numbers.every((number, at) => at === 0 || number === (numbers[at - 1] ?? 0) + 1)
}

onHost(
  'the stream of the dashboard',
  async (t, machine) => {
    const sandbox = machine.sandbox()
    const folder = sandbox.project('count', files)
    await sandbox.up(folder)
    const dashboard = await openDashboard(t, sandbox)

    await t.test('seven tabs over HTTP/1.1 are all live', async t => {
      const pages: Page[] = []
      for (let tab = 0; tab < 7; tab++) pages.push(await dashboard.visit('/'))
      for (const page of pages) {
        const protocol = "performance.getEntriesByType('navigation')[0].nextHopProtocol"
        t.equal(await page.evaluate(protocol), 'http/1.1')
        await page
          .locator('.tail')
          .getByText(/^line \d+$/)
          .first()
          .waitFor()
        const before = (await numbersOn(page)).at(-1) ?? 0
        await until('more lines', async () => ((await numbersOn(page)).at(-1) ?? 0) > before)
        const seen = await numbersOn(page)
        t.ok(isWithoutGap(seen), seen.join(' '))
      }
      for (const page of pages.slice(1)) await page.close()
    })

    await t.test('a lost daemon is shown with the last data, and the page heals without a line lost', async t => {
      const page = await dashboard.visit('/')
      await page
        .locator('.tail')
        .getByText(/^line \d+$/)
        .first()
        .waitFor()
      const { pid } = await sandbox.server()
      process.kill(pid, 'SIGKILL')
      await page.getByText('The daemon was last seen').waitFor()
      t.equal(await page.locator('tr[data-service]').count(), 1, 'the last data stays')
      // Adopts the service, which has run on.
      await sandbox.ok(['server', 'start'], { env: { LOCALD_HTTP_PORT: new URL(dashboard.origin).port } })
      await page.getByText('The daemon was last seen').waitFor({ state: 'hidden' })
      const before = (await numbersOn(page)).at(-1) ?? 0
      await until('more lines', async () => ((await numbersOn(page)).at(-1) ?? 0) > before + 5)
      const seen = await numbersOn(page)
      t.ok(isWithoutGap(seen), seen.join(' '))
      // The browser reports each connection that failed.
      dashboard.problems.length = 0
    })
  },
  { timeout: 240_000, skip: noBrowser },
)
