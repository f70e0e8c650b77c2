import { constants } from 'node:crypto'
import { createServer as createListener, type Server, Socket } from 'node:net'
import { createServer, type SecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls'
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
  // No client sends a certificate. Without a list of authorities Node would read its own: 20 ms and some MB.
  const common: SecureContextOptions = {
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    ca: [],
  }
  const tls = createServer({
    ...common,
    ...contexts.own(),
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
  tls.on('secureConnection', handlers.secure)
  tls.on('tlsClientError', (error, socket) => {
    // A client that does not trust the CA closes the connection: `locald trust` fixes that.
    if (!expected.has(systemCode(error) ?? '')) clientLog.warn(`TLS handshake failed: ${messageOf(error)}`)
    socket.destroy()
  })
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
      else tls.emit('connection', socket)
    })
  })
  server.once('listening', () => {
    const renewal = setInterval(() => tls.setSecureContext({ ...common, ...contexts.own() }), day).unref()
    server.once('close', () => clearInterval(renewal))
  })
  return server
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
