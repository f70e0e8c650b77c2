import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import type { LocaldEvent } from '../../kernel/events.ts'
import { root } from '../user.ts'
import { noBrowser, openBrowser } from './browser.ts'
import { until } from './running.ts'
import { onEach } from './suite.ts'

const example = join(root, 'examples', 'shop')
if (!existsSync(join(example, 'node_modules')))
  throw new Error(`run \`npm ci\` in ${example}, or all tests by \`npm test\``)

onEach('the shop of the README', async (t, machine) => {
  const sandbox = machine.sandbox()
  const shop = sandbox.copy(example, 'shop')

  /** Changes a source file of the copy. */
  const edit = (file: string, from: string, to: string): void => {
    const path = join(shop, file)
    const text = readFileSync(path, 'utf8')
    if (!text.includes(from)) throw new Error(`${file} has no '${from}'`)
    sandbox.write(path, text.replace(from, to))
  }

  await t.test('all four services are ready', async t => {
    const events = await sandbox.up(shop)
    t.match(events.at(-1), { event: 'done', ok: true })
    t.ok(began(events, 'api') > wasHealthy(events, 'stock'), 'the API waits for the stock')
    t.ok(began(events, 'web') > wasHealthy(events, 'api'), 'the page waits for the API')
    const port = await sandbox.http()
    const views = await sandbox.status(shop)
    t.same(views.map(({ name, status, health, url }) => [name, status, health, url]).sort(), [
      ['api', 'running', 'healthy', `http://api.shop.localhost:${port}`],
      ['orders', 'running', null, null],
      ['stock', 'running', 'healthy', `http://stock.shop.localhost:${port}`],
      ['web', 'running', 'healthy', `http://shop.localhost:${port}`],
    ])
  })

  await t.test('each is reached by its name', async t => {
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

  await t.test('one service knows the other', async t => {
    const { port } = await sandbox.service(shop, 'stock')
    const words = ['run', 'api', '--', 'sh', '-c', 'echo $STOCK_URL $SHOP_NAME $SHOP_CURRENCY']
    t.equal((await sandbox.ok(words, { cwd: shop })).stdout, `http://127.0.0.1:${port} Kiln EUR\n`)
  })

  await t.test('what the editor sees is right, too', async t => {
    // As the tester, who may read the compiler wherever it is; by env(1) without what the test runner adds.
    const tsc = ['-u', 'NODE_OPTIONS', join(root, 'node_modules', '.bin', 'tsc'), '--project', shop]
    const ran = spawnSync('env', tsc, { encoding: 'utf8' })
    t.equal(ran.stdout + ran.stderr, '')
  })

  await t.test('in a browser', { skip: noBrowser }, async t => {
    const browser = await openBrowser(t)
    const page = await browser.newPage()
    const sockets: string[] = []
    const loads: string[] = []
    const errors: string[] = []
    page.on('websocket', socket => sockets.push(socket.url()))
    page.on('load', it => loads.push(it.url()))
    page.on('pageerror', error => errors.push(error.message))
    const origin = `shop.localhost:${await sandbox.http()}`
    await page.goto(`http://${origin}/`)
    await shows(page, 'h1', 'Tableware from a small kiln')
    t.equal(await page.locator('.card').count(), 6)
    // Gone with a reload.
    await page.evaluate(() => Object.assign(globalThis, { kept: 1 }))

    await t.test('an order goes through all services', async t => {
      await page.getByRole('button', { name: 'Buy Slender vase' }).click()
      await shows(page, '.packed', 'Slender vase')
      await shows(page, '[data-product=vase] .left', '1 left')
      const lines = (await sandbox.logs(shop, ['orders', 'stock'])).map(({ service, text }) => `${service}: ${text}`)
      t.match(lines.join('\n'), /stock: vase: 1 left[\s\S]*orders: order 1: packed/)
    })

    await t.test('a changed source file shows without a reload', async () => {
      edit('web/view.ts', 'Tableware from a small kiln', 'Tableware, still warm')
      await shows(page, 'h1', 'Tableware, still warm')
      await shows(page, '.packed', 'Slender vase')
      edit('web/style.css', '--clay: #a8502f', '--clay: #00ff00')
      await page.waitForFunction("getComputedStyle(document.querySelector('.brand')).color === 'rgb(0, 255, 0)'")
    })

    await t.test('a changed API is started anew, and shows', async t => {
      const before = await sandbox.status(shop)
      edit('api/catalogue.js', 'Morning mug', 'Evening mug')
      await shows(page, '[data-product=mug] h3', 'Evening mug')
      await shows(page, '.live', 'live')
      await shows(page, '[data-product=vase] .left', '1 left')
      const after = await until('the API is well again', async () => {
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

    t.equal(await page.evaluate(() => Reflect.get(globalThis, 'kept')), 1, 'it is still the same page')
    t.same(loads, [`http://${origin}/`])
    t.ok(
      sockets.length > 0 && sockets.every(url => url.startsWith(`ws://${origin}/`)),
      'its WebSocket goes through the proxy',
      { sockets },
    )
    t.same(errors, [])
  })

  await t.test('stop leaves nothing', async t => {
    await sandbox.ok(['stop'], { cwd: shop })
    t.same(
      (await sandbox.status(shop)).map(({ status }) => status),
      ['stopped', 'stopped', 'stopped', 'stopped'],
    )
    const { pid } = await sandbox.server()
    await until('only the daemon is left', () =>
      sandbox.processes().every(it => it.pid === pid || it.command.includes('locald-keeper lock')),
    )
    t.match(await sandbox.get('shop.localhost'), { status: 503 })
  })
})

/** Which event, counted from the start, told that a service starts. */
function began(events: readonly LocaldEvent[], name: string): number {
  return events.findIndex(it => it.event === 'service' && it.service.name === name && it.service.status === 'starting')
}

/** Which event told first that it is healthy. Throws where none does. */
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
