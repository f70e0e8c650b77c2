import { once } from 'node:events'
import { ReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { type SendResult, send } from '@fastify/send'
import { realPath } from '../../../kernel/contract/plugin.ts'
import { systemCode } from '../../../kernel/errors.ts'
import { isAllowedHost } from './allowed-host.ts'
import { type Found, findFile, findNamed } from './file-lookup.ts'
import { addScript, type LiveReload } from './live-reload.ts'
import { folderPage, missingPage, plainPage, sendPage } from './site-pages.ts'

/** A larger page is sent as it is: bytes. */
const maxPage = 8 * 1024 * 1024
/** Read at once: a large file is sent three times as fast as with 64 KiB. */
const readBytes = 512 * 1024
const noPage = 'Set `spa = true` if the app routes in the browser: `index.html` then answers such paths.'

/** What a server serves. */
export interface SiteServerInput {
  /** The folder, absolute. */
  readonly output: string
  /** The project's domain: pages for other hosts are refused. */
  readonly domain: string
  readonly spa: boolean
  /** Undefined: pages are sent as they are. */
  readonly reload: LiveReload | undefined
}

/** Serves the files of a folder. */
export class SiteServer {
  readonly #input: SiteServerInput

  constructor(input: SiteServerInput) {
    this.#input = input
  }

  /** Answers a request; never rejects. */
  async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const isHead = request.method === 'HEAD'
    try {
      if (!isAllowedHost(request.headers.host, this.#input.domain))
        return sendPage(response, plainPage(421, 'Unknown host'), isHead)
      if (isHead || request.method === 'GET') return await this.#serve(request, response)
      response.setHeader('Allow', 'GET, HEAD')
      sendPage(response, plainPage(405, 'Method not allowed'), isHead)
    } catch (error) {
      if (response.headersSent) return void response.destroy()
      const isDenied = ['EACCES', 'EPERM'].includes(systemCode(error) ?? '')
      sendPage(response, isDenied ? plainPage(403, 'Permission denied') : missingPage(undefined), isHead)
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { reload } = this.#input
    const [pathname = '', ...query] = (request.url ?? '').split('?')
    if (reload !== undefined && request.method === 'GET') {
      if (pathname === '/_locald/reload.js') return reload.sendScript(response)
      if (pathname === '/_locald/events') return reload.addPage(response)
    }
    // The folder may be another one after each build.
    const root = await realPath(this.#input.output)
    const found = await findFile(root, pathname)
    if (found.kind === 'redirect') {
      // A path of several slashes never gets here: it would be another host's URL.
      const to = [found.to, ...query].join('?')
      response.writeHead(302, { Location: to, 'Content-Length': 0, 'Cache-Control': 'no-cache' })
      return void response.end()
    }
    if (found.kind === 'file') return await this.#sendFile(request, response, found.path, 200)
    return await this.#sendOther(request, response, { root, pathname, found })
  }

  /** Answers for a path without a file: the app, the site's own page, a list of the folder, or a page that says so. */
  async #sendOther(
    request: IncomingMessage,
    response: ServerResponse,
    { root, pathname, found }: { readonly root: string; readonly pathname: string; readonly found: Found },
  ): Promise<void> {
    const mayRoute = isNavigation(request.headers) && !/\.[^/]*$/.test(pathname)
    const index = mayRoute ? await findNamed(root, 'index.html') : undefined
    if (this.#input.spa && index !== undefined) return await this.#sendFile(request, response, index, 200)
    const own = await findNamed(root, '404.html')
    if (own !== undefined) return await this.#sendFile(request, response, own, 404)
    const page =
      found.kind === 'folder'
        ? await folderPage(found.path, pathname)
        : missingPage(index === undefined || this.#input.spa ? undefined : noPage)
    sendPage(response, page, request.method === 'HEAD')
  }

  async #sendFile(request: IncomingMessage, response: ServerResponse, path: string, status: number): Promise<void> {
    const isPage = this.#input.reload !== undefined && /\.html?$/i.test(path)
    const isWhole = isPage || status !== 200
    const hasRange = !isWhole && (await isRangeValid(request.headers, path))
    const sent = await send(hasRange ? request : wholeOf(request), encodePath(path), {
      dotfiles: 'allow',
      index: false,
      cacheControl: false,
      highWaterMark: readBytes,
      ...(isWhole ? { acceptRanges: false } : {}),
    })
    if (sent.type === 'error' && sent.statusCode !== 412 && sent.statusCode !== 416) {
      const page = sent.statusCode === 404 ? missingPage(undefined) : plainPage(sent.statusCode, 'Failed')
      return sendPage(response, page, request.method === 'HEAD')
    }
    const length = Number(Object(sent.headers)['Content-Length'])
    if (isPage && sent.statusCode === 200 && !(length > maxPage))
      return await sendPageOf(request, response, sent, status)
    await sendAsIs(response, sent, status)
  }
}

/** Sends a page with the script. */
async function sendPageOf(
  request: IncomingMessage,
  response: ServerResponse,
  sent: SendResult,
  status: number,
): Promise<void> {
  sent.stream.destroy()
  if (sent.type !== 'file') return
  const body = addScript(await readFile(sent.metadata.path), prefixOf(request.headers))
  response.writeHead(status, { ...sent.headers, 'Content-Length': body.length, 'Cache-Control': 'no-cache' })
  response.end(request.method === 'HEAD' ? undefined : body)
}

async function sendAsIs(response: ServerResponse, sent: SendResult, status: number): Promise<void> {
  const { stream, headers, statusCode } = sent
  // An unreadable file fails before the head is sent.
  if (stream instanceof ReadStream) await once(stream, 'open')
  response.writeHead(statusCode === 200 ? status : statusCode, { ...headers, 'Cache-Control': 'no-cache' })
  // A file that was truncated meanwhile: the client must not wait for the rest.
  response.strictContentLength = statusCode === 200 || statusCode === 206
  await pipeline(stream, response)
}

/**
 * Whether the range of a request may be answered (RFC 9110, 13.1.5): only for the exact time of the file, as its ETag is
 * a weak one, which never counts here. @fastify/send accepts that, and every later time.
 */
async function isRangeValid({ 'if-range': validator }: IncomingHttpHeaders, path: string): Promise<boolean> {
  return validator === undefined || validator === (await stat(path)).mtime.toUTCString()
}

/** A request without its range. */
function wholeOf(request: IncomingMessage): IncomingMessage {
  const { range: _, ...headers } = request.headers
  return Object.create(request, { headers: { value: headers } })
}

function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}

/** Returns the path below which the proxy serves the site; anything but a plain path is ignored. */
function prefixOf(headers: IncomingHttpHeaders): string {
  const prefix = headers['x-forwarded-prefix']
  return typeof prefix === 'string' && /^(?:\/[\w.~-]+)+$/.test(prefix) ? prefix : ''
}

/** Whether a browser goes to the URL, or a program that takes any answer requests it. */
function isNavigation({ 'sec-fetch-dest': destination, accept = '*/*' }: IncomingHttpHeaders): boolean {
  if (destination !== undefined) return ['document', 'iframe', 'frame'].includes(String(destination))
  return /text\/html|\*\/\*/.test(accept)
}
