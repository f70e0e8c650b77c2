import { readFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import type { Catalog, Log } from '../../kernel/contract/plugin.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Privileges } from '../privileges/service.ts'
import { acceptedNames, addressesOf, findsLocalhostNames, isLoopback, selectNames } from './name-lookup.ts'
import type { SharedNames } from './shared-names.ts'

/** What the block is kept by. */
export interface HostsBlockInput {
  readonly uid: number
  readonly catalog: Catalog
  readonly privileges: Privileges
  readonly shared: SharedNames
  readonly log: Log
  readonly hostsFile?: string
  /** What the system knows of a name. Tests answer as another system would. */
  readonly find?: typeof addressesOf
}

/**
 * After the hosts file was replaced, programs find its names by now: ms. macOS reads it a second later (mDNSResponder-2600,
 * mDNSMacOSX/mDNSMacOSX.c, mDNSMacOSXGetEtcHostsFD), Linux at each lookup.
 */
const resolveMs = 2500
/** A look at the names, and the pause before the next: ms. */
const pollMs = 100

/** Keeps the user's block of the hosts file in step with the names of running services. One write at a time, the latest wins. */
export class HostsBlock {
  readonly #input: HostsBlockInput
  /** What this daemon wanted when it last looked; whether the system finds such names is not asked anew for each event. */
  #wanted: string | undefined
  /** What the block has; undefined: not known. */
  #written: string | undefined
  #running: Promise<void> | undefined
  #isPending = false
  /** When the block was written last. */
  #writtenAt = Number.NEGATIVE_INFINITY
  #problem = ''

  /** What hinders it from being in step; empty when nothing does. */
  get problem(): string {
    return this.#problem
  }

  constructor(input: HostsBlockInput) {
    this.#input = input
  }

  /** After a change of services. Never rejects; a failure is told once, not at each change. */
  scheduleSync(): void {
    this.sync(false).catch(error => this.#report(messageOf(error)))
  }

  /** Says again what this daemon wants: the file that says it may have been removed as one that nobody uses. Never rejects. */
  refresh(): void {
    this.#wanted = undefined
    this.scheduleSync()
  }

  /** Resolves when the block has what is wanted now. Rejects with what the helper said. `force`: written even if it should be right. */
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
    // Another daemon may have put its names meanwhile, and have been faster at the file: until it has what all want.
    const all = async (): Promise<readonly string[]> => acceptedNames(await shared.all())
    for (let names = await all(); names.join() !== this.#written; names = await all()) {
      await privileges.hosts(names)
      this.#written = names.join()
      this.#writtenAt = performance.now()
    }
  }

  /** Resolves when programs find those of the names that the block has; where they do not, some time after it was written. Never rejects. */
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

  /** One that an earlier daemon left. */
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
