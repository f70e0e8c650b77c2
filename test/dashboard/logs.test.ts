import type { Page } from 'playwright-core'
import { onHost } from '../e2e/suite.ts'
import { noBrowser } from '../lib/browser.ts'
import { openDashboard } from '../lib/dashboard.ts'

/** The numbered lines that are printed. */
const lineOf = (n: number) => (n % 100 === 42 ? `error: needle ${n}` : n === 7 ? 'warning: needle 7' : `line ${n}`)

/** Prints numbered lines: at first 2500, then some with each line of its file `more`. */
const talker = `const fs = require('node:fs')
  let n = 0
  const lineOf = ${lineOf}
  const say = count => {
    let text = ''
    for (const end = n + count; n < end; n++) text += lineOf(n).replace(/^error.*/, '\\x1b[31m$&\\x1b[0m') + '\\n'
    process.stdout.write(text)
  }
  say(2500)
  let done = 0
  fs.watchFile('more', { interval: 50 }, () => {
    const wanted = Number(fs.readFileSync('more', 'utf8') || 0)
    if (wanted > done) say(wanted - done)
    done = Math.max(done, wanted)
  })
  fs.watchFile('say', { interval: 50 }, () => process.stdout.write(fs.readFileSync('say', 'utf8')))`

const texts = (page: Page) => page.locator('.logs .line code').allTextContents()

/** The lines that the user sees, with their places. */
const inSight = (page: Page) =>
  page.evaluate(`(() => {
    const pane = document.querySelector('.log').getBoundingClientRect()
    return [...document.querySelectorAll('.logs .line')]
      .map(line => [line.getBoundingClientRect().top, line.querySelector('code').textContent])
      .filter(([top]) => top >= pane.top && top + 18 <= pane.bottom)
  })()`)

/** Scrolls to the oldest line, and returns the lines in order; each step waits for the one before to be drawn. */
const readBack = `(async () => {
  const pane = document.querySelector('.log')
  const rows = new Map()
  const until = Date.now() + 60_000
  const frame = () => new Promise(requestAnimationFrame)
  while (Date.now() < until && ![...rows.values()].includes('line 0')) {
    await frame()
    const lines = [...document.querySelectorAll('.logs .line')]
    const top = lines[0]?.getBoundingClientRect().top ?? Infinity
    const { y } = pane.getBoundingClientRect()
    if (top > y) continue
    for (const line of lines) rows.set(Number(line.dataset.number), line.querySelector('code').textContent)
    pane.scrollBy(0, -600)
  }
  return [...rows.keys()].sort((a, b) => a - b).map(number => rows.get(number))
})()`

