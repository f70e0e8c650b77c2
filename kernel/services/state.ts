import type { Condition, Fault, ServiceRef } from '../contract/plugin.ts'
import { LocaldError } from '../errors.ts'
import type { Health, ServiceView, SharedUrl, Status } from '../events.ts'

/** The fields of a service's public view. */
interface Fields {
  status: Status
  health: Health
  reason: string | null
  pid: number | null
  startedMs: number | null
  restarts: number
  port: number | null
  url: string | null
  shared: readonly SharedUrl[]
  /** Why it cannot be reached, if that was found out; reset by a new start, and when it is healthy. */
  fault: Fault | null
  /** Since when it is stopped because it was not used: ms since the epoch; the next request starts it. */
  asleepMs: number | null
  /** Whether lists leave it out while nothing is wrong with it. */
  hidden: boolean
  /** Whether the present run has started a process. */
  launched: boolean
  /** Failed readiness probes so far; changes are not emitted, as they come all the time. */
  tries: number
}

/** The fields whose changes are emitted. */
const emitted = [
  'status',
  'health',
  'reason',
  'pid',
  'startedMs',
  'restarts',
  'port',
  'url',
  'shared',
  'launched',
  'fault',
  'hidden',
] as const

/** The subject of a note; a service has at most one note on each. */
export type NoteSubject =
  | 'watch'
  | 'loop'
  | 'configuration'
  | 'dependencies'
  | 'projects'
  | 'type'
  | 'instance'
  | `plugin ${string}`

/** A service's state: set in one place, emitted to all who wait for it. */
export class ServiceState {
  readonly ref: ServiceRef
  readonly #changed: (view: ServiceView) => void
  readonly #waiters = new Set<() => void>()
  readonly #notes = new Map<NoteSubject, string>()
  #sinceMs: number | undefined
  #fields: Fields = {
    status: 'stopped',
    health: null,
    reason: null,
    pid: null,
    startedMs: null,
    restarts: 0,
    port: null,
    url: null,
    shared: [],
    fault: null,
    asleepMs: null,
    hidden: false,
    launched: false,
    tries: 0,
  }

  constructor(ref: ServiceRef, changed: (view: ServiceView) => void) {
    this.ref = ref
    this.#changed = changed
  }

  get now(): Readonly<Fields> {
    return this.#fields
  }

  /** The time of the last change of status (ms since the epoch); undefined: it has not changed. */
  get sinceMs(): number | undefined {
    return this.#sinceMs
  }

  /** Changes fields; emits the view when any of it differs. */
  set(fields: Partial<Fields>): void {
    const before = this.#fields
    const after = { ...before, ...fields }
    const isFaultOver = after.health === 'healthy' || (after.status !== before.status && after.status !== 'running')
    if (fields.fault === undefined && isFaultOver) after.fault = null
    this.#fields = after
    if (before.status !== after.status) this.#sinceMs = Date.now()
    if (isSame(before.shared, after.shared)) after.shared = before.shared
    if (emitted.every(name => before[name] === after[name])) return
    this.#changed(this.view())
    for (const waiter of [...this.#waiters]) waiter()
  }

  /** Facts that matter in every status, such as a watch that does not work. */
  get notes(): readonly string[] {
    return [...this.#notes.values()]
  }

  /** Those that plugins have found out. */
  get notesOfPlugins(): readonly string[] {
    return [...this.#notes].filter(([subject]) => subject.startsWith('plugin ')).map(([, text]) => text)
  }

  /** Sets or, without a text, removes a note. Notes are shown as the reason while there is no other. */
  note(subject: NoteSubject, text: string | undefined): void {
    if (this.#notes.get(subject) === text) return
    if (text === undefined) this.#notes.delete(subject)
    else this.#notes.set(subject, text)
    this.#changed(this.view())
  }

  view(): ServiceView {
    const { status, health, reason, pid, startedMs, restarts, port, url, shared, asleepMs, hidden } = this.#fields
    const isShown = this.#notes.size > 0 && (status === 'running' || status === 'starting')
    return {
      key: this.ref.key,
      project: this.ref.project.name,
      name: this.ref.name,
      path: this.ref.project.path,
      type: this.ref.type,
      status,
      health,
      port,
      url,
      pid,
      startedAt: startedMs === null ? null : new Date(startedMs).toISOString(),
      restarts,
      cpu: null,
      memory: null,
      reason: reason ?? (isShown ? this.notes.join('; ') : null),
      ...(asleepMs === null ? {} : { asleep: true }),
      ...(hidden ? { hidden } : {}),
      ...(shared.length === 0 ? {} : { shared }),
    }
  }

  /** Resolves when `test` returns true; rejects with what it throws, or when aborted. Tests now and at each change. */
  until(test: () => boolean, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (finish: () => void) => {
        this.#waiters.delete(look)
        signal?.removeEventListener('abort', aborted)
        finish()
      }
      const aborted = () => end(() => reject(signal?.reason))
      const look = () => {
        try {
          if (test()) end(resolve)
        } catch (error) {
          end(() => reject(error))
        }
      }
      if (signal?.aborted) return reject(signal.reason)
      signal?.addEventListener('abort', aborted, { once: true })
      this.#waiters.add(look)
      look()
    })
  }

  /**
   * Whether a dependency on this service is met. Throws SERVICE_FAILED, with the name that it has for
   * its dependent, when it cannot be met any more.
   */
  meets(condition: Condition, name = this.ref.name): boolean {
    const { status, health, launched, reason } = this.#fields
    const isOver = status === 'failed' || status === 'stopped' || status === 'exited'
    const met =
      condition === 'completed'
        ? status === 'exited'
        : condition === 'started'
          ? launched && status !== 'failed' && status !== 'stopped'
          : status === 'exited' || (status === 'running' && (health === 'healthy' || health === null))
    if (met) return true
    if (isOver || (condition === 'ready' && status === 'running' && health === 'unhealthy')) {
      throw new LocaldError(
        'SERVICE_FAILED',
        `${name} ${statusText(status, health)}${reason === null ? '' : `: ${reason}`}`,
        { service: this.ref.key },
      )
    }
    return false
  }

  /** Whether a dependency on this service is met, or can still be. */
  mayMeet(condition: Condition): boolean {
    try {
      this.meets(condition)
      return true
    } catch {
      return false
    }
  }

  /** Whether no change is under way: it runs (ready, or past its time to get ready), or is over. */
  get settled(): boolean {
    const { status, health } = this.#fields
    if (status === 'running') return health !== 'starting'
    return status === 'exited' || status === 'failed' || status === 'stopped'
  }
}

function isSame(before: readonly SharedUrl[], after: readonly SharedUrl[]): boolean {
  const texts = [before, after].map(urls => urls.map(({ via, url }) => `${via} ${url}`).join('\n'))
  return texts[0] === texts[1]
}

function statusText(status: Status, health: Health): string {
  if (status === 'failed') return 'failed'
  return `is ${status === 'running' && health !== null ? health : status}`
}
