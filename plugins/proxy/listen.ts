import type { Server } from 'node:net'
import { systemCode } from '../../kernel/errors.ts'

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

/** Listens on 127.0.0.1 and ::1, the same port on both; a machine without ::1 is fine. `make` gives a fresh server for each. */
export async function listen(wish: PortWish, make: () => Server): Promise<Listening> {
  if ('exactly' in wish) {
    // A port free on one family may be taken on the other: only for 'any' is another one as good.
    for (let left = wish.exactly === 0 ? 10 : 1; ; left--) {
      const got = await both(wish.exactly, make)
      if (typeof got !== 'string') return { ...got, missed: undefined }
      if (left === 1 || got !== 'EADDRINUSE') return { port: null, wanted: wish.exactly, code: got }
    }
  }
  let missed: { port: number; code: string } | undefined
  const ports = [...wish.preferred, ...Array.from({ length: tries }, (_, i) => wish.from + i)]
  for (const port of ports) {
    const got = await both(port, make)
    if (typeof got !== 'string') return { ...got, missed }
    missed ??= { port, code: got }
  }
  return { port: null, wanted: missed?.port ?? wish.from, code: missed?.code ?? 'EADDRINUSE' }
}

async function both(wanted: number, make: () => Server): Promise<{ port: number; addresses: string[] } | string> {
  const first = make()
  const port = await one(first, '127.0.0.1', wanted)
  if (typeof port === 'string') return port
  const again = await one(make(), '::1', port)
  if (typeof again === 'number') return { port, addresses: ['127.0.0.1', '::1'] }
  if (again === 'EADDRNOTAVAIL' || again === 'EAFNOSUPPORT' || again === 'EINVAL')
    return { port, addresses: ['127.0.0.1'] }
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
