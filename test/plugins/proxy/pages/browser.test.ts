import type { Page } from 'playwright-core'
import t from 'tap'
import { noBrowser, openBrowser } from '../../../lib/browser.ts'
import { boot } from '../lib/boot.ts'
import { at, raw, serve } from '../lib/services.ts'

t.test('error pages in a browser', { timeout: 90_000, skip: noBrowser }, async t => {
  const { port, catalog } = await boot(t, { limits: { poll: 100, longPoll: 500, progress: 50 } })
  const browser = await openBrowser(t)
  const context = await browser.newContext()
  const problems: string[] = []
  const open = async (path: string): Promise<{ readonly page: Page; readonly visits: () => number }> => {
    const page = await context.newPage()
    let visits = 0
    page.on('framenavigated', () => visits++)
    page.on('pageerror', error => problems.push(error.message))
    page.on('console', message => {
      if (!message.text().startsWith('Failed to load resource')) problems.push(message.text())
    })
    await page.goto(`http://shop.localhost:${port}${path}`)
    return { page, visits: () => visits }
  }
  const shows = (page: Page, text: string) => page.getByText(text).first().waitFor({ timeout: 10_000 })
  const service = await serve(t, (_, res) => res.setHeader('Content-Type', 'text/html').end('<p>it works'))

  await t.test('the page of a failed service shows the progress and reloads when it is started', async t => {
    catalog.set('shop:web', { status: 'failed', reason: 'exited with code 1; set `PORT`' })
    const { page, visits } = await open('/')
    await shows(page, 'shop:web failed')
    t.equal(await page.locator('code').first().textContent(), 'PORT', 'commands are set as code')
    for (const [colorScheme, width] of [
      ['light', 1280],
      ['dark', 390],
    ] as const) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width, height: 800 })
      t.equal(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0, 'nothing is cut off')
    }
    catalog.tails.set('shop:web', ['compiling'])
    catalog.set('shop:web', { status: 'starting', reason: 'no connection yet' })
    await shows(page, 'no connection yet')
    await shows(page, 'compiling')
    catalog.set('shop:web', { status: 'starting', reason: 'waiting for `db`' })
    await page.locator('#reason code', { hasText: 'db' }).waitFor({ timeout: 10_000 })
    catalog.set('shop:web', { ...at(service.port), reason: null })
    await shows(page, 'it works')
    t.equal(visits(), 3)
  })

  await t.test('one visit to a URL that crashes its service causes two crashes', async t => {
    let crashes = 0
    const dies = await raw(t, socket => {
      socket.on('data', () => {
        crashes++
        catalog.set('shop:web', { status: 'restarting', restarts: crashes, reason: 'exited with code 7' })
        socket.destroy()
      })
    })
    catalog.set('shop:web', { ...at(dies.port), restarts: 0 })
    const { page, visits } = await open('/die')
    // It runs again only now: the proxy has seen the lost connection.
    await shows(page, 'exited with code 7')
    catalog.set('shop:web', { ...at(dies.port), reason: null })
    await shows(page, 'shop:web crashed twice on GET /die: exited with code 7')
    t.match([crashes, visits()], [2, 2])
    catalog.set('shop:web', { status: 'waiting', restarts: 0 })
    catalog.set('shop:web', at(service.port))
    await shows(page, 'it works')
    t.equal(crashes, 2, 'until it runs again')
  })

  t.strictSame(problems, [], 'the content security policy lets the page work')
})
