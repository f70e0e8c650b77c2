import type { Log } from '../contract/plugin.ts'
import { messageOf } from '../errors.ts'
import type { Events, ServiceView } from '../events.ts'
import { normalizeValue } from '../services/environment/shell-changes.ts'
import { configValues } from './config-values.ts'
import { readHead } from './git/head.ts'
import { type DiagnosedProject, type Subject, subjectOf } from './subject.ts'
import type { ToolVersions } from './tools.ts'
import type { HashValue } from './value-hash.ts'
import { readSources } from './variable-sources.ts'
import type { WellRecord, WellRecords } from './well-records.ts'

/** A service is recorded when it has been healthy for this long, or has run for so long without a health check: ms. */
const healthyMs = 1000
const steadyMs = 5000
/** More variables are not compared. */
const mostVariables = 500

/** What the watch works with. */
export interface WellWatchInput {
  readonly events: Events
  readonly projects: () => readonly DiagnosedProject[]
  readonly records: WellRecords
  readonly tools: ToolVersions
  readonly log: Log
}

/**
 * Records each service once for each of its runs, when it has been well for a moment. One at a time, and only when no
 * service is starting, so that it delays none.
 */
export class WellWatch {
  readonly #input: WellWatchInput
  readonly #timers = new Map<string, NodeJS.Timeout>()
  /** When the process was started that a service's record is of. */
  readonly #recorded = new Map<string, number>()
  readonly #starting = new Set<string>()
  readonly #due = new Set<string>()
  #isBusy = false

  constructor(input: WellWatchInput) {
    this.#input = input
    input.events.on(event => {
      if (event.event === 'service') this.#see(event.service)
      if (event.event === 'removed') this.#forget(event.key)
    })
  }

  #see({ key, status, health }: ServiceView): void {
    clearTimeout(this.#timers.get(key))
    this.#timers.delete(key)
    if (status === 'waiting' || status === 'starting') this.#starting.add(key)
    else this.#starting.delete(key)
    const isWell = (status === 'running' && (health === 'healthy' || health === null)) || status === 'exited'
    if (isWell) {
      const timer = setTimeout(() => this.#enqueue(key), health === null && status === 'running' ? steadyMs : healthyMs)
      this.#timers.set(key, timer.unref())
    }
    if (this.#starting.size === 0) void this.#work()
  }

  #forget(key: string): void {
    clearTimeout(this.#timers.get(key))
    this.#timers.delete(key)
    this.#recorded.delete(key)
    this.#starting.delete(key)
    this.#due.delete(key)
    if (this.#starting.size === 0) void this.#work()
  }

  #enqueue(key: string): void {
    this.#timers.delete(key)
    this.#due.add(key)
    if (this.#starting.size === 0) void this.#work()
  }

  async #work(): Promise<void> {
    if (this.#isBusy) return
    this.#isBusy = true
    for (const key of this.#due) {
      this.#due.delete(key)
      await this.#record(key).catch(error => this.#input.log.warn(`could not record ${key}: ${messageOf(error)}`))
      if (this.#starting.size > 0) break
    }
    this.#isBusy = false
  }

  async #record(key: string): Promise<void> {
    const { projects, records } = this.#input
    const found = projects().flatMap(project => {
      const service = [...project.services.values()].find(({ ref }) => ref.key === key)
      return service === undefined ? [] : [{ project, service }]
    })[0]
    const subject = found && subjectOf(found.project, found.service)
    const startedMs = found?.service.state.now.startedMs ?? null
    if (subject === undefined || startedMs === null || !isWell(subject)) return
    const last = this.#recorded.get(key) ?? records.read(subject.root, subject.plan.name)?.startedMs
    this.#recorded.set(key, startedMs)
    if (last === startedMs) return
    const record = await describe(subject, startedMs, this.#input)
    // It may have failed meanwhile, and what was read may be what made it fail.
    if (isWell(subject) && subject.service.state.now.startedMs === startedMs) records.write(record)
    else this.#recorded.delete(key)
  }
}

function isWell({ service }: Subject): boolean {
  const { status, health } = service.state.now
  return status === 'exited' || (status === 'running' && (health === 'healthy' || health === null))
}

async function describe(
  subject: Subject,
  startedMs: number,
  { records, tools }: Pick<WellWatchInput, 'records' | 'tools'>,
): Promise<WellRecord> {
  const { project, service, plan, root } = subject
  const head = readHead(root)
  const { env = {} } = service
  const { sources, envFiles } = await readSources(subject, Object.keys(env))
  const names = Object.keys(sources).slice(0, mostVariables)
  return {
    version: 1,
    ...{ path: root, service: plan.name, wellMs: Date.now(), startedMs },
    ...{ head: head?.commit ?? '', branch: head?.branch ?? '' },
    env: hashValues(env, names, records.hash),
    sources: Object.fromEntries(names.map(name => [name, sources[name] ?? ''])),
    envFiles,
    config: configValues(plan, records.hash),
    tools: await tools.of(subject),
    dependencies: Object.fromEntries(
      project.needsOf(plan.name).map(need => [need.name, need.service.state.now.startedMs ?? 0]),
    ),
  }
}

/** Returns hashes of the named variables' values. */
export function hashValues(
  env: Readonly<Record<string, string>>,
  names: readonly string[],
  hash: HashValue,
): Record<string, string> {
  return Object.fromEntries(names.map(name => [name, hash(normalizeValue(env[name]) ?? '')]))
}
