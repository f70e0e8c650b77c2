import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CDPSession, Page } from 'playwright-core'
import { Locald } from '../locald.ts'
import { until } from '../measure.ts'
import { used } from '../processes.ts'
import type { Row } from '../report.ts'
import { openBrowser, signedIn } from './browser.ts'

/** Prints 1,000 lines every 50 ms, SECONDS long, and writes how long it took, ms. */
const printer = `const [seconds, done] = process.argv.slice(2)
const { writeFileSync, writeSync } = require('node:fs')
const count = Number(seconds) * 20
const began = performance.now()
let round = 0
const next = () => {
  if (round === count) return writeFileSync(done, String(performance.now() - began))
  let text = ''
  for (let i = 0; i < 1000; i++) text += 'line ' + (round * 1000 + i) + ' of a service that has a lot to say about its requests, all of them\\n'
  for (let left = Buffer.from(text); left.length > 0; ) left = left.subarray(writeSync(1, left))
  round++
  setTimeout(next, began + round * 50 - performance.now())
}
next()`

/** Notes of each key how long it waited for the page, and how long until what it did was painted, ms. */
const watchKeys = `globalThis.delays = []
globalThis.paints = []
addEventListener('keydown', event => {
  const { timeStamp } = event
  globalThis.delays.push(performance.now() - timeStamp)
  requestAnimationFrame(() => setTimeout(() => globalThis.paints.push(performance.now() - timeStamp)))
}, true)`

/** Measures a page whose service prints 20,000 lines a second. */
export async function flood({ smoke }: { readonly smoke: boolean }): Promise<Row[]> {
  const seconds = smoke ? 3 : 60
  const rows: Row[] = []
  for (const path of ['/logs', '/']) rows.push(...(await flooded(path, seconds)))
  return rows
}

async function flooded(path: string, seconds: number): Promise<Row[]> {
  const command = `exec ${process.execPath} printer.cjs ${seconds} done`
  const locald = new Locald(
    `[project]\nname = "bench"\n[services.one]\ntype = "worker"\nrestart = "no"\ncommand = "${command}"\n`,
  )
  writeFileSync(join(locald.project, 'printer.cjs'), printer)
  const done = join(locald.project, 'done')
  const browser = await openBrowser()
  try {
    locald.run('server', 'start')
    const { context, origin } = await signedIn(browser, locald)
    await context.addInitScript(watchKeys)
    const page = await context.newPage()
    await page.goto(`${origin}${path}`)
    await page.locator('.app').waitFor()
    locald.run('up')
    const { pid, cpuMs } = locald.daemon()
    const session = await context.newCDPSession(page)
    await session.send('Performance.enable')
    let heap = 0
    let rss = 0
    await until(
      'the last line',
      async () => {
        heap = Math.max(heap, await heapOf(session))
        rss = Math.max(rss, used(pid).rss)
        // Down and up at once: a key that does something on each screen, and one that does nothing.
        await page.keyboard.press(path === '/logs' ? 'w' : 'j')
        return existsSync(done)
      },
      { stepMs: 100, limitMs: (seconds + 60) * 1000 },
    )
    const took = Number(readFileSync(done, 'utf8'))
    const [delays, paints] = await keysOf(page)
    const delay = quantile(delays, 0.99)
    const cpu = used(pid).cpuMs - cpuMs
    return [
      {
        what: `${path}, 20,000 lines/s for ${seconds} s: input delay, p99`,
        value: delay,
        unit: 'ms',
        target: '<= 50 ms',
        met: delay <= 50,
      },
      { what: `  … p50 of ${delays.length} keys`, value: quantile(delays, 0.5), unit: 'ms' },
      { what: '  … until painted, p50', value: quantile(paints, 0.5), unit: 'ms' },
      { what: '  … until painted, p99', value: quantile(paints, 0.99), unit: 'ms' },
      {
        what: '  … the service took',
        value: took / 1000 / seconds,
        unit: 'of its time',
        target: '<= 1.05',
        met: took / 1000 / seconds <= 1.05,
      },
      { what: '  … heap of the page, most', value: heap / 1e6, unit: 'MB' },
      { what: '  … RSS of the daemon, most', value: rss / 1e6, unit: 'MB' },
      { what: '  … CPU of the daemon', value: cpu / seconds / 10, unit: '%' },
    ]
  } finally {
    await browser.close()
    await locald.close()
  }
}

function keysOf(page: Page): Promise<readonly [readonly number[], readonly number[]]> {
  return page.evaluate('[globalThis.delays, globalThis.paints]')
}

async function heapOf(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics')
  return metrics.find(({ name }) => name === 'JSHeapUsedSize')?.value ?? 0
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN
}
