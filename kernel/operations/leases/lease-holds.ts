import type { Log } from '../../contract/plugin.ts'
import { messageOf } from '../../errors.ts'
import type { LeaseView } from '../../protocol.ts'
import { type FileShape, requireShape } from '../../system/file-shape.ts'
import { readJson, writeAtomic } from '../../system/files.ts'

/** A process that keeps services running. Its start token distinguishes it from later ones with its pid. */
export interface LeaseProcess {
  readonly pid: number
  readonly start: string
  readonly name?: string
}

/** Who keeps services running. */
export interface LeaseOwner {
  readonly processes: readonly LeaseProcess[]
  /** When the time is over: ms since the epoch; null: it has none. */
  readonly untilMs: number | null
}

/** Who keeps one service running, when no one has started it without a lease. */
export interface Hold extends LeaseOwner {
  readonly path: string
  readonly service: string
  /** Why it has lost its last owners: "lease of claude (pid 812) is over". */
  readonly over?: string
}

const text = { type: 'string' } as const
const shape: FileShape<{ readonly holds: readonly Hold[] }> = {
  schema: {
    type: 'object',
    required: ['holds'],
    properties: {
      holds: {
        type: 'array',
        items: {
          type: 'object',
          required: ['path', 'service', 'processes', 'untilMs'],
          properties: {
            path: text,
            service: text,
            processes: {
              type: 'array',
              items: {
                type: 'object',
                required: ['pid', 'start'],
                properties: { pid: { type: 'integer' }, start: text, name: text },
              },
            },
            untilMs: { type: ['number', 'null'] },
            over: text,
          },
        },
      },
    },
  },
}

/** The holds of all services, on disk. Each change is written at once. */
export class Holds {
  readonly #file: string
  readonly #log: Log
  readonly #byService = new Map<string, Hold>()

  /** Reads the file. Without it, or where it is damaged, services count as started without a lease. */
  constructor(file: string, log: Log) {
    this.#file = file
    this.#log = log
    try {
      const value = readJson(file)
      if (value !== undefined)
        for (const hold of requireShape(value, shape).holds) this.#byService.set(keyOf(hold), hold)
    } catch (error) {
      log.warn(`${file} could not be read, services with a lease run until they are stopped: ${messageOf(error)}`)
    }
  }

  list(): readonly Hold[] {
    return [...this.#byService.values()]
  }

  get(path: string, service: string): Hold | undefined {
    return this.#byService.get(keyOf({ path, service }))
  }

  /** Adds holds, or replaces those of the same services. */
  set(holds: readonly Hold[]): void {
    for (const hold of holds) this.#byService.set(keyOf(hold), hold)
    if (holds.length > 0) this.#write()
  }

  remove(path: string, services: readonly string[]): void {
    const removed = services.filter(service => this.#byService.delete(keyOf({ path, service })))
    if (removed.length > 0) this.#write()
  }

  #write(): void {
    try {
      writeAtomic(this.#file, JSON.stringify({ holds: this.list() }), { durable: false })
    } catch (error) {
      this.#log.warn(`the next daemon will not know the leases: ${messageOf(error)}`)
    }
  }
}

function keyOf({ path, service }: Pick<Hold, 'path' | 'service'>): string {
  return `${path}\0${service}`
}

/** Whether a process or time keeps the service running. */
export function hasOwner({ processes, untilMs }: LeaseOwner): boolean {
  return processes.length > 0 || untilMs !== null
}

/** Returns the owners of both; the later time counts. */
export function mergeOwners(one: LeaseOwner, other: LeaseOwner): LeaseOwner {
  const isOther = ({ pid, start }: LeaseProcess) =>
    !other.processes.some(each => each.pid === pid && each.start === start)
  const times = [one.untilMs, other.untilMs].flatMap(time => time ?? [])
  return {
    processes: [...one.processes.filter(isOther), ...other.processes],
    untilMs: times.length === 0 ? null : Math.max(...times),
  }
}

/** Lists the owners of a hold. */
export function viewsOf({ processes, untilMs }: LeaseOwner): readonly LeaseView[] {
  const until = untilMs === null ? [] : [{ pid: null, name: null, until: new Date(untilMs).toISOString() }]
  return [...processes.map(({ pid, name }) => ({ pid, name: name ?? null, until: null })), ...until]
}

/** Describes the owners of a hold: "lease of claude (pid 812) and lease for 9m more"; empty without any. */
export function describeOwners({ processes, untilMs }: LeaseOwner, nowMs: number): string {
  const owners = processes.map(({ pid, name }) => (name === undefined ? `pid ${pid}` : `${name} (pid ${pid})`))
  const time = untilMs === null ? [] : [`lease for ${formatRest(untilMs - nowMs)} more`]
  return [...(owners.length === 0 ? [] : [`lease of ${owners.join(', ')}`]), ...time].join(' and ')
}

function formatRest(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000))
  return seconds < 90 ? `${seconds}s` : `${Math.round(seconds / 60)}m`
}
