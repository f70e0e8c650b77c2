import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { program } from '../folders.ts'
import { Locald } from '../locald.ts'
import { median } from '../measure.ts'
import type { Row } from '../report.ts'
import { loadedPage, noteLoads, openBrowser, signedIn } from './browser.ts'

/** Measures the overview of 300 services in 20 projects. */
export async function many({ smoke }: { readonly smoke: boolean }): Promise<Row[]> {
  const [projects, each, rounds] = smoke ? [2, 3, 1] : [20, 15, 5]
  const listener = program('listener')
  const service = (index: number) => `[services.s${index + 1}]\ncommand = "exec ${listener}"\n`
  const services = Array.from({ length: each }, (_, index) => service(index)).join('')
  const locald = new Locald(`[project]\nname = "bench"\n${services}`)
  const browser = await openBrowser()
  const found = []
  try {
    for (let project = 0; project < projects; project++) {
      const folder = join(locald.home, `p${project}`)
      mkdirSync(folder)
      writeFileSync(join(folder, 'locald.toml'), `[project]\nname = "p${project}"\n${services}`)
      locald.runIn(folder, 'up')
    }
    for (let round = 0; round < rounds; round++) {
      const { context, origin } = await signedIn(browser, locald)
      await noteLoads(context, 'tr[data-row] .name')
      found.push(await loadedPage(await context.newPage(), `${origin}/`))
      await context.close()
    }
    const usable = median(found.map(it => it.usable))
    const what = `${projects * each} services in ${projects} projects`
    return [
      { what: `${what}: rows painted`, value: median(found.map(it => it.painted)), unit: 'ms' },
      { what: '  … interactive', value: usable, unit: 'ms', target: '< 1000 ms', met: usable < 1000 },
    ]
  } finally {
    await browser.close()
    await locald.close()
  }
}
