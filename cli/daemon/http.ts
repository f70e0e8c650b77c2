import { connect as open, type Socket } from 'node:net'
import { LocaldError } from '../../kernel/errors.ts'

// Node's own HTTP client takes longer to load than Node takes to start (measured on Node 24 and 26). This one reads
// only what the daemon sends: HTTP/1.1 (RFC 9112), one request a connection, Content-Length or chunked.

/** A response whose body is still to be read, in the pieces that arrive. */
export interface Answer {
  readonly status: number
  readonly body: AsyncIterable<Buffer>
}

/** A request to the daemon. */
export interface Request {
  readonly method: 'GET' | 'POST'
  readonly target: string
  /** Sent as JSON. */
  readonly body?: unknown
  /** Completes "lost connection to the daemon while …". */
  readonly doing: string
  /** How long the daemon may send nothing, ms; absent: no limit, as for streams. */
  readonly idleMs?: number
  /** Closes the connection. */
  readonly signal?: AbortSignal
}

const headLimit = 64 * 1024

/** Connects to a unix socket; rejects with the system's error. */
export function connect(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = open({ path })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

/**
 * Sends a request and reads the head of its answer; undefined when the connection closes before its first byte. Throws
 * DAEMON_UNREACHABLE when it breaks later.
 */
export async function send(socket: Socket, request: Request): Promise<Answer | undefined> {
  const { method, target, doing, idleMs, signal } = request
  if (idleMs !== undefined) socket.setTimeout(idleMs, () => socket.destroy(timeoutError(idleMs)))
  // It may have been aborted while the connection was made.
  if (signal?.aborted === true) socket.destroy()
  signal?.addEventListener('abort', () => socket.destroy(), { once: true })
  const body = request.body === undefined ? '' : JSON.stringify(request.body)
  const type = body === '' ? '' : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`
  socket.write(`${method} ${target} HTTP/1.1\r\nHost: locald\r\nConnection: close\r\n${type}\r\n${body}`)
  // Connection errors surface on the next read.
  socket.on('error', () => {})
  let bytes = await readFirst(socket)
  if (bytes === undefined) return undefined
  let end = bytes.indexOf('\r\n\r\n')
  while (end < 0) {
    if (bytes.length > headLimit) throw malformedError('a head without end')
    bytes = Buffer.concat([bytes, await readNext(socket, doing)])
    end = bytes.indexOf('\r\n\r\n')
  }
  const { status, headers } = readHead(bytes.subarray(0, end).toString('latin1'))
  return { status, body: readBody(bytes.subarray(end + 4), socket, decoderOf(headers), doing) }
}

/** Returns the error of a connection that was closed too early. */
export function connectionLost(doing: string, cause?: unknown): LocaldError {
  return new LocaldError('DAEMON_UNREACHABLE', `lost connection to the daemon while ${doing}`, {
    hint: 'Run `locald status`: services keep running, and a new daemon adopts them.',
    cause,
  })
}

async function* readBody(head: Buffer, socket: Socket, decoder: Decoder, doing: string): AsyncGenerator<Buffer> {
  try {
    for (let bytes = head; ; bytes = await readNext(socket, doing)) {
      const content = decoder.push(bytes)
      if (content.length > 0) yield content
      if (decoder.done) return
    }
  } finally {
    socket.destroy()
  }
}

async function readFirst(socket: Socket): Promise<Buffer | undefined> {
  try {
    return await read(socket)
  } catch (error) {
    if (LocaldError.is(error)) throw error
    return undefined
  }
}

async function readNext(socket: Socket, doing: string): Promise<Buffer> {
  let bytes: Buffer | undefined
  try {
    bytes = await read(socket)
  } catch (error) {
    throw LocaldError.is(error) ? error : connectionLost(doing, error)
  }
  if (bytes === undefined) throw connectionLost(doing)
  return bytes
}

/** Reads the next bytes; undefined at the end. Streams' own iterator takes 2 ms to load. */
function read(socket: Socket): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (done: () => void) => {
      for (const event of readEvents) socket.off(event, look)
      done()
    }
    const look = () => {
      const bytes: Buffer | null = socket.read()
      if (bytes !== null) settle(() => resolve(bytes))
      else if (socket.errored !== null) settle(() => reject(socket.errored))
      else if (socket.readableEnded || socket.destroyed) settle(() => resolve(undefined))
    }
    for (const event of readEvents) socket.on(event, look)
    look()
  })
}

const readEvents = ['readable', 'end', 'error', 'close'] as const

function readHead(text: string): { readonly status: number; readonly headers: ReadonlyMap<string, string> } {
  const [statusLine = '', ...lines] = text.split('\r\n')
  const status = /^HTTP\/1\.1 ([2-5]\d\d)(?: |$)/.exec(statusLine)?.[1]
  if (status === undefined) throw malformedError('no HTTP/1.1 status')
  const headers = new Map<string, string>()
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? []
    if (name === undefined || value === undefined) throw malformedError('a bad header')
    const known = headers.get(name.toLowerCase())
    headers.set(name.toLowerCase(), known === undefined ? value : `${known}, ${value}`)
  }
  return { status: Number(status), headers }
}

/** Extracts the content from the bytes that arrive; `done` after the last byte. */
interface Decoder {
  readonly done: boolean
  push(bytes: Buffer): Buffer
}

function decoderOf(headers: ReadonlyMap<string, string>): Decoder {
  const coding = headers.get('transfer-encoding')
  const length = headers.get('content-length')
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked' || length !== undefined) throw malformedError('an unknown transfer coding')
    return new Chunked()
  }
  if (length === undefined || !/^\d{1,15}$/.test(length)) throw malformedError('a body without length')
  return new Sized(Number(length))
}

class Sized implements Decoder {
  #left: number

  constructor(length: number) {
    this.#left = length
  }

  get done(): boolean {
    return this.#left === 0
  }

  push(bytes: Buffer): Buffer {
    const content = bytes.subarray(0, this.#left)
    this.#left -= content.length
    return content
  }
}

/** RFC 9112, 7.1; extensions and trailers are skipped. */
class Chunked implements Decoder {
  #state: 'size' | 'data' | 'after' | 'trailer' | 'done' = 'size'
  #left = 0
  #line = ''

  get done(): boolean {
    return this.#state === 'done'
  }

  push(bytes: Buffer): Buffer {
    const found: Buffer[] = []
    let at = 0
    while (at < bytes.length && this.#state !== 'done') {
      if (this.#state === 'data') {
        const part = bytes.subarray(at, at + this.#left)
        found.push(part)
        at += part.length
        this.#left -= part.length
        if (this.#left === 0) this.#state = 'after'
      } else {
        const end = bytes.indexOf(10, at)
        this.#line += bytes.toString('latin1', at, end < 0 ? bytes.length : end)
        if (this.#line.length > headLimit) throw malformedError('a chunk head without end')
        at = end < 0 ? bytes.length : end + 1
        if (end >= 0) this.#endLine()
      }
    }
    return Buffer.concat(found)
  }

  #endLine(): void {
    if (!this.#line.endsWith('\r')) throw malformedError('a bare line feed')
    const line = this.#line.slice(0, -1)
    this.#line = ''
    if (this.#state === 'size') {
      const size = /^([0-9a-fA-F]{1,12})(?:[ \t]*;.*)?$/.exec(line)?.[1]
      if (size === undefined) throw malformedError('a bad chunk size')
      this.#left = Number.parseInt(size, 16)
      this.#state = this.#left === 0 ? 'trailer' : 'data'
    } else if (this.#state === 'after') {
      if (line !== '') throw malformedError('a chunk longer than its size')
      this.#state = 'size'
    } else if (line === '') {
      this.#state = 'done'
    }
  }
}

function timeoutError(ms: number): LocaldError {
  return new LocaldError('DAEMON_UNREACHABLE', `the daemon timed out after ${Math.round(ms / 1000)} s`, {
    hint: 'Check its log, or kill it and run `locald server start`: services keep running.',
  })
}

function malformedError(what: string): LocaldError {
  return new LocaldError('DAEMON_UNREACHABLE', `invalid HTTP/1.1 response from the daemon: ${what}`, {
    hint: 'Check that LOCALD_SOCKET, if it is set, names the socket of locald.',
  })
}
