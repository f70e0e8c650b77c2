import type { Server } from 'node:net'
import { LocaldError, systemCode } from '../../kernel/errors.ts'

/** Listens on an address; resolves with the system's code where that is not possible. */
export function listenOn(server: Server, address: string, port: number): Promise<{ readonly port: number } | string> {
  return new Promise(resolve => {
    server.once('error', error => resolve(systemCode(error) ?? error.message))
    server.listen({ host: address, port, ipv6Only: true, exclusive: true }, () => {
      const bound = server.address()
      resolve({ port: typeof bound === 'object' && bound !== null ? bound.port : port })
    })
  })
}

/** Returns the error for a port on which a share cannot listen. */
export function portError(key: string, address: string, port: number, code: string): LocaldError {
  const why = code === 'EADDRINUSE' ? 'is in use' : code === 'EACCES' ? 'needs privileges' : `cannot be used (${code})`
  return new LocaldError('SHARE_FAILED', `port ${port} of ${address} ${why}`, {
    service: key,
    hint: 'Choose another one with `--port`.',
  })
}
