import { program } from '../folders.ts'
import { Locald, listeners } from '../locald.ts'
import { freePorts } from '../ports.ts'
import { used } from '../processes.ts'
import type { Row } from '../report.ts'
import { browserMs, openBrowser, signedIn } from './browser.ts'

/** Measures the CPU of the daemon and of the browser while nothing happens on an open page. */
export async function quiet({ smoke }: { readonly smoke: boolean }): Promise<Row[]> {
  const seconds = smoke ? 1 : 30
  const locald = new Locald(listeners(await freePorts(10, 30_200), program('listener')))
  const browser = await openBrowser()
  try {
    locald.run('up')
    const { context, origin } = await signedIn(browser, locald)
    const page = await context.newPage()
    const rows: Row[] = []
    for (const path of ['/', '/logs', '/graph']) {
      await page.goto(`${origin}${path}`)
      await page.locator('.app').waitFor()
      await page.waitForTimeout(smoke ? 100 : 5000)
      const { pid, cpuMs } = locald.daemon()
      const before = await browserMs(page)
      await page.waitForTimeout(seconds * 1000)
      const own = used(pid).cpuMs - cpuMs
      const limit = seconds * 2
      rows.push(
        {
          what: `idle ${path} for ${seconds} s: daemon`,
          value: own,
          unit: 'ms',
          target: `<= ${limit} ms`,
          met: own <= limit,
        },
        { what: '  … browser', value: (await browserMs(page)) - before, unit: 'ms' },
      )
    }
    return rows
  } finally {
    await browser.close()
    await locald.close()
  }
}
