/**
 * The dashboard in a browser: signs in, watches for errors of the page, checks it with axe and keeps pictures.
 *
 *     const dashboard = await openDashboard(t, sandbox)
 *     const page = await dashboard.visit('/logs')
 *     await dashboard.checkLooks(t, '/logs', 'logs', page => page.locator('.line').first().waitFor())
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Browser, BrowserContext, Cookie, Page } from 'playwright-core'
import type { Test } from 'tap'
import { openBrowser } from './browser.ts'
import type { Sandbox } from './sandbox.ts'
import { root } from './sources.ts'

/** How a page is looked at. */
export interface Look {
  readonly size: 'desk' | 'phone'
  readonly theme: 'light' | 'dark'
}

const sizes = { desk: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } } as const

/** All looks that each screen is checked in. */
export const looks: readonly Look[] = [
  { size: 'desk', theme: 'light' },
  { size: 'desk', theme: 'dark' },
  { size: 'phone', theme: 'light' },
  { size: 'phone', theme: 'dark' },
]

const pictures = join(root, 'build', 'test-report', 'dashboard')
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** For one step of a page, ms. */
const stepMs = 15_000

/** A signed-in browser. At the end of the test, errors of its pages fail it. */
export class Dashboard {
  /** `http://locald.localhost:PORT`. */
  readonly origin: string
  /** Errors of pages: exceptions, violations of the policy, failed loads. A test that expects some empties it. */
  readonly problems: string[] = []
  readonly #browser: Browser
  readonly #signIn: () => Promise<string>
  readonly #contexts = new Map<string, Promise<BrowserContext>>()
  #cookies: Promise<Cookie[]> | undefined

  constructor(browser: Browser, origin: string, signIn: () => Promise<string>) {
    this.#browser = browser
    this.origin = origin
    this.#signIn = signIn
  }

  /** Opens a page at a path, in the same profile for the same look: pages of one are tabs of one browser. */
  async visit(path: string, look: Look = { size: 'desk', theme: 'light' }): Promise<Page> {
    const page = await (await this.context(look)).newPage()
    await page.goto(`${this.origin}${path}`)
    return page
  }

  /** Returns the profile of a look, signed in. */
  context(look: Look): Promise<BrowserContext> {
    const name = `${look.size}-${look.theme}`
    const made = this.#contexts.get(name) ?? this.#open(look)
    this.#contexts.set(name, made)
    return made
  }

  /**
   * Looks at a screen in all sizes and themes: axe must find nothing, and a picture is kept in
   * `build/test-report/dashboard/`. `ready` waits until the screen shows what it should. The theme changes under the
   * open page, as when the system changes its own at dusk.
   */
  async checkLooks(t: Test, path: string, name: string, ready: (page: Page) => Promise<unknown>): Promise<void> {
    for (const size of ['desk', 'phone'] as const) {
      const page = await this.visit(path, { size, theme: 'light' })
      await ready(page)
      for (const theme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: theme })
        await checkPage(t, page, `${name}-${size}-${theme}`)
      }
      await page.close()
    }
  }

  async #open({ size, theme }: Look): Promise<BrowserContext> {
    const context = await this.#browser.newContext({
      ...{ viewport: sizes[size], colorScheme: theme, reducedMotion: 'reduce', ignoreHTTPSErrors: true },
      ...{ hasTouch: size === 'phone', permissions: ['clipboard-read', 'clipboard-write'] },
    })
    context.setDefaultTimeout(stepMs)
    // One profile signs in, which takes a second; the others have its session.
    this.#cookies ??= this.#cookiesOf(context)
    await context.addCookies(await this.#cookies)
    // The page that signs in is not the app's.
    context.on('page', page => this.#watch(page))
    return context
  }

  async #cookiesOf(context: BrowserContext): Promise<Cookie[]> {
    const page = await context.newPage()
    await page.goto(await this.#signIn())
    await page.locator('.app').waitFor()
    await page.close()
    return await context.cookies()
  }

  #watch(page: Page): void {
    page.on('pageerror', error => this.problems.push(`${page.url()}: ${error.message}`))
    page.on('console', message => {
      // Chromium asks for it where a page names no icon.
      if (message.location().url.endsWith('/favicon.ico')) return
      if (message.type() === 'error') this.problems.push(`${page.url()}: ${message.text()}`)
    })
  }
}

/** Opens the dashboard of a sandbox whose daemon runs. */
export async function openDashboard(t: Test, sandbox: Sandbox): Promise<Dashboard> {
  const browser = await openBrowser(t)
  const { socket } = await sandbox.server()
  const http = await sandbox.http()
  const origin = `http://locald.localhost:${http}`
  const signIn = async (): Promise<string> => {
    const { url }: { readonly url: string } = await callApi(socket, 'POST', '/v1/dashboard/token')
    const { pathname, search } = new URL(url)
    return `${origin}${pathname}${search}`
  }
  const dashboard = new Dashboard(browser, origin, signIn)
  t.teardown(() => {
    if (dashboard.problems.length > 0) throw new Error(`errors of pages:\n${dashboard.problems.join('\n')}`)
  })
  return dashboard
}

/** Calls the API on its Unix socket. */
export function callApi<T>(socketPath: string, method: string, path: string, body?: object): Promise<T> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' }
    const asking = request({ socketPath, method, path, headers, timeout: stepMs }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', piece => {
        text += piece
      })
      response.once('error', reject)
      response.once('end', () =>
        response.statusCode === 200 ? resolve(JSON.parse(text)) : reject(new Error(`${response.statusCode} ${text}`)),
      )
    })
    asking.once('error', reject)
    asking.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

/** Expects no violation by axe, and keeps a picture. */
export async function checkPage(t: Test, page: Page, name: string): Promise<void> {
  mkdirSync(pictures, { recursive: true })
  await page.screenshot({ path: join(pictures, `${name}.png`) })
  // By the debugger, which the page's policy does not limit.
  if ((await page.evaluate('typeof axe')) === 'undefined') await page.evaluate(axe)
  const found: readonly string[] = await page.evaluate(`axe.run().then(({ violations }) => violations.flatMap(
    ({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + ' ' + target.join(' ') + ': ' + failureSummary)))`)
  t.strictSame(found, [], `${name}: axe finds nothing`)
}
