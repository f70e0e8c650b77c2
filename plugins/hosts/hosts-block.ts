import { readFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import type { Catalog, Log } from '../../kernel/contract/plugin.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Privileges } from '../privileges/service.ts'
import { addressesOf, findsLocalhostNames, isLoopback, wantedNames, writable } from './name-lookup.ts'
import type { SharedNames } from './shared-names.ts'

/** What the block is kept by. */
export interface BlockInput {
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
const foundMs = 2500
/** A look at the names, and the pause before the next: ms. */
const lookMs = 100

/** Keeps the user's block of the hosts file in step with the names of running services. One write at a time, the latest wins. */
export class Block {
  readonly #input: BlockInput
  /** What this daemon wanted when it last looked; whether the system finds such names is not asked anew for each event. */
  #wished: string | undefined
  /** What the block has; undefined: not known. */
  #written: string | undefined
  #running: Promise<void> | undefined
  #again = false
  /** When the block was written last. */
  #writtenAt = Number.NEGATIVE_INFINITY
  #complaint = ''

  /** What hinders it from being in step; empty when nothing does. */
  get complaint(): string {
    return this.#complaint
  }

  constructor(input: BlockInput) {
    this.#input = input
  }

  /** After a change of services. Never rejects; a failure is told once, not at each change. */
  follow(): void {
    this.sync(false).catch(error => this.#complain(messageOf(error)))
  }

  /** Says again what this daemon wants: the file that says it may have been removed as one that nobody uses. Never rejects. */
  renew(): void {
    this.#wished = undefined
    this.follow()
  }

  /** Resolves when the block has what is wanted now. Rejects with what the helper said. `anew`: written even if it should be right. */
  async sync(anew: boolean): Promise<void> {
    if (anew) {
      this.#wished = undefined
      this.#written = undefined
    }
    this.#again = true
    this.#running ??= this.#settle().finally(() => {
      this.#running = undefined
    })
    await this.#running
    this.#complaint = ''
  }

  async #settle(): Promise<void> {
    while (this.#again) {
      this.#again = false
      const services = this.#input.catalog.services()
      const wish = wantedNames(services, false)
      if (wish.join() === this.#wished) continue
      const needsCheck = wish.some(name => name.endsWith('.localhost'))
      await this.#put(needsCheck && (await findsLocalhostNames()) ? wantedNames(services, true) : wish)
      this.#wished = wish.join()
    }
  }

  async #put(own: readonly string[]): Promise<void> {
    const { privileges, shared } = this.#input
    await shared.put(own)
    this.#written ??= (await this.#hasBlock()) ? undefined : ''
    // Another daemon may have put its names meanwhile, and have been faster at the file: until it has what all want.
    const all = async (): Promise<readonly string[]> => writable(await shared.all())
    for (let names = await all(); names.join() !== this.#written; names = await all()) {
      await privileges.hosts(names)
      this.#written = names.join()
      this.#writtenAt = performance.now()
    }
  }

  /** Resolves when programs find those of the names that the block has; where they do not, some time after it was written. Never rejects. */
  async found(hosts: readonly string[]): Promise<void> {
    await this.#running?.catch(() => undefined)
    const { find = addressesOf } = this.#input
    const written = this.#written?.split(',') ?? []
    let missing = hosts.filter(name => written.includes(name))
    for (const deadline = this.#writtenAt + foundMs; missing.length > 0 && performance.now() < deadline; ) {
      const found = await Promise.all(missing.map(async name => (await find(name)).some(isLoopback)))
      missing = missing.filter((_, at) => found[at] === false)
      if (missing.length > 0) await setTimeout(lookMs)
    }
  }

  /** One that an earlier daemon left. */
  async #hasBlock(): Promise<boolean> {
    const text = await readFile(this.#input.hostsFile ?? '/etc/hosts', 'utf8').catch(() => '')
    return text.split(/\r?\n/).includes(`# BEGIN locald uid ${this.#input.uid}`)
  }

  #complain(text: string): void {
    if (text === this.#complaint) return
    this.#complaint = text
    this.#input.log.warn(text)
  }
}
