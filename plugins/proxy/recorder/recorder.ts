import { join } from 'node:path'
import type { BodyStore } from './body.ts'
import { Budget } from './budget.ts'
import type { FastExchange } from './compact.ts'
import { type ClientHead, Entry } from './entry.ts'
import { Frames } from './frames.ts'
import { Recording } from './recording.ts'
import { Ring } from './ring.ts'
import { Spill } from './spill.ts'

/** What is recorded: nothing, metadata (bodies while someone looks), or always everything. */
export type RecordMode = 'off' | 'metadata' | 'full'

/** How much is kept: exchanges, bytes of heads and bodies in memory, bytes on disk. */
export interface RecorderLimits {
  readonly exchanges: number
  readonly heads: number
  readonly memory: number
  readonly disk: number
  /** Of one body, bytes. */
  readonly body: { readonly memory: number; readonly disk: number }
}

export const defaultRecorderLimits: RecorderLimits = {
  exchanges: 500,
  heads: 8 * 1024 * 1024,
  memory: 16 * 1024 * 1024,
  disk: 64 * 1024 * 1024,
  body: { memory: 64 * 1024, disk: 1024 * 1024 },
}

/** Keeps the latest exchanges of the proxy. */
export class Recorder {
  readonly mode: RecordMode
  readonly #ring: Ring
  readonly #store: BodyStore
  readonly #tag = tagOf(Math.random())
  readonly #listeners = new Set<(entry: Entry) => void>()
  #watchers = 0
  #changes = 0

  /** @param folder where bodies are spilled to */
  constructor(mode: RecordMode, folder: string, limits: RecorderLimits = defaultRecorderLimits) {
    this.mode = mode
    this.#ring = new Ring(limits.exchanges, limits.heads)
    const spill = new Spill(join(folder, 'requests'), limits.disk)
    this.#store = { limits: limits.body, memory: new Budget(limits.memory), spill }
    spill.clear()
  }

  /** Whether bodies and frames are kept. */
  get wantsBodies(): boolean {
    return this.#watchers > 0 || this.mode === 'full'
  }

  get store(): BodyStore {
    return this.#store
  }

  /** Keeps bodies until the result is called; not where recording is off. */
  watch(): () => void {
    if (this.mode === 'off') return () => undefined
    this.#watchers += 1
    let isOpen = true
    return () => {
      if (isOpen) this.#watchers -= 1
      isOpen = false
    }
  }

  /** Begins to record an exchange. */
  begin(head: ClientHead, since: number): Recording {
    const entry = new Entry(head, since)
    this.#ring.add(entry)
    const recording = new Recording(entry, this)
    this.changed(entry)
    return recording
  }

  /** Records an exchange of the fast path, which is over. Called for each of its requests. */
  add(fast: FastExchange): void {
    const seq = this.#ring.addCompact(fast, ++this.#changes)
    if (this.#listeners.size === 0) return
    const entry = this.#ring.get(seq)
    if (entry !== undefined) this.#notify(entry)
  }

  changed(entry: Entry): void {
    entry.changed = ++this.#changes
    if (this.#listeners.size > 0) this.#notify(entry)
  }

  #notify(entry: Entry): void {
    for (const listener of this.#listeners) listener(entry)
  }

  weigh(entry: Entry): void {
    this.#ring.weigh(entry)
  }

  frames(): Frames {
    return new Frames(this.#store.memory)
  }

  /** Adds a listener for each change of an entry; the result removes it. */
  on(listener: (entry: Entry) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Returns all entries, the oldest first. */
  list(): readonly Entry[] {
    return this.#ring.list()
  }

  /** Returns those that have changed since a position, which is of `position`; all where another daemon made it. */
  since(position: string | undefined): readonly Entry[] {
    const [tag, count] = position?.split('.') ?? []
    const after = tag === this.#tag ? Number(count) : 0
    return this.#ring.list().filter(entry => entry.changed > after)
  }

  /** Returns where a reader of all changes resumes after them. */
  get position(): string {
    return `${this.#tag}.${this.#changes}`
  }

  idOf({ seq }: Entry): string {
    return `${this.#tag}${seq + 1}`
  }

  find(id: string): Entry | undefined {
    const [, tag, number] = /^([a-z]{3})([1-9]\d{0,14})$/.exec(id) ?? []
    return tag === this.#tag ? this.#ring.get(Number(number) - 1) : undefined
  }

  /** Forgets everything. */
  clear(): void {
    this.#ring.clear()
  }

  close(): void {
    this.#ring.clear()
    this.#store.spill.clear()
  }
}

/** Returns three letters, so that the ids of two daemons differ. */
function tagOf(random: number): string {
  const letters = 'bcdfghjkmnpqrstvwxz'
  const { length } = letters
  const number = Math.floor(random * length ** 3)
  return [0, 1, 2].map(place => letters[Math.floor(number / length ** place) % length]).join('')
}
