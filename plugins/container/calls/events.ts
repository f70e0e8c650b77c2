import { createInterface, type Interface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '../../../kernel/contract/plugin.ts'
import { messageOf } from '../../../kernel/errors.ts'
import { type Child, startChild } from '../../lib/child.ts'
import { label } from '../names.ts'
import type { Engine } from '../provides.ts'
import { listContainers } from './containers.ts'
import { type ContainerEvent, parseEvent } from './event-lines.ts'
import { listFormat } from './rows.ts'

type Listener = (event: ContainerEvent) => void

/** A container that is watched, and when it was created: ms since the epoch. */
interface Watched {
  readonly listener: Listener
  readonly createdMs: number
}

/** An engine may set its clock a little behind ours, and what happened before the stream began must be in it: ms. */
const overlapMs = 2000
/** The pause before a broken stream is opened again, and the longest: ms. */
const retryMs = 200
const longestRetryMs = 30_000
/** How often is looked whether the engine's VM still runs, as a stream may outlive its host agent: ms. */
const lookMs = 1000
/** Events of containers that are not watched yet are kept: a container may exit before its start has returned. */
const keptEvents = 500

/**
 * The events of our containers in one engine: one child, which runs only while containers are watched. Each listener
 * gets an event at least once.
 */
export class EngineEvents {
  readonly #engine: Engine
  readonly #owner: string
  readonly #log: Log
  readonly #listeners = new Map<string, Watched>()
  readonly #kept: { readonly id: string; readonly event: ContainerEvent }[] = []
  #child: Child | undefined

  constructor(engine: Engine, owner: string, log: Log) {
    this.#engine = engine
    this.#owner = owner
    this.#log = log
  }

  /**
   * Calls the listener for each event of a container since its creation (ms since the epoch) that is not past already
   * when it is adopted.
   */
  watch(id: string, createdMs: number, listener: Listener): () => void {
    this.#listeners.set(id, { listener, createdMs })
    if (this.#child === undefined) this.#open(createdMs)
    // Not before this has returned: a listener may end its watch.
    queueMicrotask(() => {
      for (const kept of this.#kept)
        if (kept.id === id && this.#listeners.get(id)?.listener === listener) listener(kept.event)
    })
    return () => {
      if (this.#listeners.get(id)?.listener !== listener) return
      this.#listeners.delete(id)
      if (this.#listeners.size === 0) this.#child?.stop()
    }
  }

  /** Stops the stream; nothing is reported any more. */
  close(): void {
    this.#listeners.clear()
    this.#child?.stop()
  }

  #open(sinceMs: number): void {
    void this.#follow(sinceMs - overlapMs).catch(error => this.#log.error(messageOf(error)))
  }

  /** Follows the stream while anything is watched; opens it again where it breaks. */
  async #follow(sinceMs: number): Promise<void> {
    let retry = retryMs
    for (let since = sinceMs; ; ) {
      const openedAt = Date.now()
      const child = startChild(this.#engine.command(this.#args(since)))
      this.#child = child
      const said = collect(child)
      const lines = createInterface({ input: child.stdout })
      const looking =
        this.#engine.isOpen === undefined ? undefined : setInterval(() => this.#look(child, lines), lookMs)
      for await (const line of lines) this.#take(line)
      const code = await child.exited
      clearInterval(looking)
      if (this.#listeners.size === 0) break
      this.#log.warn(`the events of ${this.#engine.name} stopped (${said() || `exit code ${code}`})`)
      retry = Date.now() - openedAt > longestRetryMs ? retryMs : Math.min(longestRetryMs, retry * 2)
      await delay(retry, undefined, { ref: false })
      if (this.#listeners.size === 0) break
      since = openedAt - overlapMs
      if (this.#isLost()) {
        for (const { listener } of [...this.#listeners.values()]) listener({ kind: 'lost' })
        break
      }
      await this.#compare().catch(error => this.#log.warn(messageOf(error)))
    }
    this.#child = undefined
    this.#kept.length = 0
    // Watched again at the same moment.
    const created = [...this.#listeners.values()].map(({ createdMs }) => createdMs)
    if (created.length > 0) this.#open(Math.min(...created))
  }

  /** Closes the stream of an engine whose VM stopped: another process, such as its ssh, may hold it open. */
  #look(child: Child, lines: Interface): void {
    if (!this.#isLost()) return
    child.stop()
    lines.close()
    for (const stream of [child.stdout, child.stderr]) stream.destroy()
  }

  #isLost(): boolean {
    return this.#engine.isOpen?.() === false
  }

  #args(since: number): readonly string[] {
    const filters = ['--filter', 'type=container', '--filter', `label=${label.owner}=${this.#owner}`]
    return ['events', '--since', new Date(since).toISOString(), ...filters, '--format', listFormat(this.#engine)]
  }

  #take(line: string): void {
    const found = parseEvent(line)
    if (found === undefined) return
    const watched = this.#listeners.get(found.id)
    if (watched !== undefined) watched.listener(found.event)
    else this.#kept.push(found)
    if (this.#kept.length > keptEvents) this.#kept.shift()
  }

  /** Reports what happened while the stream was broken: one list instead of the events. */
  async #compare(): Promise<void> {
    const listed = new Map((await listContainers(this.#engine, this.#owner)).map(each => [each.id, each]))
    for (const [id, { listener }] of [...this.#listeners]) {
      const now = listed.get(id)
      if (now === undefined) listener({ kind: 'removed' })
      else if (!now.isRunning) listener({ kind: 'died', code: null })
    }
  }
}

/** Collects the end of what a child says on stderr. */
function collect({ stderr }: Child): () => string {
  let text = ''
  stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-1000)
  })
  return () => text.trim().split('\n').at(-1) ?? ''
}
