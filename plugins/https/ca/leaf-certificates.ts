import { constants, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { Certificates } from '../provides.ts'
import type { Authority } from './authority.ts'
import { isUnder } from './domains.ts'
import { leafCertificate, loopback4, loopback6, pem } from './x509.ts'

const day = 86_400_000
/** Browsers accept at most 398 days (CA/Browser Forum, Apple); a leaf needs no more than the time until its renewal. */
export const leafDays = 90
const renewDays = 30
/**
 * No client certificates are requested. Without this Node reads the roots it ships with: 20 ms of CPU and a MB on Node
 * 20.
 */
const noRoots: string[] = []

interface Leaf {
  readonly context: SecureContext
  /** ms since the epoch. */
  readonly renewAt: number
}

/**
 * Leaves in memory; drops the least recently used beyond `maxLeaves`. A leaf takes about a millisecond and is made
 * synchronously, so that a hundred concurrent requests for a name make one. They share a key that never leaves this
 * process.
 */
export class LeafCertificates implements Certificates {
  readonly caFile: string
  readonly #authority: Authority
  readonly #domains: readonly string[]
  readonly #key: KeyObject
  readonly #keyPem: string
  readonly #maxLeaves: number
  readonly #now: () => number
  readonly #leaves = new Map<string, Leaf>()

  constructor(authority: Authority, domains: readonly string[], { maxLeaves = 1024, now = Date.now } = {}) {
    this.caFile = authority.file
    this.#authority = authority
    this.#domains = domains
    this.#key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    this.#keyPem = this.#key.export({ type: 'pkcs8', format: 'pem' }).toString()
    this.#maxLeaves = maxLeaves
    this.#now = now
  }

  covers(name: string): boolean {
    return isUnder(name.toLowerCase(), this.#domains)
  }

  context(requested: string): SecureContext | undefined {
    const name = requested.toLowerCase()
    const known = this.#leaves.get(name)
    if (known !== undefined) this.#leaves.delete(name)
    else if (!this.covers(name)) return undefined
    const leaf = known !== undefined && this.#now() < known.renewAt ? known : this.#make(name)
    this.#leaves.set(name, leaf)
    if (this.#leaves.size > this.#maxLeaves) this.#dropOldest()
    return leaf.context
  }

  own(): { readonly key: string; readonly cert: string; readonly ca: string[] } {
    return { key: this.#keyPem, cert: this.#issue({ dns: ['localhost'], ip: [loopback4, loopback6] }), ca: noRoots }
  }

  #make(name: string): Leaf {
    const context = createSecureContext({
      key: this.#keyPem,
      cert: this.#issue({ dns: [name] }),
      ca: noRoots,
      minVersion: 'TLSv1.2',
      // A client that renegotiates within TLS 1.2 wants to cost time; no browser does.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    })
    return { context, renewAt: this.#now() + (leafDays - renewDays) * day }
  }

  #issue(names: { readonly dns: readonly string[]; readonly ip?: readonly Buffer[] }): string {
    const now = this.#now()
    // An hour back: clocks of virtual machines and containers lag behind.
    const validity = { from: now - 3_600_000, to: now + leafDays * day }
    return pem(leafCertificate(this.#authority.issuer, this.#key, names, validity))
  }

  #dropOldest(): void {
    for (const name of this.#leaves.keys()) {
      this.#leaves.delete(name)
      return
    }
  }
}
