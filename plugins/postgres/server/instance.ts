import { setTimeout } from 'node:timers/promises'
import type { Exit, Instance, ProcessTree } from '../../../kernel/contract/plugin.ts'

/** An immediate shutdown writes nothing; a server that still runs after this is killed: ms. */
const immediateMs = 5000

/** A running server: its keeper's instance with its own shutdown and readiness. */
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
    // The programs that a server started must not outlive it.
    server.on?.(event => {
      if (event.event === 'main') server.finish?.()
    })
  }

  probe(): Promise<boolean> {
    return this.#probe()
  }

  /** Shuts down fast (SIGINT) for any requested signal; after the grace period immediately (SIGQUIT). */
  async stop({ graceMs }: { readonly graceMs: number }): Promise<void> {
    const stopped = this.#server.stop({ signal: 'SIGINT', graceMs: graceMs + immediateMs })
    const done = new AbortController()
    const timeout = setTimeout(graceMs, 'late', { signal: done.signal }).catch(() => 'exited')
    const first = await Promise.race([stopped.then(() => 'exited'), timeout])
    done.abort()
    if (first === 'late') await this.#server.stop({ signal: 'SIGQUIT', graceMs: immediateMs })
    await stopped
  }
}
