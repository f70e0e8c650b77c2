import { request } from 'node:http'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import type { Locald } from '../locald.ts'
import { used } from '../processes.ts'

const program = process.env['CHROMIUM'] || '/usr/bin/chromium'

/** Starts a browser without a window, which asks nothing of the network. */
export function openBrowser(): Promise<Browser> {
  const quiet = ['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
  return chromium.launch({
    executablePath: program,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', ...quiet],
  })
}

/** A profile that is signed in, though the daemon has not served any file of the page yet. */
export async function signedIn(browser: Browser, locald: Locald): Promise<{ context: BrowserContext; origin: string }> {
  const { url }: { readonly url: string } = JSON.parse(await locald.ask('POST', '/v1/dashboard/token'))
  const origin = `http://locald.localhost:${httpPortOf(locald.run('server', 'status', '--json'))}`
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ignoreHTTPSErrors: true })
  const { pathname, search } = new URL(url)
  for (const cookie of await cookiesOf(`${origin}${pathname}${search}`)) {
    const [name = '', value = ''] = (cookie.split(';')[0] ?? '').split('=')
    await context.addCookies([{ name, value, url: origin, httpOnly: true, sameSite: 'Strict' }])
  }
  return { context, origin }
}

/** Opens the one-time link as a browser does, without following it. */
function cookiesOf(url: string): Promise<readonly string[]> {
  const { port, host, pathname, search } = new URL(url)
  return new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', path: pathname + search, headers: { host } }, answer => {
      answer.resume()
      resolve(answer.headers['set-cookie'] ?? [])
    })
      .once('error', reject)
      .end()
  })
}

/** The CPU time of the process that renders a page, and of the browser's others, ms. */
export async function browserMs(page: Page): Promise<number> {
  const session = await page.context().browser()?.newBrowserCDPSession()
  if (session === undefined) throw new Error('no browser')
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  await session.detach()
  return processInfo.reduce((sum, { id }) => sum + used(id).cpuMs, 0)
}

/** When a page showed its content, and when it could be used: ms since the navigation began. */
export interface Loaded {
  readonly painted: number
  readonly usable: number
}

/** Makes each page of a profile note when what `selector` names is shown; until then it looks in each frame. */
export async function noteLoads(context: BrowserContext, selector: string): Promise<void> {
  // Usable: painted, and no long task in the second that follows.
  await context.addInitScript(`globalThis.loaded = new Promise(resolve => {
    let busyUntil = 0
    new PerformanceObserver(list => {
      for (const { startTime, duration } of list.getEntries()) busyUntil = Math.max(busyUntil, startTime + duration)
    }).observe({ type: 'longtask', buffered: true })
    const look = () => {
      if (document.querySelector(${JSON.stringify(selector)}) === null) return requestAnimationFrame(look)
      const painted = performance.now()
      const settle = () => {
        const usable = Math.max(painted, busyUntil)
        if (performance.now() - usable < 1000) setTimeout(settle, 100)
        else resolve({ painted, usable })
      }
      settle()
    }
    requestAnimationFrame(look)
  })`)
}

/** Opens a page of a profile that notes loads. */
export async function loadedPage(page: Page, url: string): Promise<Loaded> {
  await page.goto(url)
  return page.evaluate('globalThis.loaded')
}

function httpPortOf(status: string): number {
  const { http }: { readonly http: number } = JSON.parse(status)
  return http
}
