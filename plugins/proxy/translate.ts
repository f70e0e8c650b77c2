import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Broken, closedEarly, type Exchange, type Receiver } from './exchange.ts'
import { type Errand, safe } from './forward.ts'
import type { H2cServices } from './h2c.ts'
import { forNode, framingOf, type RawHeaders, requestHeaders, trailersOf } from './headers.ts'
import type { ResponseHead } from './response-head.ts'

const nothing = Buffer.alloc(0)

/** Passes a request of HTTP/1.1 to a service that speaks HTTP/2, and the response back. */
export function translate(errand: Errand, services: H2cServices): void {
  new Translation(errand).start(services)
}

class Translation implements Receiver {
  readonly wire = false
  readonly #errand: Errand
  readonly #req: IncomingMessage
  readonly #res: ServerResponse
  #exchange: Exchange | undefined
  #isSent = false

  constructor(errand: Errand) {
    this.#errand = errand
    this.#req = errand.req
    this.#res = errand.res
  }

  start(services: H2cServices): void {
    const { req, to, passage } = this.#errand
    const method = req.method ?? 'GET'
    this.#res.once('close', this.#left)
    this.#res.on('drain', this.#drained)
    const fields = requestHeaders(req.rawHeaders, method, passage, 'keep-alive')
    const request = { method, path: to.path, fields, hasBody: this.#hasBody, repeatable: this.#repeatable }
    this.#exchange = services.send(to.address, request, this)
    if (this.#isSent) this.#upload()
  }

  get #hasBody(): boolean {
    return framingOf(this.#req.rawHeaders) !== 'none'
  }

  get #repeatable(): boolean {
    return !this.#hasBody && safe.has(this.#req.method ?? '')
  }

  sent(): void {
    if (!this.#hasBody) return
    if (this.#exchange === undefined) this.#isSent = true
    else this.#upload()
  }

  drained(): void {
    this.#req.resume()
  }

  interim(head: ResponseHead): void {
    if (head.status === 100 && this.#req.headers.expect !== undefined && !this.#res.headersSent)
      this.#res.writeContinue()
  }

  head(head: ResponseHead): void {
    const fields = head.fields.split('\r\n').slice(0, -1)
    const pairs = fields.flatMap(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)])
    this.#res.writeHead(head.status, forNode(pairs))
    // An event stream's head must not wait for its first event. Not flushHeaders: it writes Latin-1 values as UTF-8.
    if (head.ending.by !== 'nothing') this.#res.write(nothing)
  }

  body(bytes: Buffer, from: number, to: number): void {
    this.#res.write(Buffer.from(bytes.subarray(from, to)))
  }

  end(trailers: RawHeaders): void {
    this.#leave()
    const pairs = this.#req.httpVersion === '1.1' ? trailersOf(trailers) : []
    if (pairs.length > 0) this.#res.addTrailers(pairs)
    this.#res.end()
    this.#req.resume()
  }

  flush(): boolean {
    return !this.#res.writableNeedDrain
  }

  failed(broken: Broken): void {
    this.#leave()
    if (this.#res.headersSent) return void this.#res.destroy()
    this.#req.resume()
    if (broken.kind === 'refused') this.#errand.failed({ kind: 'refused', sent: false })
    else {
      const detail = broken.kind === 'stale' ? closedEarly : broken.detail
      this.#errand.failed({ kind: 'broken', detail, again: this.#repeatable })
    }
  }

  #upload(): void {
    this.#req.on('data', (piece: Buffer) => {
      if (this.#exchange?.write(piece) === false) this.#req.pause()
    })
    this.#req.once('end', () => this.#exchange?.finish(trailersOf(this.#req.rawTrailers).flat()))
  }

  #leave(): Exchange | undefined {
    const exchange = this.#exchange
    this.#exchange = undefined
    this.#res.off('close', this.#left)
    this.#res.off('drain', this.#drained)
    return exchange
  }

  readonly #left = (): void => {
    this.#leave()?.abort()
  }

  readonly #drained = (): void => {
    this.#exchange?.resume()
  }
}
