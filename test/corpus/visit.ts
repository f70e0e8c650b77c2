import { readFileSync, renameSync } from 'node:fs'
import { request } from 'node:https'
import type { Browser } from 'playwright-core'
import { until } from '../lib/running.ts'
import type { Sandbox } from '../lib/sandbox.ts'
import type { Edit } from './recipe.ts'

/** A page that is built at its first request takes a while: ms. */
const pageMs = 60_000
/** ms */
const editMs = 20_000
/** The client of a page connects after the page is shown; not all do so by a WebSocket: ms. */
const connectMs = 3000
/** A page with a stream is never idle: ms. */
const idleMs = 5000

/** Waits until the page at a host name has a text. */
export async function waitForText(port: number, host: string, text: string): Promise<void> {
  let last = ''
  const hasText = async () => {
    last = await readPage(port, host)
    return last.includes(text)
  }
  await until(`'${text}' at ${host}`, hasText, pageMs).catch((error: unknown) => {
    throw new Error(`${error}: ${last.slice(0, 1000)}`)
  })
}

/**
 * Changes a file while its page is open in a browser, and waits until the page shows the change, which it can learn by
 * the tool's own connection only. Returns how long that took: ms.
 */
export async function waitForEdit(
  sandbox: Sandbox,
  browser: Browser,
  url: string,
  { file, from, to }: Edit,
): Promise<number> {
  const page = await browser.newPage({ ignoreHTTPSErrors: true })
  const sockets: string[] = []
  page.on('websocket', socket => sockets.push(socket.url()))
  try {
    await page.goto(url, { timeout: pageMs })
    await page.getByText(from).first().waitFor({ timeout: pageMs })
    await until('a WebSocket', () => sockets.length > 0, connectMs).catch(() => {})
    // A module that the page has not loaded yet is not replaced.
    await page.waitForLoadState('networkidle', { timeout: idleMs }).catch(() => {})
    const began = Date.now()
    sandbox.write(`${file}.new`, readFileSync(file, 'utf8').replaceAll(from, to))
    renameSync(`${file}.new`, file)
    await page
      .getByText(to)
      .first()
      .waitFor({ timeout: editMs })
      .catch((error: unknown) => {
        throw new Error(`${error}; WebSockets: ${sockets.join(' ')}`)
      })
    return Date.now() - began
  } finally {
    await page.close()
  }
}

/** Returns the body of a page, whatever its status; empty where there is none. */
function readPage(port: number, host: string): Promise<string> {
  return new Promise(resolve => {
    const headers = { host: `${host}:${port}` }
    const where = { host: '127.0.0.1', port, servername: host, path: '/', headers, agent: false }
    const asking = request({ ...where, rejectUnauthorized: false, timeout: pageMs })
    asking.once('timeout', () => asking.destroy())
    asking.once('error', () => resolve(''))
    asking.once('response', response => {
      let body = ''
      response.setEncoding('utf8').on('data', text => {
        body += text
      })
      response.once('close', () => resolve(body))
    })
    asking.end()
  })
}
