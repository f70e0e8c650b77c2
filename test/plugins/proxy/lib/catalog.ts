import type {
  Catalog,
  CatalogEntry,
  CatalogProject,
  Fault,
  LocaldEvent,
  Route,
} from '../../../../kernel/contract/plugin.ts'
import { StartingProjects } from '../../../../kernel/projects/starting-projects.ts'

/** A catalog whose services and projects are set by the test. */
export class FakeCatalog implements Catalog {
  readonly entries = new Map<string, CatalogEntry>()
  readonly tails = new Map<string, string[]>()
  readonly listeners = new Set<(event: LocaldEvent) => void>()
  readonly starting = new StartingProjects()
  list: CatalogProject[] = []
  readonly faults = new Map<string, Fault>()
  readonly standIns = new Set<string>()
  /** ms */
  readonly startLimits = new Map<string, number>()
  readonly secretValues: string[] = []
  examined = 0
  waiting = 0
  scans = 0

  project(name: string, routes: Route[] = [], domain = `${name}.localhost`, wildcard = false): void {
    this.list.push({ name, path: `/home/me/${name}`, domain, routes, wildcard })
    this.emit({ event: 'project', project: name, path: `/home/me/${name}`, domain })
  }

  /** Adds or changes `project:service`. */
  set(key: string, changes: Partial<CatalogEntry> = {}): CatalogEntry {
    const [project = '', name = ''] = key.split(':')
    const fresh: CatalogEntry = {
      key,
      project,
      name,
      path: `/home/me/${project}`,
      type: 'exec',
      status: 'running',
      health: 'healthy',
      port: null,
      url: null,
      pid: 1,
      startedAt: null,
      restarts: 0,
      cpu: null,
      memory: null,
      reason: null,
      hosts: name === 'web' ? [`${project}.localhost`, `web.${project}.localhost`] : [`${name}.${project}.localhost`],
      upstream: null,
    }
    const entry = { ...fresh, ...this.entries.get(key), ...changes }
    this.entries.set(key, entry)
    this.emit({ event: 'service', service: entry })
    return entry
  }

  remove(key: string): void {
    this.entries.delete(key)
    this.emit({ event: 'removed', key })
  }

  emit(event: LocaldEvent): void {
    for (const listener of [...this.listeners]) listener(event)
  }

  isKnown(): boolean {
    return false
  }

  projects(): readonly CatalogProject[] {
    return this.list
  }

  services(): readonly CatalogEntry[] {
    this.scans++
    return [...this.entries.values()]
  }

  get(key: string): CatalogEntry | undefined {
    return this.entries.get(key)
  }

  settled(key: string, signal: AbortSignal): Promise<CatalogEntry | undefined> {
    return new Promise((resolve, reject) => {
      this.waiting++
      const end = (): void => {
        if (off()) this.waiting--
      }
      const look = (): void => {
        const entry = this.entries.get(key)
        if (entry !== undefined && ['waiting', 'starting', 'restarting'].includes(entry.status)) return
        end()
        resolve(entry)
      }
      const off = this.on(look)
      signal.addEventListener('abort', () => {
        end()
        reject(new Error('aborted'))
      })
      look()
    })
  }

  arriving(host: string): Promise<void> | undefined {
    return this.starting.find(host)
  }

  /** Finds what is in `faults`, as the kernel does, and publishes it. */
  async examine(key: string): Promise<Fault | undefined> {
    this.examined++
    const fault = this.faults.get(key)
    const entry = this.entries.get(key)
    if (entry !== undefined && entry.fault !== fault) this.set(key, { fault })
    return fault
  }

  startLimit(key: string): number {
    return this.startLimits.get(key) ?? 0
  }

  async hasStandIn(key: string): Promise<boolean> {
    return this.standIns.has(key)
  }

  async tail(key: string, lines: number): Promise<readonly string[]> {
    return (this.tails.get(key) ?? []).slice(-lines)
  }

  async secrets(): Promise<readonly string[]> {
    return this.secretValues
  }

  on(listener: (event: LocaldEvent) => void): () => boolean {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }
}
