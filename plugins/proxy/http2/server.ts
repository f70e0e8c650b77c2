import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Limits } from '../limits.ts'
import { type Client, Telling } from '../message/forwarded.ts'
import type { Complaints } from '../rate-limited-log.ts'
import { nameErrors } from './error-codes.ts'
import { Visit, type VisitParts } from './stream.ts'

/** What HTTP/2 needs of the proxy. */
export interface H2Parts extends VisitParts {
  readonly limits: Limits
  readonly complaints: Complaints
}

/** A connection's streams that are not finished, and since when there are none: performance.now(). */
interface Connection {
  open: number
  idleSince: number
}

/** HTTP/2 on node:http2's core streams: carries out what the gate says. */
export class H2Lane {
  readonly #parts: H2Parts
  readonly #sessions = new Map<ServerHttp2Session, Connection>()
  #open = 0
  #idle: (() => void) | undefined
  #sweep: NodeJS.Timeout | undefined

  constructor(parts: H2Parts) {
    this.#parts = parts
  }

  /** Serves a connection from here on. */
  serve(socket: Socket): void {
    const { limits, complaints } = this.#parts
    const telling = new Telling(clientOf(socket))
    const session = performServerHandshake(socket, optionsOf(limits))
    nameErrors(session)
    session.setLocalWindowSize(limits.h2Window * 16)
    // A client that ends its half has left: node:http2 would keep its streams, and all that was to be sent on them.
    socket.once('end', () => socket.destroy())
    const connection: Connection = { open: 0, idleSince: performance.now() }
    const resets = new Resets()
    session.on('stream', (stream: ServerHttp2Stream, _headers: IncomingHttpHeaders, flags: number, raw: string[]) => {
      connection.open++
      this.#open++
      const visit = new Visit(stream, telling, this.#parts)
      let isReset = false
      const reset = (): void => {
        if (isReset) return
        isReset = true
        if (resets.tooMany()) this.#retire(session)
      }
      // Emitted while nghttp2 reads the frame, so that of a thousand at once it has read no more than those before.
      stream.on('aborted', () => {
        reset()
        // At once: its body ends as if it were complete, and one reset with NO_ERROR closes only when it is read, which may be never.
        visit.left()
        stream.destroy()
      })
      stream.on('close', () => {
        visit.left()
        if (--connection.open === 0) connection.idleSince = performance.now()
        // Also one that was answered in full, as far as Node knows: what the client has not read yet was reset all the same.
        if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) reset()
        if (--this.#open === 0) this.#idle?.()
      })
      visit.serve(flags, raw)
    })
    session.on('error', error => complaints.say(`an HTTP/2 connection failed: ${error.message}`))
    session.on('frameError', () => session.destroy())
    session.once('close', () => this.#sessions.delete(session))
    this.#sessions.set(session, connection)
    // Not by the session's own timeout, which each frame sets anew, and which holds a session that is gone.
    this.#sweep ??= setInterval(() => this.#tidy(), Math.ceil(limits.clientIdle / 4)).unref()
  }

  /** Ends connections that have had no stream for long; stops when there are none. */
  #tidy(): void {
    const before = performance.now() - this.#parts.limits.clientIdle
    for (const [session, { open, idleSince }] of this.#sessions) {
      if (open > 0 || idleSince >= before) continue
      // A client need not close its side: at the next sweep it has had its time.
      if (session.closed) session.destroy()
      else session.close()
    }
    if (this.#sessions.size > 0) return
    clearInterval(this.#sweep)
    this.#sweep = undefined
  }

  /** Takes no new requests, gives those in flight a moment, then ends all connections. */
  async close(): Promise<void> {
    clearInterval(this.#sweep)
    for (const session of this.#sessions.keys()) session.close()
    if (this.#open > 0) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, this.#parts.limits.closing)
        this.#idle = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    for (const session of this.#sessions.keys()) session.destroy()
  }

  /**
   * Has a client that resets its streams fast take a new connection: a page that is reloaded again and again, or an attack
   * (CVE-2023-44487). GOAWAY without an error: streams under way finish, and a client sends again what was not begun.
   */
  #retire(session: ServerHttp2Session): void {
    if (session.closed) return
    this.#parts.complaints.say('ended an HTTP/2 connection whose client resets its streams fast')
    session.close()
  }
}

/** How many resets at once, and a second, a connection takes: both as nghttp2 counts them. */
interface ResetRate {
  readonly burst: number
  readonly perSecond: number
}

// nghttp2 gives up a connection with all its streams after 1000 at once and 33 a second; from Node 22.11 on that can be raised.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const canRaise = major > 22 || (major === 22 && minor >= 11)
/** Below nghttp2's by enough for the resets that Node says nothing of: of streams that have ended when they come. */
const resetRate: ResetRate = canRaise ? { burst: 10_000, perSecond: 100 } : { burst: 850, perSecond: 28 }

/** Counts how fast a client resets its streams. */
class Resets {
  #left = resetRate.burst
  #last = performance.now()

  tooMany(): boolean {
    const now = performance.now()
    const { burst, perSecond } = resetRate
    this.#left = Math.min(burst, this.#left + ((now - this.#last) / 1000) * perSecond) - 1
    this.#last = now
    return this.#left < 0
  }
}

function clientOf(socket: Socket): Client {
  const scheme = socket instanceof TLSSocket ? 'https' : 'http'
  return { remote: socket.remoteAddress ?? '127.0.0.1', port: socket.localPort ?? 443, scheme }
}

function optionsOf(limits: Limits) {
  return {
    // A page of a thousand modules is a thousand streams.
    settings: {
      enableConnectProtocol: true,
      maxConcurrentStreams: limits.h2Streams,
      initialWindowSize: limits.h2Window,
      maxHeaderListSize: limits.head,
    },
    maxHeaderListPairs: 1000,
    // MB for one connection: its streams' heads and what its client has not read yet.
    maxSessionMemory: 128,
    maxSessionInvalidFrames: 100,
    // Where Node knows them; our own count comes first.
    streamResetBurst: resetRate.burst * 10,
    streamResetRate: resetRate.perSecond * 10,
  }
}
