import { events, h2load, handshakes, type Load, type Result, webSockets, wrk } from '../loads.ts'
import { interleave, median } from '../measure.ts'
import { freePorts } from '../ports.ts'
import { locald, makeCertificate, pin, type Subject } from '../proxies.ts'
import { missing, peers } from '../proxy-peers.ts'
import type { Found, Row } from '../report.ts'

/** A load, the proxies it runs on, and what counts: `rate` (per second) or `middle` (median of one). */
interface Case {
  readonly what: string
  readonly load: Load
  readonly needs: 'http' | 'https' | 'live'
  readonly counts: 'rate' | 'middle'
  /** The unit that CPU time is given per. */
  readonly each: 'request' | 'round trip' | 'handshake' | 'event'
}

const browser = [
  ...['Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'],
  ...['Accept-Encoding: gzip, deflate, br, zstd', 'Accept-Language: en-US,en;q=0.9', 'Cache-Control: no-cache'],
  ...['Cookie: session=0123456789abcdef0123456789abcdef; theme=dark', 'Pragma: no-cache', 'Sec-Fetch-Dest: document'],
  ...['Sec-Fetch-Mode: navigate', 'Sec-Fetch-Site: none', 'Sec-Fetch-User: ?1', 'Upgrade-Insecure-Requests: 1'],
  ...['Sec-Ch-Ua: "Chromium";v="140"', 'Sec-Ch-Ua-Mobile: ?0', 'Sec-Ch-Ua-Platform: "Linux"'],
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
]

const http = { needs: 'http', counts: 'rate', each: 'request' } as const
const https = { needs: 'https', counts: 'rate', each: 'request' } as const

const cases: readonly Case[] = [
  { what: 'HTTP/1.1, c=32, 1 KB', load: wrk(32, '/1024'), ...http },
  { what: 'HTTP/1.1, c=32, 15 browser headers', load: wrk(32, '/1024', browser), ...http },
  { what: 'HTTP/1.1, c=128, 1 KB', load: wrk(128, '/1024'), ...http },
  { what: 'HTTP/1.1, c=32, 100 KB', load: wrk(32, '/102400'), ...http },
  { what: 'HTTP/1.1, c=1, p50', load: wrk(1, '/1024'), ...http, counts: 'middle' },
  { what: 'HTTP/2, 4 x 32 streams, 1 KB', load: h2load(['-c4', '-m32'], '/1024'), ...https },
  { what: 'HTTP/1.1 over TLS, c=32, 1 KB', load: h2load(['-c32', '--h1'], '/1024'), ...https },
  { what: 'HTTP/2, 4 x 32 streams, 100 KB', load: h2load(['-c4', '-m32'], '/102400'), ...https },
  { what: 'new TLS connections, 300 at once', load: handshakes(300), ...https, each: 'handshake' },
  { what: 'WebSocket, c=100', load: webSockets(100), needs: 'live', counts: 'rate', each: 'round trip' },
  { what: 'event stream, first event', load: events(20), needs: 'live', counts: 'middle', each: 'event' },
]

/** Proxies without WebSocket support, or not configured for it. */
const notLive = new Set(['portless', 'http-proxy', 'httpxy'])

/**
 * The targets, as ratios of locald to a peer: of what counts, of CPU per unit, or of the time added to the upstream's
 * own `middle`. Without a peer, the value itself in ms.
 */
const targets: readonly { what: string; peer: string | null; of: 'rate' | 'cpu' | 'added' | 'middle'; must: number }[] =
  [
    { what: 'HTTP/1.1, c=32, 1 KB', peer: 'nginx', of: 'rate', must: 0.8 },
    { what: 'HTTP/1.1, c=128, 1 KB', peer: 'nginx', of: 'rate', must: 0.8 },
    { what: 'HTTP/1.1, c=32, 1 KB', peer: 'nginx', of: 'cpu', must: 1.5 },
    { what: 'HTTP/1.1, c=128, 1 KB', peer: 'nginx', of: 'cpu', must: 1.5 },
    { what: 'HTTP/1.1, c=32, 1 KB', peer: 'caddy', of: 'rate', must: 2.5 },
    { what: 'HTTP/1.1, c=32, 1 KB', peer: 'portless', of: 'rate', must: 10 },
    { what: 'HTTP/1.1, c=1, p50', peer: 'nginx', of: 'added', must: 1.5 },
    { what: 'HTTP/2, 4 x 32 streams, 1 KB', peer: 'caddy', of: 'rate', must: 1.9 },
    { what: 'HTTP/2, 4 x 32 streams, 1 KB', peer: 'nginx', of: 'rate', must: 0.33 },
    { what: 'HTTP/1.1 over TLS, c=32, 1 KB', peer: 'caddy', of: 'rate', must: 1 },
    { what: 'HTTP/1.1, c=32, 100 KB', peer: 'caddy', of: 'rate', must: 1 },
    { what: 'new TLS connections, 300 at once', peer: 'caddy', of: 'rate', must: 0.8 },
    { what: 'WebSocket, c=100', peer: 'haproxy', of: 'cpu', must: 1.4 },
    { what: 'event stream, first event', peer: null, of: 'middle', must: 5 },
  ]

