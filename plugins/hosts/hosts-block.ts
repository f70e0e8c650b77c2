import { readFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import type { Catalog, Log } from '../../kernel/contract/plugin.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Privileges } from '../privileges/provides.ts'
import { acceptedNames, addressesOf, findsLocalhostNames, isLoopback, selectNames } from './name-lookup.ts'
import type { SharedNames } from './shared-names.ts'

/** What the block needs. */
export interface HostsBlockInput {
  readonly uid: number
  readonly catalog: Catalog
  readonly privileges: Privileges
  readonly shared: SharedNames
  readonly log: Log
  readonly hostsFile?: string
  /** The system's resolver. Tests replace it. */
  readonly find?: typeof addressesOf
}

/**
 * Time after which programs see a change of the hosts file: ms. macOS reads it a second later (mDNSResponder-2600,
 * mDNSMacOSX/mDNSMacOSX.c, mDNSMacOSXGetEtcHostsFD), Linux at each lookup.
 */
const resolveMs = 2500
/** Pause between lookups: ms. */
const pollMs = 100

/**
 * Keeps the user's block of the hosts file equal to the names of running services. One write at a time; the latest
 * wins.
 */
export class HostsBlock {
  readonly #input: HostsBlockInput
  /** The names of the last sync: spares each event a lookup of whether the system resolves names below localhost. */
  #wanted: string | undefined
  /** The names in the block; undefined: unknown. */
  #written: string | undefined
  #running: Promise<void> | undefined
  #isPending = false
  /** When the block was last written. */
  #writtenAt = Number.NEGATIVE_INFINITY
  #problem = ''

  /** Why the block is out of date; empty: it is not. */
  get problem(): string {
    return this.#problem
  }

  constructor(input: HostsBlockInput) {
    this.#input = input
  }

  /** Synchronizes after a change of services. Never rejects; logs a failure once, not at each change. */
  scheduleSync(): void {
    this.sync(false).catch(error => this.#report(messageOf(error)))
  }

  /** Publishes this daemon's names again: its file may have been deleted as unused. Never rejects. */
  refresh(): void {
    this.#wanted = undefined
    this.scheduleSync()
  }

  /**
   * Resolves when the block has the current names. Rejects with the helper's error. `force`: writes even if nothing
   * changed.
   */
  async sync(force: boolean): Promise<void> {
    if (force) {
      this.#wanted = undefined
      this.#written = undefined
    }
    this.#isPending = true
    this.#running ??= this.#writeUntilCurrent().finally(() => {
      this.#running = undefined
    })
    await this.#running
    this.#problem = ''
  }

  async #writeUntilCurrent(): Promise<void> {
    while (this.#isPending) {
      this.#isPending = false
      const services = this.#input.catalog.services()
      const names = selectNames(services, false)
      if (names.join() === this.#wanted) continue
      const needsCheck = names.some(name => name.endsWith('.localhost'))
      await this.#put(needsCheck && (await findsLocalhostNames()) ? selectNames(services, true) : names)
      this.#wanted = names.join()
    }
  }

  async #put(own: readonly string[]): Promise<void> {
    const { privileges, shared } = this.#input
    await shared.put(own)
    this.#written ??= (await this.#hasBlock()) ? undefined : ''
    // Another daemon may have published its names meanwhile and written first: repeats until the block has the names of
    // all.
    const all = async (): Promise<readonly string[]> => acceptedNames(await shared.all())
    for (let names = await all(); names.join() !== this.#written; names = await all()) {
      await privileges.hosts(names)
      this.#written = names.join()
      this.#writtenAt = performance.now()
    }
  }

  /**
   * Resolves when programs resolve those of the names that the block has, or some time after it was written. Never
   * rejects.
   */
  async waitUntilResolved(hosts: readonly string[]): Promise<void> {
    await this.#running?.catch(() => undefined)
    const { find = addressesOf } = this.#input
    const written = this.#written?.split(',') ?? []
    let missing = hosts.filter(name => written.includes(name))
    for (const deadline = this.#writtenAt + resolveMs; missing.length > 0 && performance.now() < deadline; ) {
      const found = await Promise.all(missing.map(async name => (await find(name)).some(isLoopback)))
      missing = missing.filter((_, at) => found[at] === false)
      if (missing.length > 0) await setTimeout(pollMs)
    }
  }

  /** Returns whether an earlier daemon left a block. */
  async #hasBlock(): Promise<boolean> {
    const text = await readFile(this.#input.hostsFile ?? '/etc/hosts', 'utf8').catch(() => '')
    return text.split(/\r?\n/).includes(`# BEGIN locald uid ${this.#input.uid}`)
  }

  #report(text: string): void {
    if (text === this.#problem) return
    this.#problem = text
    this.#input.log.warn(text)
  }
}
