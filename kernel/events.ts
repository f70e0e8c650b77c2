import { type ErrorJson, messageOf } from './errors.ts'

/** What a service is doing. */
export type Status = 'waiting' | 'starting' | 'running' | 'restarting' | 'stopping' | 'stopped' | 'exited' | 'failed'

/** What its health check says; null where there is none to say it. */
export type Health = 'healthy' | 'unhealthy' | 'starting' | null

/** A service as `status --json` and the API show it. Memory in bytes, cpu in percent of one core, times in UTC ISO 8601. */
export interface ServiceView {
  readonly key: string
  readonly project: string
  readonly name: string
  readonly path: string
  readonly type: string
  readonly status: Status
  readonly health: Health
  readonly port: number | null
  readonly url: string | null
  readonly pid: number | null
  readonly startedAt: string | null
  readonly restarts: number
  readonly cpu: number | null
  readonly memory: number | null
  /** Why it is in this state, in one sentence; null when there is nothing to say. */
  readonly reason: string | null
}

/** Every event of the one stream that the CLI, the dashboard and tests read. */
export type LocaldEvent =
  | { readonly event: 'project'; readonly project: string; readonly path: string; readonly domain: string }
  | { readonly event: 'service'; readonly service: ServiceView }
  | {
      readonly event: 'step'
      readonly key: string
      readonly text: string
      readonly progress?: { readonly done: number; readonly total: number }
    }
  | {
      readonly event: 'warning'
      /** Of one service; or the folder of the project it is about. */
      readonly key?: string
      readonly path?: string
      readonly message: string
      readonly hint?: string
    }
  /** What is no problem: of the project in a folder, or of the daemon. */
  | { readonly event: 'notice'; readonly path?: string; readonly message: string }
  | { readonly event: 'removed'; readonly key: string }
  | {
      readonly event: 'done'
      readonly ok: boolean
      readonly services: readonly ServiceView[]
      readonly error?: ErrorJson
      /** The last lines of each service that failed. */
      readonly tails?: Readonly<Record<string, readonly string[]>>
    }

/** One line of a service's output. */
export interface LogLine {
  /** UTC ISO 8601 with microseconds. */
  readonly time: string
  readonly service: string
  readonly stream: string
  readonly text: string
  /** Only of a piece of an unfinished line, of the time that the whole line will have: where the piece begins, in UTF-16 units. */
  readonly from?: number
}

type Listener = (event: LocaldEvent) => void

/** The stream: listeners are called in order, in the tick of the emit; one that throws is told and stops no other. */
export class Events {
  readonly #listeners = new Set<Listener>()
  readonly #failed: (error: unknown) => void

  /** @param failed told of what a listener throws; default: a warning on stderr, which is the daemon's log */
  constructor(failed: (error: unknown) => void = warn) {
    this.#failed = failed
  }

  emit(event: LocaldEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event)
      } catch (error) {
        this.#failed(error)
      }
    }
  }

  /** Adds a listener; the result removes it. */
  on(listener: Listener): () => void {
    const own: Listener = event => listener(event)
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }
}

function warn(error: unknown): void {
  process.emitWarning(`a listener of events failed: ${messageOf(error)}`)
}

/** What `concerns` asks of a service. */
interface Subject {
  readonly key: string
  readonly project: { readonly path: string }
}

/** Returns whether an event is about a service, or about its project as a whole. */
export function concerns(event: LocaldEvent, { key, project }: Subject): boolean {
  if (event.event === 'warning' && event.key === undefined) return event.path === project.path
  if (event.event === 'service') return event.service.key === key
  return 'key' in event && event.key === key
}