/**
 * Measures the proxy beside nginx, haproxy, caddy and three from npm, in front of the same upstreams, in turn; medians.
 */
export async function proxy({ smoke }: { readonly smoke: boolean }): Promise<Found> {
  const [rounds, seconds] = smoke ? [1, 1] : [3, 2]
  makeCertificate()
  pin([process.pid], 0)
  const skipped: string[] = []
  const ports = await freePorts(2 + 2 * Object.keys(peers).length, 31_600)
  const [files = 0, live = 0, ...rest] = ports
  const direct: Subject = { http: files, https: null, cpuMs: () => 0, rss: () => 0, close: async () => undefined }
  const running: Record<string, Subject> = { locald: await locald({ files, live }), direct }
  try {
    for (const [peer, start] of Object.entries(peers)) {
      const absent = missing(peer)
      if (absent !== undefined) skipped.push(absent)
      else running[peer] = await start({ files, live }, [rest.shift() ?? 0, rest.shift() ?? 0])
    }
    const rows: Row[] = []
    for (const it of cases) rows.push(...(await compared(it, running, rounds, seconds)))
    await new Promise(done => setTimeout(done, 5000))
    const rss = (running['locald']?.rss() ?? 0) / 2 ** 20
    rows.push({ what: 'RSS 5 s after all that', value: rss, unit: 'MB', target: '<= 120 MB', met: rss <= 120 })
    return { bench: 'proxy', about: 'what each proxy does, and the CPU that takes', rows, skipped }
  } finally {
    for (const it of Object.values(running).reverse()) await it.close()
  }
}

async function compared(
  { what, load, needs, counts, each }: Case,
  running: Readonly<Record<string, Subject>>,
  rounds: number,
  seconds: number,
): Promise<Row[]> {
  const subjects = Object.entries(running).filter(([peer, { https: port }]) =>
    needs === 'live'
      ? !notLive.has(peer) && peer !== 'direct'
      : needs === 'http'
        ? what.includes('c=1,') || peer !== 'direct'
        : port !== null,
  )
  for (const [, it] of subjects) await load(it, seconds / 3)
  const runs = Object.fromEntries(subjects.map(([peer, it]) => [peer, () => load(it, seconds)]))
  const results = await interleave(rounds, runs)
  const of = (peer: string, value: (it: Result) => number): number => median((results.get(peer) ?? []).map(value))
  const values = {
    rate: (peer: string) => of(peer, it => it.good / it.seconds),
    cpu: (peer: string) => of(peer, it => (it.cpu / it.good) * 1000),
    middle: (peer: string) => of(peer, it => it.middle ?? Number.NaN),
    added: (peer: string) => values.middle(peer) - values.middle('direct'),
  }
  const units = { rate: `${each}s/s`, cpu: 'µs', middle: 'ms', added: 'ms' } as const
  const against = (peer: string, kind: keyof typeof values) =>
    peer === 'locald' || peer === 'direct'
      ? {}
      : { ratio: values[kind]('locald') / values[kind](peer), of: 'locald to it' }
  const rows: Row[] = []
  for (const [peer] of subjects) {
    const bad = (results.get(peer) ?? []).reduce((sum, it) => sum + it.bad, 0)
    const label = `${what}: ${peer}${bad === 0 ? '' : ` (${bad} failed)`}`
    rows.push({ what: label, value: values[counts](peer), unit: units[counts], ...against(peer, counts) })
    if (peer !== 'direct')
      rows.push({ what: `  … CPU per ${each}`, value: values.cpu(peer), unit: 'µs', ...against(peer, 'cpu') })
  }
  for (const { peer, of: kind, must } of targets.filter(it => it.what === what)) {
    const value = values[kind]('locald')
    if (peer === null) {
      rows.push({ what: '  target', value, unit: 'ms', target: `<= ${must} ms`, met: value <= must })
    } else if (peer in running) {
      const ratio = value / values[kind](peer)
      const met = kind === 'rate' ? ratio >= must : ratio <= must
      const target = `${kind === 'rate' ? '>=' : '<='} ${must}x`
      rows.push({ what: `  ${kind} against ${peer}`, value, unit: units[kind], ratio, target, met })
    }
  }
  return rows
}
