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
  readonly #held: Instance
  readonly #probe: () => Promise<boolean>

  constructor(held: Instance, probe: () => Promise<boolean>) {
    this.#held = held
    this.#probe = probe
    this.pid = held.pid
    this.startedMs = held.startedMs
    this.exited = held.exited
    this.state = held.state
    if (held.tree !== undefined) this.tree = held.tree
    // What a server's own programs leave behind does not outlive it.
    held.on?.(event => {
      if (event.event === 'main') held.finish?.()
    })
  }

  probe(): Promise<boolean> {
    return this.#probe()
  }

  /** A fast shutdown (SIGINT), whatever signal was asked for; when the grace is over an immediate one (SIGQUIT). */
  async stop({ graceMs }: { readonly graceMs: number }): Promise<void> {
    const fast = this.#held.stop({ signal: 'SIGINT', graceMs: graceMs + immediateMs })
    const gone = new AbortController()
    const late = setTimeout(graceMs, 'late', { signal: gone.signal }).catch(() => 'gone')
    const first = await Promise.race([fast.then(() => 'gone'), late])
    gone.abort()
    if (first === 'late') await this.#held.stop({ signal: 'SIGQUIT', graceMs: immediateMs })
    await fast
  }
}
