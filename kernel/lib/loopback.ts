import { connect, createServer, type Socket } from 'node:net'
import { systemCode } from '../errors.ts'

/** A connection on loopback that takes longer waits in the full queue of a listener: ms. */
const answerMs = 500

/**
 * Returns whether another listener gets the connections to a port of a loopback address. Call it before binding the
 * port, which alone does not show that everywhere: on XNU, SO_REUSEADDR (libuv sets it for every listener) lets
 * 127.0.0.1 and ::1 be bound beside a listener on all addresses, 0.0.0.0 or ::, of the same user, and by root beside
 * any user's; connections then go to the one with the exact address. Another user's listener, and one on the very same
 * address, are refused with EADDRINUSE, as on Linux (xnu-11417.101.15, bsd/netinet/in_pcb.c in_pcbbind and
 * bsd/netinet6/in6_pcb.c in6_pcbbind: with `wild` 0 only an equal address conflicts). Never rejects.
 */
export async function isAnswered(address: string, port: number): Promise<boolean> {
  const result = await dial(address, port)
  // A full queue does not answer; nor does a firewall that drops all packets, as for ::1 on a machine without IPv6.
  return result === 'silent' ? await takesConnections(address) : result === 'taken'
}

/** Tries a connection; `silent`: no answer in time. */
function dial(address: string, port: number): Promise<'taken' | 'refused' | 'silent'> {
  return new Promise(resolve => {
    const socket = connect({ port, host: address })
    const end = (result: 'taken' | 'refused' | 'silent') => {
      socket.destroy()
      resolve(result)
    }
    socket.once('connect', () => end(meetsItself(socket) ? 'refused' : 'taken'))
    // A reset comes from a listener, such as one with a full queue.
    socket.on('error', error => end(systemCode(error) === 'ECONNRESET' ? 'taken' : 'refused'))
    // A refusal that has arrived meanwhile takes precedence.
    socket.setTimeout(answerMs, () => setImmediate(end, 'silent'))
  })
}

/** Returns whether connections to an address arrive, by a listener on a free port. */
function takesConnections(address: string): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer(socket => socket.destroy())
    server.once('error', () => resolve(false))
    server.listen({ port: 0, host: address, exclusive: true }, async () => {
      const own = server.address()
      const result = typeof own === 'object' && own !== null ? await dial(address, own.port) : 'silent'
      server.close(() => resolve(result !== 'silent'))
    })
  })
}

/**
 * Returns whether a connection has met itself, so that there is no listener: on a free port of the ephemeral range its
 * own port can be the one that it connects to (RFC 9293 section 3.5, simultaneous open).
 */
export function meetsItself({ localPort, remotePort, localAddress, remoteAddress }: Socket): boolean {
  return localPort === remotePort && localAddress === remoteAddress
}
