import { type Load, type Result, wrk } from '../loads.ts'
import { interleave, median } from '../measure.ts'
import { freePorts } from '../ports.ts'
import { files, pin, type Subject } from '../proxies.ts'
import type { Found, Row } from '../report.ts'

const loads: Readonly<Record<string, Load>> = {
  'HTTP/1.1, c=32, 1 KB': wrk(32, '/1024'),
  'HTTP/1.1, c=32, 15 browser headers': wrk(
    32,
    '/1024',
    Array.from({ length: 15 }, (_, i) => `X-Field-${i}: ${'v'.repeat(40)}`),
  ),
}
/** Requests with recording to those without. */
const must = 0.95

/**
 * Measures what recording metadata costs the proxy: two daemons, one of which records nothing, in turn. Each ratio is
 * the median of those of the rounds, so that other load of the machine, which lasts longer than a round, affects it less.
 */
export async function recording({ smoke }: { readonly smoke: boolean }): Promise<Found> {
  const [rounds, seconds] = smoke ? [1, 1] : [20, 1]
  pin([process.pid], 0)
  const [one = 0, other = 0] = await freePorts(2, 31_900)
  const off = await files(one, '[proxy]\nrecord = "off"\n')
  const metadata = await files(other, '[proxy]\nrecord = "metadata"\n')
  try {
    const rows: Row[] = []
    for (const [what, load] of Object.entries(loads))
      rows.push(...(await compared(what, load, { off, metadata }, { rounds, seconds })))
    rows.push(...(await flood(metadata, smoke ? 1 : 4)))
    return { bench: 'recording', about: 'what recording of metadata costs the proxy', rows, skipped: [] }
  } finally {
    await off.close()
    await metadata.close()
  }
}

async function compared(
  what: string,
  load: Load,
  subjects: Readonly<Record<'off' | 'metadata', Subject>>,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<Row[]> {
  const { off, metadata } = subjects
  for (const it of [off, metadata]) await load(it, seconds)
  const results = await interleave(rounds, { off: () => load(off, seconds), metadata: () => load(metadata, seconds) })
  const of = (name: string, value: (it: Result) => number): readonly number[] => (results.get(name) ?? []).map(value)
  const rates = (name: string) => of(name, it => it.good / it.seconds)
  const cpus = (name: string) => of(name, it => (it.cpu / it.good) * 1000)
  const ratio = ratioOf(rates('metadata'), rates('off'))
  return [
    { what: `${what}: off`, value: median(rates('off')), unit: 'requests/s' },
    {
      what: `${what}: metadata`,
      value: median(rates('metadata')),
      unit: 'requests/s',
      ratio,
      target: `>= ${must}x`,
      met: ratio >= must,
    },
    { what: '  … CPU per request, off', value: median(cpus('off')), unit: 'µs' },
    {
      what: '  … CPU per request, metadata',
      value: median(cpus('metadata')),
      unit: 'µs',
      ratio: ratioOf(cpus('metadata'), cpus('off')),
    },
  ]
}

function ratioOf(ones: readonly number[], others: readonly number[]): number {
  return median(ones.map((one, round) => one / (others[round] ?? Number.NaN)))
}

/** Measures the memory before and after at least 100,000 more requests. */
async function flood(proxy: Subject, seconds: number): Promise<Row[]> {
  const load = wrk(32, '/1024')
  const before = proxy.rss()
  let count = 0
  while (count < 100_000) count += (await load(proxy, seconds)).good
  const grown = (proxy.rss() - before) / 2 ** 20
  return [{ what: `RSS after ${count} more requests`, value: grown, unit: 'MB', target: '<= 10 MB', met: grown <= 10 }]
}
