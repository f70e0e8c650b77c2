import { type ErrorJson, messageOf } from './errors.ts'

/** The status of a service. */
export type Status = 'waiting' | 'starting' | 'running' | 'restarting' | 'stopping' | 'stopped' | 'exited' | 'failed'

/** The result of its health check; null without one. */
export type Health = 'healthy' | 'unhealthy' | 'starting' | null

/**
 * A service as `status --json` and the API show it. Memory in bytes, cpu in percent of one core, times in UTC ISO 8601.
 */
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
  /** Why it is in this state, in one sentence; null where the state says enough. */
  readonly reason: string | null
  /** Present where it is stopped, or is being stopped, because it was not used: the next request starts it. */
  readonly asleep?: boolean
  /** Present where lists show it only when it has failed, by its configuration. */
  readonly hidden?: boolean
  /** Where others reach it; present where it is shared. */
  readonly shared?: readonly SharedUrl[]
}

/** A URL by which others reach a service: `via` is the way, such as `lan`. */
export interface SharedUrl {
  readonly via: string
  readonly url: string
}

/** What is run of a project without a `locald.toml`, and the files that it is read from, relative to the project. */
export interface InferredProject {
  readonly file: string
  readonly services: readonly InferredService[]
  /** What the user should know of the choice, a sentence each. */
  readonly notes: readonly string[]
}

export interface InferredService {
  readonly name: string
  readonly type: string
  /** Null for types without one. */
  readonly command: string | null
  readonly file: string
}

/** An event of the one stream that all clients of the API read. */
export type LocaldEvent =
  | {
      readonly event: 'project'
      readonly project: string
      readonly path: string
      readonly domain: string
      /** The project whose services need services of this one. */
      readonly neededBy?: string
      /** Only of a project without a `locald.toml`. */
      readonly inferred?: InferredProject
    }
  | { readonly event: 'service'; readonly service: ServiceView }
  | {
      readonly event: 'step'
      readonly key: string
      readonly text: string
      readonly progress?: { readonly done: number; readonly total: number }
    }
  | {
      readonly event: 'warning'
      /** The service, or the folder of the project, that it is about. */
      readonly key?: string
      readonly path?: string
      readonly message: string
      readonly hint?: string
    }
  /** News of the project in a folder, or of the daemon; not a problem. */
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
  /**
   * Only of a piece of an unfinished line, of the time that the whole line will have: where the piece begins, in UTF-16
   * units.
   */
  readonly from?: number
}

type Listener = (event: LocaldEvent) => void

/**
 * The stream of events. Listeners run in order, in the tick of the emit; a listener's exception is logged and does not
 * affect the others.
 */
export class Events {
  readonly #listeners = new Set<Listener>()
  readonly #failed: (error: unknown) => void

  /** @param failed called with what a listener throws; default: a warning on stderr, which is the daemon's log */
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
export function isAbout(event: LocaldEvent, { key, project }: Subject): boolean {
  if (event.event === 'warning' && event.key === undefined) return event.path === project.path
  if (event.event === 'service') return event.service.key === key
  return 'key' in event && event.key === key
}
