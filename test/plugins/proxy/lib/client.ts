import { once } from 'node:events'
import http, { type IncomingMessage, type RequestOptions } from 'node:http'
import net, { type Socket } from 'node:net'
import type { Test } from 'tap'
import { deadline } from './wait.ts'

export interface Got {
  readonly status: number
  readonly res: IncomingMessage
  readonly body: string
  header(name: string): string | undefined
}

/** Sends one request on a new connection. */
export async function get(
  port: number,
  host: string,
  path = '/',
  options: RequestOptions & { body?: string | Buffer } = {},
): Promise<Got> {
  const req = http.request({
    host: '127.0.0.1',
    port,
    path,
    agent: false,
    ...options,
    headers: { host, ...options.headers },
    signal: AbortSignal.timeout(deadline),
  })
  req.end(options.body)
  const [res]: IncomingMessage[] = await once(req, 'response')
  if (res === undefined) throw new Error('no response')
  return { status: res.statusCode ?? 0, res, body: await textOf(res), header: name => headerOf(res, name) }
}

export function headerOf(res: IncomingMessage, name: string): string | undefined {
  const value = res.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

export async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('latin1')
}

/** A client that writes and reads bytes, without a parser. */
export class Wire {
  readonly socket: Socket
  text = ''
  isHalfClosed = false
  closed = false
  error: Error | undefined

  constructor(port: number, host = '127.0.0.1') {
    this.socket = net.connect({ host, port, allowHalfOpen: true })
    this.socket.setNoDelay(true)
    this.socket.setEncoding('latin1')
    this.socket.on('data', (data: string) => {
      this.text += data
      this.socket.emit('change')
    })
    this.socket.on('end', () => {
      this.isHalfClosed = true
      this.socket.emit('change')
    })
    this.socket.on('error', error => {
      this.error = error
    })
    this.socket.on('close', () => {
      this.closed = true
      this.socket.emit('change')
    })
  }

  send(text: string): this {
    this.socket.write(Buffer.from(text, 'latin1'))
    return this
  }

  /** Waits until a condition holds, checked whenever bytes arrive. */
  async until(fits: (wire: Wire) => boolean, what: string): Promise<string> {
    if (fits(this)) return this.text
    await new Promise<void>((resolve, reject) => {
      const state = (): string =>
        `${JSON.stringify(this.text.slice(-2000))}, half closed ${this.isHalfClosed}, closed ${this.closed}`
      const timer = setTimeout(() => end(), deadline)
      const end = (): void => {
        clearTimeout(timer)
        this.socket.off('change', check)
        if (fits(this)) resolve()
        else reject(new Error(`${what}; got ${state()}`))
      }
      const check = (): void => {
        if (fits(this) || this.closed) end()
      }
      this.socket.on('change', check)
    })
    return this.text
  }

  async has(part: string): Promise<string> {
    return this.until(wire => wire.text.includes(part), `waited for ${JSON.stringify(part)}`)
  }

  async end(): Promise<string> {
    return this.until(wire => wire.isHalfClosed || wire.closed, 'waited for the end')
  }
}

export function wire(t: Test, port: number): Wire {
  const client = new Wire(port)
  t.teardown(() => client.socket.destroy())
  return client
}
