import { connect, type OnReadOpts, type Socket } from 'node:net'
import { systemCode } from '../../kernel/errors.ts'

/** Address and port of a service. */
export interface Address {
  readonly host: string
  readonly port: number
}

type Dialled = (error: Error | null, socket: Socket) => void

const elsewhere = new Set(['ECONNREFUSED', 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'ENETUNREACH', 'EHOSTUNREACH'])

/** What a connection reads into, and who is told: the bytes hold until the call returns. */
export type OnRead = OnReadOpts

/** Connects to the address, then to the other loopback family where nobody listens; the first error is reported. */
export function dial(address: Address, how: { allowHalfOpen: boolean; onread?: OnRead }, done: Dialled): void {
  const [first, second] = families(address.host)
  attempt(first, address.port, how, (error, socket) => {
    if (error === null || second === undefined || !elsewhere.has(systemCode(error) ?? '')) return done(error, socket)
    attempt(second, address.port, how, (again, other) => {
      if (again === null) done(null, other)
      else done(error, socket)
    })
  })
}

/** Whether the error means that no connection came about, so that nothing of the request was sent. */
export function neverConnected(error: Error): boolean {
  return 'syscall' in error && error.syscall === 'connect'
}

function attempt(host: string, port: number, how: { allowHalfOpen: boolean; onread?: OnRead }, done: Dialled): void {
  const socket = connect({ host, port, noDelay: true, ...how })
  const failed = (error: Error): void => done(error, socket)
  socket.once('error', failed)
  socket.once('connect', () => {
    // On a free port of the ephemeral range a connection can meet itself (RFC 9293 section 3.5, simultaneous open).
    if (socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress) {
      socket.destroy(
        Object.assign(new Error(`connect ECONNREFUSED ${host}:${port}`), { code: 'ECONNREFUSED', syscall: 'connect' }),
      )
      return
    }
    socket.off('error', failed)
    done(null, socket)
  })
}

function families(host: string): readonly [string, string?] {
  if (host === '::1') return ['::1', '127.0.0.1']
  if (host === '127.0.0.1' || host === '0.0.0.0' || host === '::' || host === 'localhost') return ['127.0.0.1', '::1']
  return [host]
}
