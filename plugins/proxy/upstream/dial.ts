import { connect, type OnReadOpts, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type CatalogEntry, meetsItself } from '../../../kernel/contract/plugin.ts'
import { systemCode } from '../../../kernel/errors.ts'

/** Address and port of a service. */
export interface Address {
  readonly host: string
  readonly port: number
  /** It speaks TLS: the name to ask for (SNI). */
  readonly tls?: string
}

type Dialled = (error: Error | null, socket: Socket) => void

// Without roots of its own Node does not read those it ships with: 20 ms and a MB on Node 20.
const unverified = { rejectUnauthorized: false, ca: [] }

const elsewhere = new Set(['ECONNREFUSED', 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'ENETUNREACH', 'EHOSTUNREACH'])

/** What a connection reads into, and who is told: the bytes hold until the call returns. */
export type OnRead = OnReadOpts

/** Where a service is reached by a name that the client asked for; undefined where it has no port. */
export function addressOf({ upstream, port, protocol }: CatalogEntry, name: string): Address | undefined {
  const address = upstream ?? (port === null ? undefined : { host: '127.0.0.1', port })
  return protocol === 'https' && address !== undefined ? { ...address, tls: name } : address
}

/** Whether two addresses are one and the same. */
export function isSameAddress(one: Address, other: Address): boolean {
  return one.port === other.port && one.host === other.host && one.tls === other.tls
}

/** An address as a key for maps. */
export function keyOf({ host, port, tls }: Address): string {
  return tls === undefined ? `${host} ${port}` : `${host} ${port} ${tls}`
}

/**
 * Connects to the address, then to the other loopback family where nobody listens; the first error is reported. Over TLS `onread` has
 * no meaning: the bytes are events.
 */
export function dial(address: Address, how: How, done: Dialled): void {
  const { tls } = address
  if (tls === undefined) return void dialPlain(address, how, done)
  const { allowHalfOpen } = how
  dialPlain(address, { allowHalfOpen }, (error, socket) => {
    if (error === null) secure(socket, { servername: tls, allowHalfOpen }, done)
    else done(error, socket)
  })
}

interface How {
  readonly allowHalfOpen: boolean
  readonly onread?: OnRead
}

/** The service is on this machine: whatever certificate it has is taken. It is asked for HTTP/1.1 by ALPN. */
function secure(socket: Socket, wish: { servername: string; allowHalfOpen: boolean }, done: Dialled): void {
  const options = { socket, ...wish, ...unverified, ALPNProtocols: ['http/1.1'] }
  const made = connectTls(options)
  const failed = (error: Error): void => {
    socket.destroy()
    done(error, made)
  }
  made.once('error', failed)
  made.once('secureConnect', () => {
    made.off('error', failed)
    done(null, made)
  })
}

function dialPlain(address: Address, how: How, done: Dialled): void {
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
    if (meetsItself(socket)) {
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
