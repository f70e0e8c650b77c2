import { randomBytes } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { setTimeout } from 'node:timers/promises'
import type { CatalogEntry, Status } from '../../kernel/contract/plugin.ts'

/** A name server that takes longer is treated as having no answer: ms. */
const lookupMs = 2000
/** The helper's limits: names, and bytes of names with a newline each. */
const limits = { names: 1024, bytes: 40_960 }
/** Domains reserved for local use (RFC 6761). */
const domains = ['localhost', 'test'] as const
/** Labels of names that programs look up in the machine's own domain; the helper accepts none of them. */
const reserved: readonly string[] = ['wpad', 'isatap']
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const live: readonly Status[] = ['waiting', 'starting', 'running', 'restarting', 'stopping']

/**
 * Returns the names of running and starting services that the hosts file may have: those below `test`, and those below
 * `localhost` unless the system resolves them.
 */
export function selectNames(services: readonly CatalogEntry[], findsLocalhost: boolean): readonly string[] {
  const names = services.filter(({ status }) => live.includes(status)).flatMap(({ hosts }) => hosts)
  return acceptedNames(names.filter(name => !(findsLocalhost && name.endsWith('.localhost'))))
}

/** Returns the names that the helper accepts, sorted, up to its limits. It rejects the whole list for one bad name. */
export function acceptedNames(names: readonly string[]): readonly string[] {
  let bytes = 0
  const allowed = [...new Set(names.filter(isAccepted))].sort()
  return allowed.slice(0, limits.names).filter(name => {
    bytes += name.length + 1
    return bytes <= limits.bytes
  })
}

/**
 * Returns whether the system's resolver finds every name below `localhost` on this machine, as RFC 6761 demands. macOS
 * queries the name servers, and those of some providers answer with another machine for names that do not exist.
 */
export async function findsLocalhostNames(find: typeof addressesOf = addressesOf): Promise<boolean> {
  // A name that cannot be in the hosts file.
  const addresses = await find(`locald-${randomBytes(6).toString('hex')}.localhost`)
  return addresses.length > 0 && addresses.every(isLoopback)
}

/** Returns whether an address is a loopback address. */
export function isLoopback(address: string): boolean {
  return address === '::1' || /^127(?:\.\d+){3}$/.test(address)
}

/** Returns the addresses from getaddrinfo(3); empty when there are none, or when a name server is too slow. */
export async function addressesOf(name: string): Promise<readonly string[]> {
  const done = new AbortController()
  try {
    const timeout = setTimeout(lookupMs, [], { signal: done.signal })
    const found = await Promise.race([lookup(name, { all: true }), timeout])
    return found.map(({ address }) => address)
  } catch {
    return []
  } finally {
    done.abort()
  }
}

function isAccepted(name: string): boolean {
  const labels = name.split('.')
  const top = labels.at(-1)
  const isFine = labels.every(it => label.test(it) && !reserved.includes(it))
  return isFine && labels.length > 1 && name.length <= 253 && domains.some(it => it === top)
}
