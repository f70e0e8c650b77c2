import { deferred } from '../system/async.ts'

/**
 * Projects that the daemon starts by itself when it begins: their names are answered for before their services are known, so that
 * whoever asks at once is not told that there is nothing.
 */
export class Arrivals {
  /** By domain. */
  readonly #expected = new Map<string, ReturnType<typeof deferred<void>>>()

  /** From now on the project with this domain is on its way; `arrived` says that its services are known, or are not going to be. */
  expect(domain: string): void {
    this.#expected.set(domain, deferred())
  }

  arrived(domain: string): void {
    const expected = this.#expected.get(domain)
    this.#expected.delete(domain)
    expected?.resolve()
  }

  /** Resolves when the project that a host name belongs to has arrived; undefined where none is on its way. */
  of(host: string): Promise<void> | undefined {
    for (const [domain, { promise }] of this.#expected)
      if (host === domain || host.endsWith(`.${domain}`)) return promise
    return undefined
  }
}
