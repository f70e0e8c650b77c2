import { withResolvers } from '../system/async.ts'

/**
 * Pinned projects that the daemon is about to start. Requests for their names are held until their services are known,
 * instead of answering that the host is unknown.
 */
export class StartingProjects {
  readonly #byDomain = new Map<string, ReturnType<typeof withResolvers<void>>>()

  /** Holds requests for a domain until `release`. */
  expect(domain: string): void {
    this.#byDomain.set(domain, withResolvers())
  }

  /** Releases a domain: its services are known, or are not going to be. */
  release(domain: string): void {
    const expected = this.#byDomain.get(domain)
    this.#byDomain.delete(domain)
    expected?.resolve()
  }

  /** Returns a promise that resolves when the project of a host name is released; undefined when none is starting. */
  find(host: string): Promise<void> | undefined {
    for (const [domain, { promise }] of this.#byDomain)
      if (host === domain || host.endsWith(`.${domain}`)) return promise
    return undefined
  }
}
