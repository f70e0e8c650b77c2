import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { interleave, median } from '../measure.ts'
import { freePorts } from '../ports.ts'
import { locald, makeCertificate, missing, name, peers, type Subject } from '../proxies.ts'
import type { Found, Row } from '../report.ts'

/** One way of loading a proxy. `needs`: what it has to speak. */
interface Load {
  readonly what: string
  readonly needs: 'http' | 'https'
  run(proxy: Subject, seconds: number): Promise<Result>
}

interface Result {
  /** Requests answered with 200, and all others. */
  readonly good: number
  readonly bad: number
  readonly seconds: number
  /** ms of CPU. */
  readonly cpu: number
}

const browser = [
  ...['Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'],
  ...['Accept-Encoding: gzip, deflate, br, zstd', 'Accept-Language: en-US,en;q=0.9', 'Cache-Control: no-cache'],
  ...['Cookie: session=0123456789abcdef0123456789abcdef; theme=dark', 'Pragma: no-cache', 'Sec-Fetch-Dest: document'],
  ...['Sec-Fetch-Mode: navigate', 'Sec-Fetch-Site: none', 'Sec-Fetch-User: ?1', 'Upgrade-Insecure-Requests: 1'],
  ...['Sec-Ch-Ua: "Chromium";v="140"', 'Sec-Ch-Ua-Mobile: ?0', 'Sec-Ch-Ua-Platform: "Linux"'],
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
]

const loads: readonly Load[] = [
  { what: 'HTTP/1.1, c=32, 1 KB', needs: 'http', run: wrk(32, '/1024') },
  { what: 'HTTP/1.1, c=32, 15 browser headers', needs: 'http', run: wrk(32, '/1024', browser) },
  { what: 'HTTP/1.1, c=128, 1 KB', needs: 'http', run: wrk(128, '/1024') },
  { what: 'HTTP/1.1, c=32, 100 KB', needs: 'http', run: wrk(32, '/102400') },
  { what: 'HTTP/1.1, c=1', needs: 'http', run: wrk(1, '/1024') },
  { what: 'HTTP/2, 4 x 32 streams, 1 KB', needs: 'https', run: h2load(['-c4', '-m32'], '/1024') },
  { what: 'HTTP/1.1 over TLS, c=32, 1 KB', needs: 'https', run: h2load(['-c32', '--h1'], '/1024') },
  { what: 'HTTP/2, 4 x 32 streams, 100 KB', needs: 'https', run: h2load(['-c4', '-m32'], '/102400') },
]

/** The targets, as ratios of locald's requests a second, or of its CPU per request, to a peer's. */
const targets: readonly { what: string; peer: string; of: 'rate' | 'cpu'; must: number }[] = [
  { what: 'HTTP/1.1, c=32, 1 KB', peer: 'nginx', of: 'rate', must: 0.8 },
  { what: 'HTTP/1.1, c=128, 1 KB', peer: 'nginx', of: 'rate', must: 0.8 },
  { what: 'HTTP/1.1, c=32, 1 KB', peer: 'nginx', of: 'cpu', must: 1.5 },
  { what: 'HTTP/1.1, c=128, 1 KB', peer: 'nginx', of: 'cpu', must: 1.5 },
  { what: 'HTTP/1.1, c=32, 1 KB', peer: 'caddy', of: 'rate', must: 2.5 },
  { what: 'HTTP/2, 4 x 32 streams, 1 KB', peer: 'caddy', of: 'rate', must: 1.9 },
  { what: 'HTTP/2, 4 x 32 streams, 1 KB', peer: 'nginx', of: 'rate', must: 0.33 },
  { what: 'HTTP/1.1 over TLS, c=32, 1 KB', peer: 'caddy', of: 'rate', must: 1 },
  { what: 'HTTP/1.1, c=32, 100 KB', peer: 'caddy', of: 'rate', must: 1 },
]

/** The proxy beside nginx, haproxy, caddy and two of npm: all in front of one nginx, in turn, medians. */
export async function proxy({ smoke }: { readonly smoke: boolean }): Promise<Found> {
  const [rounds, seconds] = smoke ? [1, 1] : [3, 2]
  makeCertificate()
  const skipped: string[] = []
  const ports = await freePorts(1 + 2 * Object.keys(peers).length, 31_600)
  const [up = 0, ...rest] = ports
  const running: Record<string, Subject> = { locald: await locald(up) }
  try {
    for (const [peer, start] of Object.entries(peers)) {
      const absent = missing(peer)
      if (absent === undefined) running[peer] = await start(up, [rest.shift() ?? 0, rest.shift() ?? 0])
      else skipped.push(absent)
    }
    const rows: Row[] = []
    for (const load of loads) rows.push(...(await compared(load, running, rounds, seconds)))
    rows.push({
      what: 'RSS of the daemon after all that',
      value: (running['locald']?.rss() ?? 0) / 2 ** 20,
      unit: 'MB',
    })
    return { bench: 'proxy', about: 'requests a second and CPU per request of each proxy', rows, skipped }
  } finally {
    for (const it of Object.values(running).reverse()) await it.close()
  }
}

