import { join } from 'node:path'
import type { Exit, Log } from '../contract/plugin.ts'
import { messageOf } from '../errors.ts'
import type { ServiceView } from '../events.ts'
import type { HistoryEntry } from '../protocol.ts'
import { type FileShape, requireShape } from '../system/file-shape.ts'
import { readJson, writeAtomic } from '../system/files.ts'
import { recordId } from './records/record.ts'

/** Entries kept of one service. */
const longest = 200
/** Entries written of one service, for the next daemon. */
const longestWritten = 50

/** What has happened to a service: its states, exits and warnings, the last ones. */
export class History {
  readonly #entries: HistoryEntry[]
  #last: HistoryEntry | undefined

  constructor(earlier: readonly HistoryEntry[] = []) {
    this.#entries = [...earlier]
  }

  /** Returns the entries, the oldest first. */
  list(): readonly HistoryEntry[] {
    return [...this.#entries]
  }

  /** Notes a change of state. Reasons that change while it starts are those of single probes: not kept. */
  noteState({ status, health, reason }: ServiceView): void {
    const last = this.#last
    // What was never started has no history.
    if (last === undefined && status === 'stopped') return
    const isSameReason = last?.text === reason || status === 'starting'
    if (last?.status === status && last.health === health && isSameReason) return
    // The reason of a state that has just begun is reported a moment later.
    const isLate = last?.status === status && last.health === health && last.text === null
    if (isLate && this.#entries.at(-1) === last) this.#entries.pop()
    this.#last = this.#add({ kind: 'state', status, health, text: reason })
  }

  noteExit({ code, signal }: Exit): void {
    this.#add({ kind: 'exit', code, signal })
  }

  noteWarning(text: string): void {
    this.#add({ kind: 'warning', text })
  }

  #add(entry: Partial<HistoryEntry> & Pick<HistoryEntry, 'kind'>): HistoryEntry {
    const nothing = { status: null, health: null, text: null, code: null, signal: null }
    const added = { time: new Date().toISOString(), ...nothing, ...entry }
    this.#entries.push(added)
    if (this.#entries.length > longest) this.#entries.shift()
    return added
  }
}

const textOrNull = { type: ['string', 'null'] } as const
const historyShape: FileShape<{ readonly histories: Readonly<Record<string, readonly HistoryEntry[]>> }> = {
  schema: {
    type: 'object',
    required: ['histories'],
    properties: {
      histories: {
        type: 'object',
        additionalProperties: {
          type: 'array',
          items: {
            type: 'object',
            required: ['time', 'kind', 'status', 'health', 'text', 'code', 'signal'],
            properties: {
              ...{ time: { type: 'string' }, kind: { enum: ['state', 'exit', 'warning'] } },
              ...{ status: textOrNull, health: textOrNull, text: textOrNull, signal: textOrNull },
              code: { type: ['integer', 'null'] },
            },
          },
        },
      },
    },
  },
}

/** The histories of all services. A daemon that is replaced leaves them to the next one; a killed one does not. */
export class Histories {
  readonly #file: string
  readonly #log: Log
  readonly #histories = new Map<string, History>()

  /** @param folder of the records of what runs */
  constructor(folder: string, log: Log) {
    this.#file = join(folder, 'history.json')
    this.#log = log
    try {
      const read = readJson(this.#file)
      const { histories } = read === undefined ? { histories: {} } : requireShape(read, historyShape)
      for (const [id, entries] of Object.entries(histories)) this.#histories.set(id, new History(entries))
    } catch (error) {
      log.warn(`${this.#file} could not be read: ${messageOf(error)}`)
    }
  }

  /** Returns the history of a service, by the folder of its project and its name. */
  of(path: string, service: string): History {
    const id = recordId(path, service)
    const history = this.#histories.get(id) ?? new History()
    this.#histories.set(id, history)
    return history
  }

  /** Writes all for the next daemon. */
  save(): void {
    const lists = [...this.#histories].map(([id, history]) => [id, history.list().slice(-longestWritten)] as const)
    const histories = Object.fromEntries(lists.filter(([, entries]) => entries.length > 0))
    try {
      writeAtomic(this.#file, JSON.stringify({ histories }), { durable: false, mode: 0o600 })
    } catch (error) {
      this.#log.warn(`${this.#file} could not be written: ${messageOf(error)}`)
    }
  }
}
