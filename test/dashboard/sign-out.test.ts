/** Signing out closes the session of the browser: on the server, in all of its tabs, and what they have open. */
import { type IncomingMessage, request } from 'node:http'
import { onHost } from '../e2e/suite.ts'
import { noBrowser } from '../lib/browser.ts'
import { callApi, openDashboard } from '../lib/dashboard.ts'
import { until } from '../lib/running.ts'
import { fetchFrom } from '../lib/web.ts'

const files = {
  'locald.toml': '[project]\nname = "shop"\n[services.web]\ntype = "worker"\ncommand = "sleep 1000"\n',
}

/** Opens a stream as the page has it. */
function openStream(port: number, cookie: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { host: `locald.localhost:${port}`, cookie }
    const asking = request({ host: '127.0.0.1', port, path: '/v1/stream?topic=usage', headers, agent: false })
    asking.once('error', reject)
    asking.once('response', response => {
      response.on('error', () => {})
      resolve(response.resume())
    })
    asking.end()
  })
}

onHost(
  'signing out of the dashboard',
  async (t, machine) => {
    const sandbox = machine.sandbox()
    await sandbox.up(sandbox.project('shop', files))
    const dashboard = await openDashboard(t, sandbox)
    const http = await sandbox.http()
    const context = await dashboard.context({ size: 'desk', theme: 'light' })
    const [tab, page] = [await dashboard.visit('/logs'), await dashboard.visit('/system')]
    await tab.getByRole('navigation', { name: 'Projects' }).getByText('web').waitFor()
    const [cookie] = await context.cookies(dashboard.origin)
    const ask = async () => {
      const headers = { cookie: `${cookie?.name}=${cookie?.value}` }
      return (await fetchFrom(http, 'locald.localhost', '/v1/ping', headers)).status
    }

    const stream = await openStream(http, `${cookie?.name}=${cookie?.value}`)

    await t.test('is offered on the screen of the system, and answers with the plain list', async t => {
      t.equal(await ask(), 200)
      await page.getByRole('region', { name: 'Daemon' }).getByRole('button', { name: 'Sign out' }).click()
      await page.waitForURL(url => url.pathname === '/')
      await page.getByText('shop:web').first().waitFor()
      t.equal(await page.locator('.app').count(), 0)
      t.strictSame(await context.cookies(dashboard.origin), [])
    })

    await t.test('is over on the server, too', async t => {
      t.equal(await ask(), 401)
      await until('the end of its stream', () => stream.closed, 2000)
    })

    await t.test('closes the stream of the other tabs, which say how to sign in', async t => {
      await tab.getByRole('heading', { name: 'Sign in' }).waitFor()
      await tab.getByText('locald dashboard').waitFor()
      t.equal(await tab.locator('.app').count(), 0, 'no data is left on it')
    })

    await t.test('and a new link signs all tabs in again', async t => {
      const { socket } = await sandbox.server()
      const { url }: { url: string } = await callApi(socket, 'POST', '/v1/dashboard/token', { scheme: 'http' })
      await page.goto(url)
      await page.locator('.app').waitFor()
      await page.getByRole('navigation', { name: 'Projects' }).getByText('web').waitFor()
      await until('the other tab', async () => {
        await tab.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        return (await tab.locator('.app').count()) === 1
      })
      t.equal(new URL(tab.url()).pathname, '/logs')
    })
    // The browser reports each request that was refused, and the stream that was cut.
    dashboard.problems.length = 0
  },
  { timeout: 180_000, skip: noBrowser },
)
