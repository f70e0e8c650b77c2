import { constants } from 'node:crypto'
import { createServer as createListener, type Server, Socket } from 'node:net'
import { createServer, type SecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls'
import { messageOf, systemCode } from '../../../kernel/errors.ts'
import type { Limits } from '../limits.ts'
import type { Complaints } from '../rate-limited-log.ts'

/** Where TLS contexts come from. */
export interface Contexts {
  /** By the name a client asks for; undefined where there is none for it. */
  context(name: string): SecureContext | undefined
  /** For clients that ask for no name, PEM. */
  own(): { readonly key: string; readonly cert: string }
}

const day = 86_400_000
const expected = new Set(['ECONNRESET', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN'])

/** A fatal alert, unrecognized_name (RFC 8446 section 6.2, RFC 6066 section 3): Node has no way to send it. */
const unrecognizedName = Buffer.of(21, 3, 3, 0, 2, 2, 112)

/** Who gets the connections of a port for TLS. */
export interface SecureTakers {
  /** Whether a new connection is one too many; it is closed then. */
  refuses(socket: Socket): boolean
  /** TLS is agreed on. */
  secure(socket: TLSSocket): void
  /** The client speaks plain HTTP; nothing was read yet. */
  plain(socket: Socket): void
}

/** A server for HTTP/2 and HTTP/1.1 over TLS, one certificate for each name, that does not listen yet. */
export function secureServer(contexts: Contexts, limits: Limits, complaints: Complaints, takers: SecureTakers): Server {
  // No client shows a certificate: Node would read its list of authorities, 20 ms and some MB, where it is given none.
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
      // Before any keys are agreed on, an alert is plain bytes; Node ends the connection without one.
      const parent = parentOf(this)
      if (parent?.writable === true) parent.write(unrecognizedName)
      done(new Error(`no certificate for ${JSON.stringify(name.slice(0, 100))}`))
    },
  })
  tls.on('secureConnection', takers.secure)
  tls.on('tlsClientError', (error, socket) => {
    // A client that does not trust the CA yet says so by hanging up: that is `locald trust`'s business.
    if (!expected.has(systemCode(error) ?? '')) complaints.say(`refused a TLS client: ${messageOf(error)}`)
    socket.destroy()
  })
  const server = createListener({ noDelay: true }, socket => {
    if (takers.refuses(socket)) return
    const silent = (): void => void socket.destroy()
    socket.setTimeout(limits.headTimeout, silent)
    socket.on('error', ignored)
    socket.once('data', (first: Buffer) => {
      socket.off('timeout', silent).off('error', ignored)
      socket.setTimeout(0)
      socket.pause()
      socket.unshift(first)
      if (startsWithLetter(first)) takers.plain(socket)
      else tls.emit('connection', socket)
    })
  })
  server.once('listening', () => {
    const renewal = setInterval(() => tls.setSecureContext({ ...common, ...contexts.own() }), day).unref()
    server.once('close', () => clearInterval(renewal))
  })
  return server
}

function ignored(): void {}

/** A method of HTTP does, nothing of TLS. */
function startsWithLetter(bytes: Buffer): boolean {
  const first = bytes[0] ?? 0
  return first >= 65 && first <= 90
}

/** The connection below one of TLS. */
function parentOf(socket: unknown): Socket | undefined {
  const isWrapped = typeof socket === 'object' && socket !== null && '_parent' in socket
  return isWrapped && socket._parent instanceof Socket ? socket._parent : undefined
}