async function compared(
  load: Load,
  running: Readonly<Record<string, Subject>>,
  rounds: number,
  seconds: number,
): Promise<Row[]> {
  const subjects = Object.entries(running).filter(([, { https }]) => load.needs === 'http' || https !== null)
  for (const [, it] of subjects) await load.run(it, seconds / 3)
  const results = await interleave(
    rounds,
    Object.fromEntries(subjects.map(([peer, it]) => [peer, () => load.run(it, seconds)])),
  )
  const rate = (peer: string): number => median((results.get(peer) ?? []).map(it => it.good / it.seconds))
  const cpu = (peer: string): number => median((results.get(peer) ?? []).map(it => (it.cpu / it.good) * 1000))
  const rows: Row[] = []
  for (const [peer] of subjects) {
    const bad = (results.get(peer) ?? []).reduce((sum, it) => sum + it.bad, 0)
    const what = `${load.what}: ${peer}${bad === 0 ? '' : ` (${bad} failed)`}`
    const against = peer === 'locald' ? {} : { ratio: rate('locald') / rate(peer), of: 'locald to it' }
    rows.push({ what, value: rate(peer), unit: 'req/s', ...against })
    const used = peer === 'locald' ? {} : { ratio: cpu('locald') / cpu(peer), of: 'locald to it' }
    rows.push({ what: '  … CPU per request', value: cpu(peer), unit: 'µs', ...used })
  }
  for (const { peer, of, must } of targets.filter(it => it.what === load.what && it.peer in running)) {
    const ratio = of === 'rate' ? rate('locald') / rate(peer) : cpu('locald') / cpu(peer)
    const met = of === 'rate' ? ratio >= must : ratio <= must
    const value = of === 'rate' ? rate('locald') : cpu('locald')
    const target = of === 'rate' ? `>= ${must}x` : `<= ${must}x`
    rows.push({ what: `  against ${peer}`, value, unit: of === 'rate' ? 'req/s' : 'µs', ratio, target, met })
  }
  return rows
}

function wrk(connections: number, path: string, headers: readonly string[] = []) {
  return async (proxy: Subject, seconds: number): Promise<Result> => {
    const words = ['-t1', `-c${connections}`, `-d${Math.max(1, Math.round(seconds))}s`, '-H', `Host: ${name}`]
    for (const header of headers) words.push('-H', header)
    const before = proxy.cpuMs()
    const text = await output('wrk', [...words, `http://127.0.0.1:${proxy.http}${path}`])
    const cpu = proxy.cpuMs() - before
    const [, count = '0', took = '1', unit = 's'] = /(\d+) requests in ([\d.]+)(m?s)/.exec(text) ?? []
    const wrong = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0)
    const errors = (/Socket errors: (.*)/.exec(text)?.[1] ?? '').match(/\d+/g) ?? []
    const bad = wrong + errors.reduce((sum, it) => sum + Number(it), 0)
    return { good: Number(count) - wrong, bad, seconds: Number(took) / (unit === 'ms' ? 1000 : 1), cpu }
  }
}

function h2load(words: readonly string[], path: string) {
  return async (proxy: Subject, seconds: number): Promise<Result> => {
    const to = [`--connect-to=127.0.0.1:${proxy.https}`, `-D${Math.max(1, Math.round(seconds))}`, '-t1']
    const before = proxy.cpuMs()
    const text = await output('h2load', [...words, ...to, `https://${name}:${proxy.https}${path}`])
    const cpu = proxy.cpuMs() - before
    const [, took = '1', unit = 's'] = /finished in ([\d.]+)(m?s)/.exec(text) ?? []
    const good = Number(/status codes: (\d+) 2xx/.exec(text)?.[1] ?? 0)
    const bad = Number(/(\d+) failed/.exec(text)?.[1] ?? 0)
    return { good, bad, seconds: Number(took) / (unit === 'ms' ? 1000 : 1), cpu }
  }
}

async function output(command: string, words: readonly string[]): Promise<string> {
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', piece => {
    text += piece
  })
  await once(child, 'close')
  return text
}
