import { relative, resolve, sep } from 'node:path'
import {
  type Exit,
  type Instance,
  type InstanceEvent,
  isWithin,
  type ProcessTree,
} from '../../kernel/contract/plugin.ts'
import { askSite, type ControlAddress } from './control.ts'

/** A running server of a site, and what its files are. */
export interface SiteInstanceInput {
  /** The keeper's instance. */
  readonly server: Instance
  readonly address: ControlAddress
  /** The project's folder. */
  readonly project: string
  /** The output folder, absolute. */
  readonly output: string
}

type Listener = (event: InstanceEvent) => void

/** A server of a site: its keeper's instance, which is sent the changes of its files. */
export class SiteInstance implements Instance {
  readonly pid: number | null
  readonly startedMs: number
  readonly exited: Promise<Exit>
  readonly state: unknown
  readonly tree?: ProcessTree
  readonly #input: SiteInstanceInput
  readonly #listeners = new Set<Listener>()
  #problem: string | null = null

  constructor(input: SiteInstanceInput) {
    const { server, address } = input
    this.#input = input
    this.pid = server.pid
    this.startedMs = server.startedMs
    this.exited = server.exited
    this.state = { ...Object(server.state), site: address }
    if (server.tree !== undefined) this.tree = server.tree
  }

  changed(files: readonly string[]): void {
    const { project, output } = this.#input
    const all = files.map(file => resolve(project, file))
    const changed = all.filter(file => isWithin(file, output))
    void this.#ask({
      output: changed.map(file => relative(output, file).split(sep).join('/')),
      sources: files.filter((_, at) => !changed.includes(all[at] ?? '')),
      isUnknown: files.length === 0,
    })
  }

  /** Reads what the server knows of its last build: an earlier daemon may have started it. */
  refresh(): void {
    void this.#ask()
  }

  on(listener: Listener): () => void {
    if (this.#problem !== null) listener({ event: 'note', text: this.#problem })
    this.#listeners.add(listener)
    const off = this.#input.server.on?.(listener)
    return () => {
      this.#listeners.delete(listener)
      off?.()
    }
  }

  finish(): void {
    this.#input.server.finish?.()
  }

  stop(how: { readonly signal: string; readonly graceMs: number }): Promise<void> {
    return this.#input.server.stop(how)
  }

  async #ask(change?: Parameters<typeof askSite>[1]): Promise<void> {
    try {
      this.#problem = await askSite(this.#input.address, change)
    } catch {
      // It has exited, or is about to: its exit is reported.
      return
    }
    for (const listener of [...this.#listeners]) listener({ event: 'note', text: this.#problem })
  }
}
