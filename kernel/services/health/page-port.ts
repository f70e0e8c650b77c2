import { request } from 'node:http'

/** A page that is built at its first request takes a while: ms. */
const pageMs = 5000
/** Of several ports, so many are tried. */
const mostTried = 8

/**
 * Returns the first of several ports of a service that answers a browser with a page, as one of its servers may be an
 * API or a tool's own; undefined where none does.
 */
export async function findPagePort(ports: readonly number[]): Promise<number | undefined> {
  const tries = ports.slice(0, mostTried).map(async port => {
    const answers = await Promise.all([hasPage('127.0.0.1', port), hasPage('::1', port)])
    return answers.includes(true) ? port : undefined
  })
  return (await Promise.all(tries)).find(port => port !== undefined)
}

function hasPage(host: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const headers = { host: `localhost:${port}`, accept: 'text/html', 'user-agent': 'locald' }
    const asked = request({ host, port, path: '/', agent: false, headers, signal: AbortSignal.timeout(pageMs) })
    asked.once('response', ({ statusCode = 0, headers: answer }) => {
      const isPage = answer['content-type']?.startsWith('text/html') === true
      resolve(statusCode < 400 && (isPage || statusCode >= 300))
      asked.destroy()
    })
    asked.on('error', () => resolve(false))
    asked.end()
  })
}
