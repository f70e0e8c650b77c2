import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { made } from '../folders.ts'
import { median } from '../measure.ts'
import { allAccept, freePorts } from '../ports.ts'
import { makeCertificate, name, PATH, type Subject, withServices } from '../proxies.ts'
import { missing, npmInstall, peers } from '../proxy-peers.ts'
import type { Found, Row } from '../report.ts'

const folder = join(made, 'proxy', 'page')
const program = process.env['CHROMIUM'] || '/usr/bin/chromium'
const subjects = ['nginx', 'haproxy', 'caddy', 'portless']

/** The time of one page load, and the proxy's CPU time, in ms. */
interface Visit {
  readonly cold: number
  readonly warm: number
  readonly coldCpu: number
}

/**
 * Measures a page of a thousand Vite modules in Chromium: over HTTP/2 through each proxy, and directly over HTTP/1.1.
 */
export async function page({ smoke }: { readonly smoke: boolean }): Promise<Found> {
  const rounds = smoke ? 1 : 5
  const about = 'from the start of the navigation until the last of 1,000 modules has run'
  makeCertificate()
  if (!npmInstall(['vite@8.3.8'])) return { bench: 'page', about, rows: [], skipped: ['vite: npm install failed'] }
  writePage(smoke ? 50 : 1000)
  const [port = 0, ...rest] = await freePorts(1 + 2 * subjects.length, 31_700)
  const vite = `exec ${process.execPath} ${join(made, 'proxy', 'node_modules/vite/bin/vite.js')} --port ${port} --strictPort --host 127.0.0.1`
  const locald = withServices(
    `[services.web]\nport = ${port}\ncommand = "cd ${folder} && ${vite}"\nenv = { PATH = "${PATH}" }\n`,
  )
  const direct: Subject = { http: port, https: null, cpuMs: () => 0, rss: () => 0, close: async () => undefined }
  const running: Record<string, Subject> = { locald, direct }
  const skipped: string[] = []
  const browser = await chromium.launch({ executablePath: program, args })
  try {
    await allAccept([port])
    for (const peer of subjects) {
      const absent = missing(peer)
      const ports = [rest.shift() ?? 0, rest.shift() ?? 0] as const
      if (absent !== undefined) skipped.push(absent)
      else running[peer] = (await peers[peer]?.({ files: port, live: port }, ports)) ?? direct
    }
    const visits = new Map<string, Visit[]>(Object.keys(running).map(peer => [peer, []]))
    // Vite compiles at the first visit, so round 0 does not count.
    for (let round = 0; round <= rounds; round++) {
      for (const [peer, it] of Object.entries(running)) {
        const seen = await visit(browser, it).catch(error => `${peer}: a page that never loaded: ${messageOf(error)}`)
        if (typeof seen === 'string') skipped.push(seen)
        else if (round > 0) visits.get(peer)?.push(seen)
      }
    }
    return { bench: 'page', about, rows: rowsOf(visits), skipped }
  } finally {
    await browser.close()
    for (const it of Object.values(running).reverse()) await it.close()
  }
}

const args = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-component-update'],
  ...[
    '--disable-background-networking',
    '--ignore-certificate-errors',
    '--host-resolver-rules=MAP *.localhost 127.0.0.1',
  ],
]

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
}

/** Measures a visit and a reload, in a browser with an empty cache. */
async function visit(browser: Browser, { http, https, cpuMs }: Subject): Promise<Visit> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true })
  try {
    const tab = await context.newPage()
    const wrong: string[] = []
    tab.on(
      'response',
      answer => void (answer.ok() || answer.status() === 304 || wrong.push(`${answer.status()} ${answer.url()}`)),
    )
    tab.on('requestfailed', asked => void wrong.push(`${asked.failure()?.errorText} ${asked.url()}`))
    const loadedAt = async (): Promise<number> => {
      await tab.waitForFunction('globalThis.loadedAt', undefined, { timeout: 30_000 }).catch(error => {
        throw new Error(wrong.length > 0 ? `${wrong.length} failed, first ${wrong[0]}` : messageOf(error))
      })
      return Number(await tab.evaluate('globalThis.loadedAt'))
    }
    const before = cpuMs()
    await tab.goto(https === null ? `http://${name}:${http}/` : `https://${name}:${https}/`)
    const cold = await loadedAt()
    const coldCpu = cpuMs() - before
    await tab.reload()
    return { cold, warm: await loadedAt(), coldCpu }
  } finally {
    await context.close()
  }
}

function rowsOf(visits: ReadonlyMap<string, readonly Visit[]>): Row[] {
  const of = (peer: string, key: keyof Visit): number => median((visits.get(peer) ?? []).map(it => it[key]))
  const rows: Row[] = []
  for (const key of ['cold', 'warm'] as const) {
    for (const peer of visits.keys()) {
      const ratio = of(peer, key) / of('direct', key)
      const judged = peer === 'locald' ? { target: '<= 1.1x', met: ratio <= 1.1 } : {}
      rows.push({ what: `${key}: ${peer}`, value: of(peer, key), unit: 'ms', ratio, of: 'to direct', ...judged })
    }
  }
  for (const peer of visits.keys()) {
    if (peer === 'direct') continue
    const value = of(peer, 'coldCpu')
    const judged = peer === 'locald' ? { target: '<= 300 ms', met: value <= 300 } : {}
    rows.push({ what: `CPU of a cold load: ${peer}`, value, unit: 'ms', ...judged })
  }
  return rows
}

/** Writes a tree of modules, each of which imports ten others. */
function writePage(count: number): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'm'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}\n')
  writeFileSync(
    join(folder, 'index.html'),
    '<!doctype html><title>page</title><script type="module" src="/m/0.js"></script>\n',
  )
  for (let i = 0; i < count; i++) {
    const children = Array.from({ length: 10 }, (_, n) => 10 * i + n + 1).filter(it => it < count)
    const imports = children.map(it => `import { count as c${it} } from './${it}.js'\n`).join('')
    const sum = ['1', ...children.map(it => `c${it}`)].join(' + ')
    const end = i === 0 ? `if (count === ${count}) globalThis.loadedAt = performance.now()\n` : ''
    writeFileSync(join(folder, 'm', `${i}.js`), `${imports}export const count = ${sum}\n${padding}${end}`)
  }
}

const padding = `${'// About as long as the modules of real programs are.\n'.repeat(20)}`
