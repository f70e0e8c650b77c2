import { constants } from 'node:crypto'
import { createServer as createListener, type Server, Socket } from 'node:net'
import {
  createServer,
  type SecureContext,
  type SecureContextOptions,
  type TLSSocket,
  type Server as TlsServer,
} from 'node:tls'
import { messageOf, systemCode } from '../../../kernel/errors.ts'
import type { Limits } from '../limits.ts'
import type { RateLimitedLog } from '../rate-limited-log.ts'

/** The source of TLS contexts. */
export interface TlsContexts {
  /** Returns the context for the name a client requests (SNI); undefined where there is none. */
  context(name: string): SecureContext | undefined
  /** Returns the key and certificate for clients that request no name, PEM. */
  own(): { readonly key: string; readonly cert: string }
}

const day = 86_400_000
const expected = new Set(['ECONNRESET', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN'])

/** A fatal alert, unrecognized_name (RFC 8446 section 6.2, RFC 6066 section 3): Node has no way to send it. */
const unrecognizedName = Buffer.of(21, 3, 3, 0, 2, 2, 112)

/** Handles the connections of a TLS port. */
export interface TlsHandlers {
  /** Returns whether a new connection exceeds the limit, and closes it then. */
  rejects(socket: Socket): boolean
  /** Takes a connection after the handshake. */
  secure(socket: TLSSocket): void
  /** Takes a connection whose client speaks plain HTTP; nothing was read yet. */
  plain(socket: Socket): void
}

/** Creates a server for HTTP/2 and HTTP/1.1 over TLS, with a certificate for each name, that does not listen yet. */
export function secureServer(
  contexts: TlsContexts,
  limits: Limits,
  clientLog: RateLimitedLog,
  handlers: TlsHandlers,
): Server {
  let tls: TlsServer | undefined
  const handshake = (socket: Socket): void => {
    tls ??= createHandshakes(contexts, limits, clientLog, handlers.secure)
    tls.emit('connection', socket)
  }
  const server = createListener({ noDelay: true }, socket => {
    if (handlers.rejects(socket)) return
    const silent = (): void => void socket.destroy()
    socket.setTimeout(limits.headTimeout, silent)
    socket.on('error', ignore)
    socket.once('data', (first: Buffer) => {
      socket.off('timeout', silent).off('error', ignore)
      socket.setTimeout(0)
      socket.pause()
      socket.unshift(first)
      if (startsWithLetter(first)) handlers.plain(socket)
      else handshake(socket)
    })
  })
  server.once('listening', () => {
    const renewal = setInterval(() => tls?.setSecureContext(ownContext(contexts)), day).unref()
    server.once('close', () => clearInterval(renewal))
  })
  return server
}

/** Creates the server that does the handshakes; it never listens. Its first certificate takes 10 ms. */
function createHandshakes(
  contexts: TlsContexts,
  limits: Limits,
  clientLog: RateLimitedLog,
  secure: TlsHandlers['secure'],
): TlsServer {
  const tls = createServer({
    ...ownContext(contexts),
    ALPNProtocols: ['h2', 'http/1.1'],
    handshakeTimeout: limits.headTimeout,
    SNICallback(this: unknown, name, done) {
      const context = contexts.context(name)
      if (context !== undefined) return done(null, context)
      // Before the key exchange an alert is plain bytes; Node closes the connection without one.
      const parent = parentOf(this)
      if (parent?.writable === true) parent.write(unrecognizedName)
      done(new Error(`no certificate for ${JSON.stringify(name.slice(0, 100))}`))
    },
  })
  tls.on('secureConnection', secure)
  tls.on('tlsClientError', (error, socket) => {
    // A client that does not trust the CA closes the connection: `locald trust` fixes that.
    if (!expected.has(systemCode(error) ?? '')) clientLog.warn(`TLS handshake failed: ${messageOf(error)}`)
    socket.destroy()
  })
  return tls
}

/** Returns the context for clients that request no name. */
function ownContext(contexts: TlsContexts): SecureContextOptions {
  return {
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    ...contexts.own(),
    // No client sends a certificate. Without a list of authorities Node would read its own: 20 ms and some MB.
    ca: [],
  }
}

function ignore(): void {}

/** Whether the bytes are HTTP: a method starts with a letter, no TLS record does. */
function startsWithLetter(bytes: Buffer): boolean {
  const first = bytes[0] ?? 0
  return first >= 65 && first <= 90
}

/** Returns the connection below a TLS socket. */
function parentOf(socket: unknown): Socket | undefined {
  const isWrapped = typeof socket === 'object' && socket !== null && '_parent' in socket
  return isWrapped && socket._parent instanceof Socket ? socket._parent : undefined
}
