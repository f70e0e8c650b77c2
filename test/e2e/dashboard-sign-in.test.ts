import type { BrowserContext } from 'playwright-core'
import t from 'tap'
import { noBrowser, openBrowser } from '../lib/browser.ts'
import { Sandbox } from '../lib/sandbox.ts'

/** A page of a project that tries to use the dashboard in the name of the person who is signed in to it. */
const hostile = `import { createServer } from 'node:http'
createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html')
  response.end('<title>shop</title>')
}).listen(Number(process.env.PORT), '127.0.0.1')`

t.test('signs a browser in by a link', { skip: noBrowser }, async t => {
  const sandbox = new Sandbox(t)
  const folder = sandbox.project('shop', {
    'locald.toml': `[project]\nname = "shop"\n[services.web]\ncommand = "exec ${process.execPath} server.mjs"\n`,
    'server.mjs': hostile,
  })
  await sandbox.up(folder)
  const port = await sandbox.https()
  const own = `https://locald.localhost:${port}`
  const browser = await openBrowser(t)
  const contextOf = async (): Promise<BrowserContext> => {
    const context = await browser.newContext({ ignoreHTTPSErrors: true })
    t.teardown(() => context.close())
    return context
  }
  const signInUrl = async (args: readonly string[] = ['dashboard']): Promise<string> => {
    const { url }: { url: string } = JSON.parse((await sandbox.ok([...args, '--json'], { cwd: folder })).stdout)
    t.match(url, /^http:/, 'while no store trusts the CA')
    const { pathname, search } = new URL(url)
    return `${own}${pathname}${search}`
  }
  const context = await contextOf()
  const page = await context.newPage()
  const link = await signInUrl()

  await t.test('which leads to the app, and is not in the URL any more', async t => {
    await page.goto(link)
    await page.waitForURL(`${own}/`)
    await page.locator('#app').waitFor({ state: 'attached' })
    t.equal(await page.evaluate('document.cookie'), '', 'no script can read the session')
    t.equal(await page.evaluate('document.referrer'), '')
    const ping = await page.evaluate("fetch('/v1/ping').then(answer => answer.status)")
    t.equal(ping, 200)
  })

  await t.test('that leads the same browser there again, and no other one', async t => {
    await page.goto(link)
    await page.waitForURL(`${own}/`)
    const thief = await (await contextOf()).newPage()
    const answer = await thief.goto(link)
    t.equal(answer?.status(), 401)
    t.match(await thief.textContent('main'), /used already.*locald dashboard/s)
    const place = await thief.goto(`${own}/logs`)
    t.equal(place?.status(), 401)
    await thief.goto(`${own}/`)
    t.match(await thief.textContent('main'), /shop:web/, 'the plain list')
  })

  await t.test('of a service, to its page', async t => {
    await page.goto(await signInUrl(['open', '--dashboard', 'web']))
    await page.waitForURL(`${own}/service/shop:web`)
    await page.locator('#app').waitFor({ state: 'attached' })
    t.pass('the page of the service')
  })

  await t.test('and lets no page of a project use it', async t => {
    await page.goto(`https://shop.localhost:${port}/`)
    const tried = await page.evaluate(`(async () => {
      const own = '${own}'
      const fetched = async options => await fetch(own + '/v1/ping', { credentials: 'include', ...options }).then(
        answer => answer.type + answer.status, error => error.name)
      const socket = await new Promise(done => {
        const socket = new WebSocket(own.replace('https', 'wss') + '/v1/services/terminal')
        socket.onopen = () => done('open')
        socket.onerror = () => done('error')
      })
      const events = await new Promise(done => {
        const source = new EventSource(own + '/v1/stream?topic=events', { withCredentials: true })
        source.onopen = () => done('open')
        source.onerror = () => done('error')
      })
      return [await fetched({}), await fetched({ method: 'POST' }), await fetched({ mode: 'no-cors' }), socket, events]
    })()`)
    t.strictSame(tried, ['TypeError', 'TypeError', 'TypeError', 'error', 'error'])
  })

  await t.test('and finds the dashboard from the page of a stopped service, which is of another site', async t => {
    await sandbox.ok(['stop', 'web'], { cwd: folder })
    await page.goto(`https://shop.localhost:${port}/`)
    await page.getByRole('link', { name: 'Open shop:web in the dashboard' }).click()
    await page.waitForURL(`${own}/service/shop:web`)
    await page.locator('#app').waitFor({ state: 'attached' })
    const stranger = await (await contextOf()).newPage()
    await stranger.goto(`https://shop.localhost:${port}/`)
    await stranger.getByRole('link', { name: 'Open shop:web in the dashboard' }).click()
    await stranger.getByRole('heading', { name: 'This browser is not signed in' }).waitFor()
    t.pass('both are answered')
  })
})
