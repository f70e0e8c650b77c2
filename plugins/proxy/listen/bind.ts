import type { Server } from 'node:net'
import { isAnswered } from '../../../kernel/contract/plugin.ts'
import { systemCode } from '../../../kernel/errors.ts'
import type { BoundSocket } from '../../privileges/provides.ts'

/**
 * A request for exactly one port (0: any free one), or for the first free one of some preferred ports and those from
 * another on.
 */
export type PortRequest =
  | { readonly exactly: number }
  | { readonly preferred: readonly number[]; readonly from: number }

/** Where the proxy listens, or why it does not. `missed` is the first preferred port that was not available. */
export type Listening =
  | {
      readonly port: number
      readonly addresses: readonly string[]
      readonly missed: { readonly port: number; readonly code: string } | undefined
    }
  | { readonly port: null; readonly wanted: number; readonly code: string }

const loopback = ['127.0.0.1', '::1'] as const
/** Number of ports to try. */
const maxPorts = 100

/** The ports of a scheme, and the environment variable that overrides them. */
export interface PortPreference {
  readonly variable: 'LOCALD_HTTP_PORT' | 'LOCALD_HTTPS_PORT'
  /** Needs no number in URLs, but a privilege. */
  readonly best: number
  /** Otherwise this port, or the next free one. */
  readonly from: number
}

/** Returns the port of the environment variable or the default; a string with the error if the variable is invalid. */
export function requestedPort(
  { variable, best, from }: PortPreference,
  value: string | undefined,
  privileged: boolean,
): PortRequest | string {
  if (value === undefined || value === '') return { preferred: privileged ? [best] : [], from }
  const port = Number(value)
  if (!/^\d{1,5}$/.test(value) || port > 65_535) return `${variable} is '${value}', which is not a port`
  return { exactly: port }
}

/** Opens sockets on a privileged port; undefined where that is impossible. */
export type Elevate = (port: number) => Promise<readonly BoundSocket[] | undefined>

/** How to listen. */
export interface ListenOptions {
  /** Creates a server for one address. */
  readonly createServer: () => Server
  /** Called where the daemon has no permission to listen. */
  readonly elevate: Elevate
  /** Whether another program gets the connections to an address and port, even if binding succeeds (macOS). */
  readonly isInUse?: (address: string, port: number) => Promise<boolean>
}

/** Listens on the same port of 127.0.0.1 and ::1, or of 127.0.0.1 alone where there is no ::1. */
export async function listen(request: PortRequest, options: ListenOptions): Promise<Listening> {
  if ('exactly' in request) {
    // A port free on one family may be in use on the other: only port 0 can be retried with another one.
    for (let attempts = request.exactly === 0 ? 10 : 1; ; attempts--) {
      const bound = await bind(request.exactly, options)
      if (typeof bound !== 'string') return { ...bound, missed: undefined }
      if (attempts === 1 || bound !== 'EADDRINUSE') return { port: null, wanted: request.exactly, code: bound }
    }
  }
  let missed: { port: number; code: string } | undefined
  const ports = [...request.preferred, ...Array.from({ length: maxPorts }, (_, i) => request.from + i)]
  for (const port of ports) {
    const bound = await bind(port, options)
    if (typeof bound !== 'string') return { ...bound, missed }
    missed ??= { port, code: bound }
  }
  return { port: null, wanted: missed?.port ?? request.from, code: missed?.code ?? 'EADDRINUSE' }
}

async function bind(port: number, options: ListenOptions): Promise<{ port: number; addresses: string[] } | string> {
  const { createServer, elevate, isInUse = isAnswered } = options
  const isInUseAt = (address: string) => isInUse(address, port)
  if (port !== 0 && (await Promise.all(loopback.map(isInUseAt))).includes(true)) return 'EADDRINUSE'
  const bound = await bindBoth(port, createServer, isInUse)
  const sockets = bound === 'EACCES' ? await elevate(port) : undefined
  if (sockets === undefined) return bound
  await Promise.all(sockets.map(({ handle }) => new Promise<void>(resolve => createServer().listen(handle, resolve))))
  return { port, addresses: sockets.map(({ address }) => address) }
}

async function bindBoth(
  wanted: number,
  createServer: () => Server,
  isInUse: NonNullable<ListenOptions['isInUse']>,
): Promise<{ port: number; addresses: string[] } | string> {
  const first = createServer()
  const port = await bindOne(first, loopback[0], wanted)
  if (typeof port === 'string') return port
  const isConflict = wanted === 0 && (await isInUse(loopback[1], port))
  const again = isConflict ? 'EADDRINUSE' : await bindOne(createServer(), loopback[1], port)
  if (typeof again === 'number') return { port, addresses: [...loopback] }
  if (again === 'EADDRNOTAVAIL' || again === 'EAFNOSUPPORT' || again === 'EINVAL')
    return { port, addresses: [loopback[0]] }
  await new Promise(resolve => first.close(resolve))
  return again
}

function bindOne(server: Server, host: string, port: number): Promise<number | string> {
  return new Promise(resolve => {
    const failed = (error: Error): void => resolve(systemCode(error) ?? error.message)
    server.once('error', failed)
    server.listen({ host, port, ipv6Only: true, backlog: 4096 }, () => {
      server.off('error', failed)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 'no address')
    })
  })
}
