import { constants } from 'node:crypto'
import type { Server } from 'node:net'
import { createServer, type SecureContext, type SecureContextOptions } from 'node:tls'
import { messageOf, systemCode } from '../../kernel/errors.ts'
import type { Complaints } from './complaints.ts'
import type { Limits } from './limits.ts'

/** Where TLS contexts come from. */
export interface Contexts {
  /** By the name a client asks for; undefined where there is none for it. */
  context(name: string): SecureContext | undefined
  /** For clients that ask for no name, PEM. */
  own(): { readonly key: string; readonly cert: string }
}

const day = 86_400_000
const expected = new Set(['ECONNRESET', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN'])

/** A TLS server for HTTP/2 and HTTP/1.1, one certificate for each name. */
export function secureServer(contexts: Contexts, limits: Limits, complaints: Complaints): Server {
  // No client shows a certificate: Node would read its list of authorities, 20 ms and some MB, where it is given none.
  const common: SecureContextOptions = {
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    ca: [],
  }
  const server = createServer({
    ...common,
    ...contexts.own(),
    noDelay: true,
    ALPNProtocols: ['h2', 'http/1.1'],
    handshakeTimeout: limits.headTimeout,
    SNICallback: (name, done) => {
      const context = contexts.context(name)
      if (context === undefined) done(new Error(`no certificate for ${JSON.stringify(name.slice(0, 100))}`))
      else done(null, context)
    },
  })
  server.once('listening', () => {
    const renewal = setInterval(() => server.setSecureContext({ ...common, ...contexts.own() }), day).unref()
    server.once('close', () => clearInterval(renewal))
  })
  server.on('tlsClientError', (error, socket) => {
    // A client that does not trust the CA yet says so by hanging up: that is `locald trust`'s business.
    if (!expected.has(systemCode(error) ?? '')) complaints.say(`refused a TLS client: ${messageOf(error)}`)
    socket.destroy()
  })
  return server
}
