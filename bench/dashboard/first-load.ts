import { program } from '../folders.ts'
import { Locald, listeners } from '../locald.ts'
import { median } from '../measure.ts'
import { freePorts } from '../ports.ts'
import type { Row } from '../report.ts'
import { loadedPage, noteLoads, openBrowser, signedIn } from './browser.ts'

/** Measures the first page that a daemon serves since its start, in a browser with an empty cache. */
export async function firstLoad({ smoke }: { readonly smoke: boolean }): Promise<Row[]> {
  const rounds = smoke ? 1 : 5
  const locald = new Locald(listeners(await freePorts(6, 30_100), program('listener')))
  const browser = await openBrowser()
  const found = []
  try {
    locald.run('up')
    for (let round = 0; round < rounds; round++) {
      locald.run('server', 'restart')
      const { context, origin } = await signedIn(browser, locald)
      await noteLoads(context, 'tr[data-row] .name')
      found.push(await loadedPage(await context.newPage(), `${origin}/`))
      await context.close()
    }
    const usable = median(found.map(it => it.usable))
    return [
      { what: 'first load of a fresh daemon: rows painted', value: median(found.map(it => it.painted)), unit: 'ms' },
      { what: '  … usable', value: usable, unit: 'ms', target: '< 500 ms', met: usable < 500 },
    ]
  } finally {
    await browser.close()
    await locald.close()
  }
}