onHost(
  'the logs in the dashboard',
  async (t, machine) => {
    const sandbox = machine.sandbox()
    const path = sandbox.project('shop', {
      'locald.toml': `[project]\nname = "shop"
        [services.api]\ntype = "worker"\ncommand = "exec ${process.execPath} talk.js"
        [services.web]\ntype = "worker"\ncommand = "printf 'hello from web\\\\n%s!\\\\n' ${'a'.repeat(40)}; exec sleep 10000"\n`,
      'talk.js': talker,
      more: '0',
      say: '',
    })
    await sandbox.up(path)
    const dashboard = await openDashboard(t, sandbox)
    const line = (page: Page, text: string) => page.locator('.logs .line code').getByText(text, { exact: true })
    const more = (count: number) => sandbox.write(`${path}/more`, String(count))

    await t.test('follows, and a paused page misses nothing', async t => {
      const page = await dashboard.visit('/logs?service=shop:api')
      await line(page, 'line 2499').waitFor()
      await page.locator('.log').focus()
      await page.keyboard.press('PageUp')
      await page.locator('.new').waitFor()
      // The browser scrolls smoothly.
      let before = await inSight(page)
      for (let last: unknown; JSON.stringify(last) !== JSON.stringify(before); ) {
        last = before
        await page.waitForTimeout(300)
        before = await inSight(page)
      }
      more(1500)
      await page.locator('.new').getByText('1,500 new ↓').waitFor()
      t.strictSame(await inSight(page), before, 'what is read stays where it is')
      await page.keyboard.press('End')
      await line(page, 'line 3999').waitFor()
      t.equal(await page.locator('.new').count(), 0)
      await page.close()
    })

    await t.test('reads the history back to the first line, each line once', async t => {
      const page = await dashboard.visit('/logs?service=shop:api')
      await line(page, 'line 3999').waitFor()
      const seen: readonly string[] = await page.evaluate(readBack)
      t.strictSame(
        seen,
        Array.from({ length: 4000 }, (_, n) => lineOf(n)),
      )
      await page.close()
    })

    await t.test('finds, walks and filters hits; the URL keeps it', async t => {
      const page = await dashboard.visit('/logs')
      await line(page, 'line 3999').waitFor()
      await page.keyboard.press('/')
      await page.keyboard.type('needle')
      // At once: it waits for the first hit.
      await page.keyboard.press('Enter')
      await line(page, 'error: needle 3942').waitFor()
      t.equal(await page.locator('.line.is-chosen code').textContent(), 'error: needle 3942')
      await page.keyboard.press('Enter')
      await page.locator('.line.is-chosen').getByText('needle 3842').waitFor()
      await page.keyboard.press('Escape')
      t.equal(await page.locator('#logs-q').inputValue(), 'needle', 'leaving the field keeps the search')
      await page.keyboard.press('n')
      await page.locator('.line.is-chosen').getByText('needle 3942').waitFor()
      await page.getByRole('button', { name: 'Show only hits' }).click()
      await line(page, 'error: needle 3742').waitFor()
      t.ok((await texts(page)).every(text => text.includes('needle')))
      t.match(page.url(), /q=needle&filter=1$/)
      await page.reload()
      await line(page, 'error: needle 3942').waitFor()
      await page.getByRole('link', { name: 'Logs', exact: true }).click()
      await page.waitForURL('**/logs')
      t.equal(await page.locator('#logs-q').inputValue(), '', 'the field shows what the URL has')
      await line(page, 'line 3999').waitFor()
      await page.goBack()
      await line(page, 'error: needle 3942').waitFor()
      t.equal(await page.locator('#logs-q').inputValue(), 'needle')
      await page.getByRole('button', { name: 'Regular expression' }).click()
      await page.locator('#logs-q').fill('needle (')
      await page.locator('#logs-hits').getByText('Unterminated group').waitFor()
      await page.locator('#logs-q').fill('needle \\d42$')
      await page.getByRole('button', { name: 'Older' }).click()
      await page.locator('.older').getByText('needle 942').click()
      await page.locator('.line.is-chosen').getByText('needle 942').waitFor()
      await page.close()
    })

    await t.test('the level selects among older lines, too', async t => {
      const page = await dashboard.visit('/logs?service=shop:api&level=error&q=needle')
      await line(page, 'error: needle 3942').waitFor()
      const older = page.locator('.older')
      const found = page.locator('.older li code')
      await page.getByRole('button', { name: 'Older' }).click()
      await older.getByText('20 in older lines').waitFor()
      t.strictSame(
        await found.allTextContents(),
        Array.from({ length: 20 }, (_, at) => `error: needle ${1942 - 100 * at}`),
      )
      await page.getByLabel('Level').selectOption('warn')
      await older.waitFor({ state: 'detached' })
      await page.getByRole('button', { name: 'Older' }).click()
      await older.getByText('21 in older lines').waitFor()
      t.equal(await found.last().textContent(), 'warning: needle 7')
      // Without a text, too.
      await page.locator('#logs-q').fill('')
      await older.waitFor({ state: 'detached' })
      await page.getByRole('button', { name: 'Older' }).click()
      await older.getByText('21 in older lines').waitFor()
      await found.last().click()
      await page.locator('.line.is-chosen').getByText('needle 7').waitFor()
      await page.getByLabel('Level').selectOption('debug')
      await page.getByRole('button', { name: 'Older' }).waitFor({ state: 'detached' })
      await page.close()
    })

    await t.test('an expression that takes very long does not block the page', async t => {
      const page = await dashboard.visit('/logs?regex=1&service=shop:web')
      await line(page, 'hello from web').waitFor()
      await page.locator('#logs-q').fill('(a+)+$')
      await page.locator('#logs-hits').getByText('This expression takes too long').waitFor()
      await page.locator('#logs-q').fill('from (web|api)')
      await page.locator('#logs-hits').getByText('1', { exact: true }).waitFor()
      t.equal(await page.locator('.line mark', { hasText: 'from web' }).count(), 1)
      await page.close()
    })

    await t.test('a link leads to a line; a key copies lines as Markdown', async t => {
      const page = await dashboard.visit('/logs?service=shop:api')
      await line(page, 'line 3999').waitFor()
      const href = await page.locator('.line', { hasText: 'line 3990' }).locator('a').getAttribute('href')
      await page.locator('.log').focus()
      await page.keyboard.press('y')
      await page.locator('.toast').getByText('Copied 50 lines').waitFor()
      const copied = await page.evaluate(() => navigator.clipboard.readText())
      t.match(copied, /^Last 50 lines of shop:api, .*\n\n```text\n[\d:.]{12} line 3950\n[\s\S]*line 3999\n```\n$/)
      await page.close()
      const other = await dashboard.visit(href ?? '')
      await other.locator('.line.is-chosen').waitFor()
      t.equal(await other.locator('.line.is-chosen code').textContent(), 'line 3990')
      await other.close()
    })

    await t.test('w shows a line whole, also after a reload', async t => {
      const page = await dashboard.visit('/logs?service=shop:web')
      await line(page, 'hello from web').waitFor()
      const panel = page.getByRole('region', { name: 'Whole line' })
      const button = page.getByRole('button', { name: 'Whole line' })
      t.equal(await button.getAttribute('aria-pressed'), 'false')
      await page.keyboard.press('w')
      await panel.getByText(`${'a'.repeat(40)}!`, { exact: true }).waitFor()
      t.equal(await button.getAttribute('aria-pressed'), 'true')
      t.match(page.url(), /&whole=1$/)
      await page.reload()
      await panel.waitFor()
      await page.locator('#logs-q').fill('hello')
      await page.locator('#logs-hits').getByText('1', { exact: true }).waitFor()
      await page.keyboard.press('Enter')
      await panel.getByText('hello from web').waitFor()
      await page.locator('.log').focus()
      await page.keyboard.press('w')
      await panel.waitFor({ state: 'detached' })
      t.notMatch(page.url(), /whole/)
      await page.close()
    })

    await t.test('a selection is copied without the times and names beside it', async t => {
      const page = await dashboard.visit('/logs?service=shop:api')
      await line(page, 'line 3999').waitFor()
      const box = async (text: string) => {
        const found = await line(page, text).boundingBox()
        if (found === null) throw new Error(`'${text}' is not in sight`)
        return found
      }
      const [from, to] = [await box('line 3990'), await box('line 3993')]
      await page.mouse.move(from.x + 1, from.y + from.height / 2)
      await page.mouse.down()
      await page.mouse.move(to.x + to.width - 1, to.y + to.height / 2, { steps: 5 })
      await page.mouse.up()
      await page.keyboard.press('Control+c')
      const clipboard = () => page.evaluate(() => navigator.clipboard.readText())
      t.equal((await clipboard()).trim(), 'line 3990\nline 3991\nline 3992\nline 3993')
      await page.keyboard.press('y')
      await page.locator('.toast').getByText('Copied 4 lines').waitFor()
      const rows = ['3990', '3991', '3992', '3993'].map(n => `[\\d:.]{12} line ${n}`).join('\n')
      t.match(await clipboard(), new RegExp(`^Last 4 lines of shop:api, .*\n\n\`\`\`text\n${rows}\n\`\`\`\n$`))
      await page.close()
    })

    await t.test('looks right', async t => {
      const long = `\x1b[33mWARN\x1b[0m slow query: ${'SELECT * FROM orders WHERE id = 1 '.repeat(20)}`
      sandbox.write(`${path}/say`, `GET /orders 200\n${long}\n    at run (/app/index.js:1:1)\n`)
      await dashboard.checkLooks(t, '/logs?q=needle', 'logs', async page => {
        await line(page, 'GET /orders 200').first().waitFor()
        await page.locator('#logs-hits').getByText(/^\d+$/).waitFor()
        await page.keyboard.press('Shift+n')
        await page.locator('.line.is-chosen').waitFor()
      })
    })
  },
  { timeout: 240_000, skip: noBrowser },
)
