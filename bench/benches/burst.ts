import { type ClientHttp2Session, connect as http2 } from 'node:http2'
import { join } from 'node:path'
import { median } from '../measure.ts'
import { freePorts } from '../ports.ts'
import { name, type Subject, withServices } from '../proxies.ts'
import type { Found } from '../report.ts'

/**
 * Measures a fresh daemon under a page's first load: a thousand streams on one connection, then 64 names that it has
 * never served.
 */
export async function burst({ smoke }: { readonly smoke: boolean }): Promise<Found> {
  const [runs, streams, names] = smoke ? [1, 100, 8] : [10, 1000, 64]
  const lost: number[] = []
  const took: number[] = []
  let failed = 0
  for (let run = 0; run < runs; run++) {
    const [port = 0] = await freePorts(1, 31_800)
    const upstream = join(import.meta.dirname, '..', 'upstream.js')
    const daemon = withServices(
      `[services.web]\nport = ${port}\ncommand = "exec ${process.execPath} ${upstream} ${port}"\n`,
    )
    try {
      const began = performance.now()
      lost.push(streams - (await answered(daemon, name, streams)))
      took.push(performance.now() - began)
      const hits = Array.from({ length: names }, (_, i) => answered(daemon, `n${i}.${name}`, 1))
      failed += names - (await Promise.all(hits)).reduce((sum, it) => sum + it, 0)
    } finally {
      await daemon.close()
    }
  }
  const lostInAll = lost.reduce((sum, it) => sum + it, 0)
  const none = { target: '0', met: true }
  return {
    bench: 'burst',
    about: `${runs} fresh daemons, ${streams} streams at once on one connection, then ${names} new names at once`,
    rows: [
      { what: 'streams with a wrong response', value: lostInAll, unit: 'streams', ...none, met: lostInAll === 0 },
      { what: 'time of the burst', value: median(took), unit: 'ms' },
      { what: 'new names with a wrong response', value: failed, unit: 'names', ...none, met: failed === 0 },
    ],
    skipped: [],
  }
}

/** Counts the requests, of `count` on one new connection, that get the right response. */
async function answered({ https }: Subject, host: string, count: number): Promise<number> {
  const options = { rejectUnauthorized: false, servername: host }
  const session = http2(`https://127.0.0.1:${https}`, options)
  session.on('error', () => undefined)
  try {
    const paths = Array.from({ length: count }, (_, i) => `/live/${i}`)
    const answers = await Promise.all(paths.map(path => textOf(session, host, path).catch(() => undefined)))
    return answers.filter((text, i) => text === paths[i]).length
  } finally {
    session.destroy()
  }
}

function textOf(session: ClientHttp2Session, host: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':authority': host, ':path': path })
    let text = ''
    stream.setEncoding('utf8').on('data', piece => {
      text += piece
    })
    stream.on('error', reject).on('close', () => resolve(text))
  })
}
