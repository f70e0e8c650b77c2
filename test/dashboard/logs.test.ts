import type { Page } from 'playwright-core'
import { onHost } from '../e2e/suite.ts'
import { noBrowser } from '../lib/browser.ts'
import { openDashboard } from '../lib/dashboard.ts'

/** Prints numbered lines: at first 5000, then some with each line of its file `more`. */
const talker = `const fs = require('node:fs')
  let n = 0
  const say = count => {
    let text = ''
    for (const end = n + count; n < end; n++) text += n % 100 === 42 ? '\\x1b[31merror: needle ' + n + '\\x1b[0m\\n' : 'line ' + n + '\\n'
    process.stdout.write(text)
  }
  say(5000)
  let done = 0
  fs.watchFile('more', { interval: 50 }, () => {
    const wanted = Number(fs.readFileSync('more', 'utf8') || 0)
    if (wanted > done) say(wanted - done)
    done = Math.max(done, wanted)
  })`

const texts = (page: Page) => page.locator('.logs .line code').allTextContents()

onHost(
  'the logs in the dashboard',
  async (t, machine) => {
    const sandbox = machine.sandbox()
    const path = sandbox.project('shop', {
      'locald.toml': `[project]\nname = "shop"
        [services.api]\ntype = "worker"\ncommand = "exec ${process.execPath} talk.js"
        [services.web]\ntype = "worker"\ncommand = "echo hello from web; exec sleep 10000"\n`,
      'talk.js': talker,
      more: '0',
    })
    await sandbox.up(path)
    const dashboard = await openDashboard(t, sandbox)
    const line = (page: Page, text: string) => page.locator('.logs .line code').getByText(text, { exact: true })
    const more = (count: number) => sandbox.write(`${path}/more`, String(count))

    await t.test('follows, and a paused page misses nothing', async t => {
      const page = await dashboard.visit('/logs?service=shop:api')
      await line(page, 'line 4999').waitFor()
      await page.locator('.log').focus()
      await page.keyboard.press('PageUp')
      await page.locator('.new').waitFor()
      const before = await texts(page)
      more(3000)
      await page.locator('.new').getByText('3,000 new ↓').waitFor()
      t.strictSame(await texts(page), before, 'what is read stays where it is')
      await page.keyboard.press('End')
      await line(page, 'line 7999').waitFor()
      t.equal(await page.locator('.new').count(), 0)
      await page.close()
    })

    await t.test('reads the history back to the first line, each line once', async t => {
      const page = await dashboard.visit('/logs?service=shop:api')
      await line(page, 'line 7999').waitFor()
      const seen = new Set<string>()
      const pane = page.locator('.log')
      for (let round = 0; round < 200 && !seen.has('line 0'); round++) {
        for (const text of await texts(page)) seen.add(text)
        await pane.evaluate(element => element.scrollBy(0, -element.clientHeight))
        await page.evaluate(() => new Promise(requestAnimationFrame))
        await page.evaluate(() => new Promise(requestAnimationFrame))
      }
      const expected = Array.from({ length: 8000 }, (_, n) => (n % 100 === 42 ? `error: needle ${n}` : `line ${n}`))
      t.strictSame(expected.filter(text => !seen.has(text)).slice(0, 5), [])
      await page.close()
    })

    await t.test('finds, walks and filters hits; the URL keeps it', async t => {
      const page = await dashboard.visit('/logs')
      await line(page, 'line 7999').waitFor()
      await page.keyboard.press('/')
      await page.keyboard.type('needle')
      await page
        .locator('.logs mark')
        .first()
        .waitFor({ state: 'attached', timeout: 1000 })
        .catch(() => undefined)
      await page.keyboard.press('Enter')
      await line(page, 'error: needle 7942').waitFor()
      t.equal(await page.locator('.line.is-chosen code').textContent(), 'error: needle 7942')
      await page.keyboard.press('Enter')
      await page.locator('.line.is-chosen').getByText('needle 7842').waitFor()
      await page.getByRole('button', { name: 'Show only hits' }).click()
      await line(page, 'error: needle 7742').waitFor()
      t.ok((await texts(page)).every(text => text.includes('needle')))
      t.match(page.url(), /q=needle&filter=1$/)
      await page.reload()
      await line(page, 'error: needle 7942').waitFor()
      await page.getByRole('button', { name: 'Regular expression' }).click()
      await page.locator('#logs-q').fill('needle (')
      await page.locator('#logs-hits').getByText('Unterminated group').waitFor()
      await page.locator('#logs-q').fill('needle \\d42$')
      await page.getByRole('button', { name: 'Older' }).click()
      await page.locator('.older').getByText('needle 942').click()
      await page.locator('.line.is-chosen').getByText('needle 942').waitFor()
      await page.close()
    })

    await t.test('a link leads to a line; a key copies lines as Markdown', async t => {
      const page = await dashboard.visit('/logs?service=shop:api')
      await line(page, 'line 7999').waitFor()
      const href = await page.locator('.line', { hasText: 'line 7990' }).locator('a').getAttribute('href')
      await page.locator('.log').focus()
      await page.keyboard.press('y')
      await page.locator('.toast').getByText('Copied 50 lines').waitFor()
      const copied = await page.evaluate(() => navigator.clipboard.readText())
      t.match(copied, /^Last 50 lines of shop:api, .*\n\n```text\n[\d:.]{12} line 7950\n[\s\S]*line 7999\n```\n$/)
      await page.close()
      const other = await dashboard.visit(href ?? '')
      await other.locator('.line.is-chosen').waitFor()
      await other.close()
    })

    await t.test('looks right', async t => {
      await dashboard.checkLooks(t, '/logs?q=needle', 'logs', async page => {
        await line(page, 'line 7999').waitFor()
      })
    })
  },
  { timeout: 240_000, skip: noBrowser },
)
