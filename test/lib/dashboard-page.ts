import type { Browser, Page } from 'playwright-core'
import type { Sandbox, Test } from './sandbox.ts'

/** A signed-in page of a sandbox's dashboard, and what it must not have. */
export interface DashboardPage {
  readonly page: Page
  /** Its origin: `https://locald.localhost:PORT`. */
  readonly origin: string
  /** Violations of its content security policy, and errors of its scripts, so far. */
  readonly faults: readonly string[]
}

/** Opens the dashboard of a sandbox, signed in by the URL that the CLI prints. */
export async function openDashboard(t: Test, sandbox: Sandbox, browser: Browser): Promise<DashboardPage> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1440, height: 900 } })
  t.teardown(() => context.close())
  const page = await context.newPage()
  const faults: string[] = []
  page.on('pageerror', error => void faults.push(error.message))
  page.on('console', message => {
    if (message.text().startsWith('Refused') || message.text().includes('Content Security Policy'))
      faults.push(message.text())
  })
  const { url }: { url: string } = JSON.parse((await sandbox.ok(['dashboard', '--json'])).stdout)
  await page.goto(url)
  await page.waitForSelector('.app')
  return { page, origin: new URL(url).origin, faults }
}
