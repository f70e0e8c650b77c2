import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import type { LocaldEvent } from '../../kernel/events.ts'
import { noBrowser, openBrowser } from '../lib/browser.ts'
import { until } from '../lib/running.ts'
import { root } from '../lib/user.ts'
import { onHost } from './suite.ts'

const example = join(root, 'examples', 'shop')
if (!existsSync(join(example, 'node_modules')))
  throw new Error(`run \`npm ci\` in ${example}, or all tests by \`npm test\``)

onHost('the shop of the README', async (t, machine) => {
  const sandbox = machine.sandbox()
  const shop = sandbox.copy(example, 'shop')

  /** Changes a source file of the copy. */
  const edit = (file: string, from: string, to: string): void => {
    const path = join(shop, file)
    const text = readFileSync(path, 'utf8')
    if (!text.includes(from)) throw new Error(`${file} has no '${from}'`)
    // As editors do: at once, so that no one reads half a file.
    sandbox.write(`${path}.new`, text.replace(from, to))
    renameSync(`${path}.new`, path)
  }

  await t.test('all four services are ready', async t => {
    const events = await sandbox.up(shop)
    t.match(events.at(-1), { event: 'done', ok: true })
    t.ok(began(events, 'api') > wasHealthy(events, 'stock'), 'the API waits for the stock')
    t.ok(began(events, 'web') > wasHealthy(events, 'api'), 'the page waits for the API')
    const port = await sandbox.https()
    const views = await sandbox.status(shop)
    t.same(views.map(({ name, status, health, url }) => [name, status, health, url]).sort(), [
      ['api', 'running', 'healthy', `https://api.shop.localhost:${port}`],
      ['orders', 'running', null, null],
      ['stock', 'running', 'healthy', `https://stock.shop.localhost:${port}`],
      ['web', 'running', 'healthy', `https://shop.localhost:${port}`],
    ])
  })

  await t.test('each service answers under its name', async t => {
    t.match(await sandbox.get('shop.localhost'), { status: 200, body: '<title>Kiln</title>' })
    const products = await sandbox.get('shop.localhost', '/api/products')
    t.match(
      JSON.parse(products.body)[0],
      { id: 'mug', name: 'Morning mug', left: 12 },
      'prices of one service, stock of another',
    )
    t.same((await sandbox.get('api.shop.localhost', '/api/products')).body, products.body, 'the prefix is kept')
    t.match(JSON.parse((await sandbox.get('stock.shop.localhost', '/stock')).body), { vase: 2 })
    t.match(await sandbox.get('shep.localhost'), { status: 404 })
  })

  await t.test('a service gets the URL of another', async t => {
    const { port } = await sandbox.service(shop, 'stock')
    const words = ['run', 'api', '--', 'sh', '-c', 'echo $STOCK_URL $SHOP_NAME $SHOP_CURRENCY']
    t.equal((await sandbox.ok(words, { cwd: shop })).stdout, `http://127.0.0.1:${port} Kiln EUR\n`)
  })

  await t.test("the editor's schema accepts its configuration", async t => {
    // As the tester, who may read the compiler wherever it is.
    const ran = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['--project', shop], { encoding: 'utf8' })
    t.equal(ran.stdout + ran.stderr, '')
  })

  await t.test('in a browser', { skip: noBrowser }, async t => {
    const browser = await openBrowser(t)
    const pages = [
      await visit(browser, `https://shop.localhost:${await sandbox.https()}/`),
      await visit(browser, `http://shop.localhost:${await sandbox.http()}/`),
    ] as const
    const [{ page }] = pages
    const protocol = "performance.getEntriesByType('navigation')[0].nextHopProtocol"
    t.same(await Promise.all(pages.map(({ page }) => page.evaluate(protocol))), ['h2', 'http/1.1'])
    for (const { page } of pages) {
      await shows(page, 'h1', 'Tableware from a small kiln')
      t.equal(await page.locator('.card').count(), 6)
      // Lost with a reload.
      await page.evaluate(() => Object.assign(globalThis, { kept: 1 }))
    }

    await t.test('an order passes through all services', async t => {
      await page.getByRole('button', { name: 'Buy Slender vase' }).click()
      await shows(page, '.packed', 'Slender vase')
      await shows(page, '[data-product=vase] .left', '1 left')
      const lines = (await sandbox.logs(shop, ['orders', 'stock'])).map(({ service, text }) => `${service}: ${text}`)
      t.match(lines.join('\n'), /stock: vase: 1 left[\s\S]*orders: order 1: packed/)
    })

    await t.test('a changed source file appears without a reload', async () => {
      edit('web/view.ts', 'Tableware from a small kiln', 'Tableware, still warm')
      for (const { page } of pages) {
        await shows(page, 'h1', 'Tableware, still warm')
        await shows(page, '.packed', 'Slender vase')
      }
      edit('web/style.css', '--clay: #a8502f', '--clay: #00ff00')
      const isGreen = "getComputedStyle(document.querySelector('.brand')).color === 'rgb(0, 255, 0)'"
      for (const { page } of pages) await page.waitForFunction(isGreen)
    })

    await t.test('a changed API service restarts and shows its change', async t => {
      const before = await sandbox.status(shop)
      edit('api/catalogue.js', 'Morning mug', 'Evening mug')
      await shows(page, '[data-product=mug] h3', 'Evening mug')
      await shows(page, '.live', 'live')
      await shows(page, '[data-product=vase] .left', '1 left')
      const after = await until('the API is healthy again', async () => {
        const now = await sandbox.status(shop)
        return now.every(({ name, health }) => name === 'orders' || health === 'healthy') && now
      })
      const changed = after.filter(view => view.pid !== before.find(({ name }) => name === view.name)?.pid)
      t.same(
        changed.map(({ name }) => name),
        ['api'],
        'and nothing else',
      )
      await page.getByRole('button', { name: 'Buy Evening mug' }).click()
      await shows(page, '.packed', 'Evening mug')
    })

    for (const { page, url, loads, sockets, errors } of pages) {
      t.equal(await page.evaluate(() => Reflect.get(globalThis, 'kept')), 1, 'it is still the same page')
      t.same(loads, [url])
      const through = url.replace('http', 'ws')
      const isThrough = sockets.length > 0 && sockets.every(socket => socket.startsWith(through))
      t.ok(isThrough, 'its WebSocket goes through the proxy', { sockets })
      t.same(errors, [])
    }
  })

  await t.test('stop leaves no process', async t => {
    await sandbox.ok(['stop'], { cwd: shop })
    t.same(
      (await sandbox.status(shop)).map(({ status }) => status),
      ['stopped', 'stopped', 'stopped', 'stopped'],
    )
    // The daemon, the keeper that holds its lock, the one that starts keepers.
    const isDaemon = /kernel\/daemon\.js|locald-keeper (lock|starter) /
    await until('only the daemon is left', () => sandbox.processes().every(({ command }) => isDaemon.test(command)))
    t.match(await sandbox.get('shop.localhost'), { status: 503 })
  })
})

