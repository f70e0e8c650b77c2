import type { Server } from 'node:net'
import { isAnswered } from '../../../kernel/contract/plugin.ts'
import { systemCode } from '../../../kernel/errors.ts'
import type { BoundSocket } from '../../privileges/service.ts'

/** What the proxy wants: exactly a port (0: any free one), or the first free one from a preferred port on. */
export type PortWish = { readonly exactly: number } | { readonly preferred: readonly number[]; readonly from: number }

/** Where it listens, or why it does not. `missed` is the first preferred port that could not be had. */
export type Listening =
  | {
      readonly port: number
      readonly addresses: readonly string[]
      readonly missed: { readonly port: number; readonly code: string } | undefined
    }
  | { readonly port: null; readonly wanted: number; readonly code: string }

const loopback = ['127.0.0.1', '::1'] as const
/** How many ports after the first are tried. */
const tries = 100

/** Where a scheme's port is wished for. */
export interface Preference {
  readonly variable: 'LOCALD_HTTP_PORT' | 'LOCALD_HTTPS_PORT'
  /** Without a number in URLs; needs a privilege. */
  readonly best: number
  /** Else this one, or the next that is free. */
  readonly from: number
}

/** The wish in the environment's variable, else the default; a string says what is wrong with the variable. */
export function portWish(
  { variable, best, from }: Preference,
  value: string | undefined,
  privileged: boolean,
): PortWish | string {
  if (value === undefined || value === '') return { preferred: privileged ? [best] : [], from }
  const port = Number(value)
  if (!/^\d{1,5}$/.test(value) || port > 65_535) return `${variable} is '${value}', which is not a port`
  return { exactly: port }
}

/** Sockets on a port that needs a privilege; undefined where nobody can have them. */
export type Elevate = (port: number) => Promise<readonly BoundSocket[] | undefined>

/** What listening needs. */
export interface Means {
  /** A fresh server for each address. */
  readonly make: () => Server
  /** Asked where the daemon may not listen itself. */
  readonly elevate: Elevate
  /** Whether somebody else gets the connections to an address and port, though it may be free to bind (macOS). */
  readonly isTaken?: (address: string, port: number) => Promise<boolean>
}

/** Listens on 127.0.0.1 and ::1, the same port on both; a machine without ::1 is fine. */
export async function listen(wish: PortWish, means: Means): Promise<Listening> {
  if ('exactly' in wish) {
    // A port free on one family may be taken on the other: only for 'any' is another one as good.
    for (let left = wish.exactly === 0 ? 10 : 1; ; left--) {
      const got = await any(wish.exactly, means)
      if (typeof got !== 'string') return { ...got, missed: undefined }
      if (left === 1 || got !== 'EADDRINUSE') return { port: null, wanted: wish.exactly, code: got }
    }
  }
  let missed: { port: number; code: string } | undefined
  const ports = [...wish.preferred, ...Array.from({ length: tries }, (_, i) => wish.from + i)]
  for (const port of ports) {
    const got = await any(port, means)
    if (typeof got !== 'string') return { ...got, missed }
    missed ??= { port, code: got }
  }
  return { port: null, wanted: missed?.port ?? wish.from, code: missed?.code ?? 'EADDRINUSE' }
}

async function any(port: number, means: Means): Promise<{ port: number; addresses: string[] } | string> {
  const { make, elevate, isTaken = isAnswered } = means
  const isTakenAt = (address: string) => isTaken(address, port)
  if (port !== 0 && (await Promise.all(loopback.map(isTakenAt))).includes(true)) return 'EADDRINUSE'
  const got = await both(port, make, isTaken)
  const sockets = got === 'EACCES' ? await elevate(port) : undefined
  if (sockets === undefined) return got
  await Promise.all(sockets.map(({ handle }) => new Promise<void>(resolve => make().listen(handle, resolve))))
  return { port, addresses: sockets.map(({ address }) => address) }
}

async function both(
  wanted: number,
  make: () => Server,
  isTaken: NonNullable<Means['isTaken']>,
): Promise<{ port: number; addresses: string[] } | string> {
  const first = make()
  const port = await one(first, loopback[0], wanted)
  if (typeof port === 'string') return port
  const isStrangers = wanted === 0 && (await isTaken(loopback[1], port))
  const again = isStrangers ? 'EADDRINUSE' : await one(make(), loopback[1], port)
  if (typeof again === 'number') return { port, addresses: [...loopback] }
  if (again === 'EADDRNOTAVAIL' || again === 'EAFNOSUPPORT' || again === 'EINVAL')
    return { port, addresses: [loopback[0]] }
  await new Promise(resolve => first.close(resolve))
  return again
}

function one(server: Server, host: string, port: number): Promise<number | string> {
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
