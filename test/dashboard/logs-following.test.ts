/** When the list of logs follows the newest lines, and when it stays where the user reads. */
import type { Page } from 'playwright-core'
import { onHost } from '../e2e/suite.ts'
import { noBrowser } from '../lib/browser.ts'
import { openDashboard } from '../lib/dashboard.ts'

/** Prints 400 lines, then as many more as its file `more` says. */
const talker = `const fs = require('node:fs')
  let n = 0
  const sayTo = end => {
    let text = ''
    for (; n < end; n++) text += (n % 385 === 10 ? 'pebble ' : 'line ') + n + '\\n'
    process.stdout.write(text)
  }
  sayTo(400)
  fs.watchFile('more', { interval: 50 }, () => sayTo(400 + Number(fs.readFileSync('more', 'utf8'))))`

/** The whole lines that the user sees, with their places. */
const inSight = (page: Page): Promise<readonly (readonly [number, string])[]> =>
  page.evaluate(`(() => {
    const pane = document.querySelector('.log').getBoundingClientRect()
    return [...document.querySelectorAll('.logs .line')]
      .map(line => [line.getBoundingClientRect().top, line.querySelector('code').textContent])
      .filter(([top]) => top >= pane.top && top + 18 <= pane.bottom)
  })()`)

/** Waits until nothing scrolls and all events of it were sent: the browser scrolls smoothly, and sends them in a later frame. */
const settled = (page: Page) =>
  page.evaluate(`new Promise(resolve => {
    const pane = document.querySelector('.log')
    let still = 0
    let last = -1
    const look = () => {
      still = pane.scrollTop === last ? still + 1 : 0
      last = pane.scrollTop
      if (still === 10) resolve(last)
      else requestAnimationFrame(look)
    }
    look()
  })`)

onHost(
  'following in the logs of the dashboard',
  async (t, machine) => {
    const sandbox = machine.sandbox()
    const path = sandbox.project('shop', {
      'locald.toml': `[project]\nname = "shop"\n[services.api]\ntype = "worker"\ncommand = "exec ${process.execPath} talk.js"\n`,
      'talk.js': talker,
      more: '0',
    })
    await sandbox.up(path)
    const dashboard = await openDashboard(t, sandbox)
    const page = await dashboard.visit('/logs')
    const line = (text: string) => page.locator('.logs .line code').getByText(text, { exact: true })
    const chip = page.locator('.logs .new')
    const chosen = page.locator('.line.is-chosen code')
    let count = 0
    const more = (lines: number) => {
      count += lines
      sandbox.write(`${path}/more`, String(count))
    }
    const last = () => line(`line ${399 + count}`)
    await last().waitFor()

    await t.test('a hit among the last lines stays chosen, and where it is', async t => {
      await page.keyboard.press('/')
      await page.keyboard.type('pebble')
      await page.locator('#logs-hits').getByText('2', { exact: true }).waitFor()
      await page.keyboard.press('Enter')
      await chosen.getByText('pebble 395').waitFor()
      await page.keyboard.press('Enter')
      await chosen.getByText('pebble 10').waitFor()
      await page.keyboard.press('Shift+Enter')
      await chosen.getByText('pebble 395').waitFor()
      await settled(page)
      const before = await inSight(page)
      t.equal(before.at(-1)?.[1], 'line 399', 'the list is at its end')
      for (const total of ['100', '200', '300']) {
        more(100)
        await chip.getByText(`${total} new ↓`).waitFor()
        t.strictSame(await inSight(page), before, `${total} lines later`)
        t.equal(await chosen.textContent(), 'pebble 395')
      }
    })

    await t.test('scrolling down to the end follows again, scrolling up does not', async t => {
      await page.locator('.log').hover()
      await page.mouse.wheel(0, 10)
      await settled(page)
      t.equal(await chip.count(), 1)
      await page.mouse.wheel(0, 100_000)
      await chip.waitFor({ state: 'detached' })
      await last().waitFor()
      t.equal(await chosen.count(), 0)
      // Less than a line.
      await page.mouse.wheel(0, -10)
      await chip.waitFor()
      await settled(page)
      const before = await inSight(page)
      more(100)
      await chip.getByText('100 new ↓').waitFor()
      t.strictSame(await inSight(page), before)
      await page.mouse.wheel(0, -3000)
      await settled(page)
      t.notSame(await inSight(page), before)
      await page.locator('.log').focus()
      await page.keyboard.press('End')
      await chip.waitFor({ state: 'detached' })
      await last().waitFor()
    })

    await t.test('a leap to the first line reads the older ones', async t => {
      await page.evaluate(`document.querySelector('.log').scrollTop = 0`)
      await chip.waitFor()
      await settled(page)
      t.equal((await inSight(page))[0]?.[1], 'line 0')
      await chip.click()
      await chip.waitFor({ state: 'detached' })
      await last().waitFor()
    })

    await t.test('p stays where it is, and a larger window does not follow', async t => {
      const before = await inSight(page)
      await page.keyboard.press('p')
      await chip.waitFor()
      await settled(page)
      t.strictSame(await inSight(page), before)
      await page.setViewportSize({ width: 1440, height: 1000 })
      await settled(page)
      more(100)
      await chip.getByText('100 new ↓').waitFor()
      t.equal((await inSight(page)).at(-1)?.[1], before.at(-1)?.[1])
      await page.setViewportSize({ width: 1440, height: 900 })
      await chip.click()
      await chip.waitFor({ state: 'detached' })
      await last().waitFor()
      await page.setViewportSize({ width: 1440, height: 500 })
      await settled(page)
      more(100)
      await last().waitFor()
      t.equal(await chip.count(), 0, 'a smaller window goes on to follow')
    })
  },
  { timeout: 120_000, skip: noBrowser },
)