/** Returns the index of the event that reports the start of a service. */
function began(events: readonly LocaldEvent[], name: string): number {
  return events.findIndex(it => it.event === 'service' && it.service.name === name && it.service.status === 'starting')
}

/** Returns the index of the first event that reports it as healthy. Throws when there is none. */
function wasHealthy(events: readonly LocaldEvent[], name: string): number {
  const at = events.findIndex(
    it => it.event === 'service' && it.service.name === name && it.service.health === 'healthy',
  )
  if (at < 0) throw new Error(`${name} was never healthy`)
  return at
}

/** Waits until an element has the text. */
async function shows(page: Page, selector: string, text: string): Promise<void> {
  await page.locator(selector, { hasText: text }).first().waitFor({ timeout: 20_000 })
}

/** A page with what was seen of it. */
interface Visit {
  readonly page: Page
  readonly url: string
  readonly loads: readonly string[]
  readonly sockets: readonly string[]
  readonly errors: readonly string[]
}

async function visit(browser: Browser, url: string): Promise<Visit> {
  // Whether the certificate is trusted is for other tests.
  const page = await browser.newPage({ ignoreHTTPSErrors: true })
  const loads: string[] = []
  const sockets: string[] = []
  const errors: string[] = []
  page.on('load', it => loads.push(it.url()))
  page.on('websocket', socket => sockets.push(socket.url()))
  page.on('pageerror', error => errors.push(error.message))
  await page.goto(url)
  return { page, url, loads, sockets, errors }
}
