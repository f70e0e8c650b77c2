import { setTimeout } from 'node:timers/promises'
import type { Exit, Instance, ProcessTree } from '../../../kernel/contract/plugin.ts'

/** An immediate shutdown writes nothing; what is not gone after this is killed: ms. */
const immediateMs = 5000

/** A running server: as its keeper has it, but for how it is stopped and when it is ready. */
export class PostgresInstance implements Instance {
  readonly pid: number | null
  readonly startedMs: number
  readonly exited: Promise<Exit>
  readonly state: unknown
  readonly tree?: ProcessTree
  readonly #server: Instance
  readonly #probe: () => Promise<boolean>

  constructor(server: Instance, probe: () => Promise<boolean>) {
    this.#server = server
    this.#probe = probe
    this.pid = server.pid
    this.startedMs = server.startedMs
    this.exited = server.exited
    this.state = server.state
    if (server.tree !== undefined) this.tree = server.tree
    // What a server's own programs leave behind does not outlive it.
    server.on?.(event => {
      if (event.event === 'main') server.finish?.()
    })
  }

  probe(): Promise<boolean> {
    return this.#probe()
  }

  /** A fast shutdown (SIGINT), whatever signal was asked for; when the grace is over an immediate one (SIGQUIT). */
  async stop({ graceMs }: { readonly graceMs: number }): Promise<void> {
    const stopped = this.#server.stop({ signal: 'SIGINT', graceMs: graceMs + immediateMs })
    const done = new AbortController()
    const timeout = setTimeout(graceMs, 'late', { signal: done.signal }).catch(() => 'gone')
    const first = await Promise.race([stopped.then(() => 'gone'), timeout])
    done.abort()
    if (first === 'late') await this.#server.stop({ signal: 'SIGQUIT', graceMs: immediateMs })
    await stopped
  }
}
