import { connect, type OnReadOpts, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type CatalogEntry, meetsItself } from '../../../kernel/contract/plugin.ts'
import { systemCode } from '../../../kernel/errors.ts'

/** Where a service listens: address and port, or a Unix socket. */
export interface Address {
  readonly host: string
  readonly port: number
  /** Path of a Unix socket; it outranks host and port. */
  readonly socket?: string
  /** It speaks TLS: the name to ask for (SNI). */
  readonly tls?: string
}

type DialCallback = (error: Error | null, socket: Socket) => void

// An empty list of roots keeps Node from reading its bundled ones: 20 ms and 1 MB on Node 20.
const unverified = { rejectUnauthorized: false, ca: [] }

/** Errors after which the other loopback family may still accept. */
const unreachable = new Set(['ECONNREFUSED', 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'ENETUNREACH', 'EHOSTUNREACH'])

/** The buffer a connection reads into, and the callback: the bytes are valid until it returns. */
export type OnRead = OnReadOpts

/** Returns the address of a service for the host name that the client requested; undefined where it has no port. */
export function addressOf({ upstream, port, protocol }: CatalogEntry, name: string): Address | undefined {
  const address = upstream ?? (port === null ? undefined : { host: '127.0.0.1', port })
  return protocol === 'https' && address !== undefined ? { ...address, tls: name } : address
}

/** Whether two addresses are the same. */
export function isSameAddress(one: Address, other: Address): boolean {
  return one.port === other.port && one.host === other.host && one.tls === other.tls && one.socket === other.socket
}

/** Returns an address as a key for maps. */
export function keyOf({ host, port, tls, socket }: Address): string {
  if (socket !== undefined) return socket
  return tls === undefined ? `${host} ${port}` : `${host} ${port} ${tls}`
}

/**
 * Connects to an address, then to the other loopback family if that is refused; reports the first error. Ignores
 * `onread` over TLS, where the bytes are emitted.
 */
export function dial(address: Address, how: DialOptions, done: DialCallback): void {
  const { tls } = address
  if (tls === undefined) return void dialPlain(address, how, done)
  const { allowHalfOpen } = how
  dialPlain(address, { allowHalfOpen }, (error, socket) => {
    if (error === null) secure(socket, { servername: tls, allowHalfOpen }, done)
    else done(error, socket)
  })
}

interface DialOptions {
  readonly allowHalfOpen: boolean
  readonly onread?: OnRead
}

/** Starts TLS. Accepts any certificate, as the service is on this machine, and offers HTTP/1.1 by ALPN. */
function secure(socket: Socket, names: { servername: string; allowHalfOpen: boolean }, done: DialCallback): void {
  const options = { socket, ...names, ...unverified, ALPNProtocols: ['http/1.1'] }
  const secured = connectTls(options)
  const failed = (error: Error): void => {
    socket.destroy()
    done(error, secured)
  }
  secured.once('error', failed)
  secured.once('secureConnect', () => {
    secured.off('error', failed)
    done(null, secured)
  })
}

function dialPlain(address: Address, how: DialOptions, done: DialCallback): void {
  if (address.socket !== undefined) return void attempt({ path: address.socket }, how, done)
  const [first, second] = families(address.host)
  attempt({ host: first, port: address.port }, how, (error, socket) => {
    if (error === null || second === undefined || !unreachable.has(systemCode(error) ?? '')) return done(error, socket)
    attempt({ host: second, port: address.port }, how, (again, other) => {
      if (again === null) done(null, other)
      else done(error, socket)
    })
  })
}

/** Whether the error means that no connection was made, so that nothing of the request was sent. */
export function neverConnected(error: Error): boolean {
  return 'syscall' in error && error.syscall === 'connect'
}

type Endpoint = { readonly host: string; readonly port: number } | { readonly path: string }

function attempt(to: Endpoint, how: DialOptions, done: DialCallback): void {
  const socket = connect({ ...to, noDelay: true, ...how })
  const failed = (error: Error): void => done(error, socket)
  socket.once('error', failed)
  socket.once('connect', () => {
    if ('port' in to && meetsItself(socket)) {
      const text = `connect ECONNREFUSED ${to.host}:${to.port}`
      socket.destroy(Object.assign(new Error(text), { code: 'ECONNREFUSED', syscall: 'connect' }))
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
