import { randomBytes } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { setTimeout } from 'node:timers/promises'
import type { CatalogEntry, Status } from '../../kernel/contract/plugin.ts'

/** A name server that is waited for longer than this has no answer: ms. */
const lookupMs = 2000
/** More the helper does not take: names, and bytes of names with a newline each. */
const limits = { names: 1024, bytes: 40_960 }
/** Domains reserved for local use (RFC 6761). */
const domains = ['localhost', 'test'] as const
/** Labels of names that programs look for in the machine's own domain; the helper takes none of them. */
const reserved: readonly string[] = ['wpad', 'isatap']
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const live: readonly Status[] = ['waiting', 'starting', 'running', 'restarting', 'stopping']

/**
 * Names of services that run, or are about to, which the hosts file may have: below `localhost` and `test`. Those below
 * `localhost` only where the system does not find such names by itself.
 */
export function selectNames(services: readonly CatalogEntry[], findsLocalhost: boolean): readonly string[] {
  const names = services.filter(({ status }) => live.includes(status)).flatMap(({ hosts }) => hosts)
  return acceptedNames(names.filter(name => !(findsLocalhost && name.endsWith('.localhost'))))
}

/** Those of the names that the helper takes, sorted, as far as it takes more. It refuses all for one that it does not take. */
export function acceptedNames(names: readonly string[]): readonly string[] {
  let bytes = 0
  const allowed = [...new Set(names.filter(isAccepted))].sort()
  return allowed.slice(0, limits.names).filter(name => {
    bytes += name.length + 1
    return bytes <= limits.bytes
  })
}

/**
 * Whether the system's resolver finds any name below `localhost` on this machine, as RFC 6761 asks for. macOS asks the name servers
 * for them, and one that answers for what does not exist, as those of some providers do, sends programs elsewhere.
 */
export async function findsLocalhostNames(find: typeof addressesOf = addressesOf): Promise<boolean> {
  // One that nobody can have written into the hosts file.
  const addresses = await find(`locald-${randomBytes(6).toString('hex')}.localhost`)
  return addresses.length > 0 && addresses.every(isLoopback)
}

/** Whether an address is one of this machine's loopback. */
export function isLoopback(address: string): boolean {
  return address === '::1' || /^127(?:\.\d+){3}$/.test(address)
}

/** What getaddrinfo(3) knows; empty when that is nothing, or when a name server keeps it waiting. */
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
