import { existsSync, renameSync } from 'node:fs'
import { basename, join } from 'node:path'
import { messageOf } from './errors.ts'
import { readJson, writeWhole } from './files.ts'
import type { Log, ProjectRef } from './plugin.ts'
import { slugOf, worktreeBranch } from './worktree.ts'

/** A known project: its identity and the ports its services have had. */
export interface KnownProject extends ProjectRef {
  /** The name and domain its configuration asks for; what it got may differ. */
  readonly wanted: { readonly name: string; readonly domain: string }
  readonly services: readonly string[]
  readonly ports: Readonly<Record<string, number>>
  readonly pinned: boolean
  /** UTC ISO 8601 of the last `up`. */
  readonly usedAt: string
}

/** Known projects on disk. Each change is written at once, atomically. */
export class Registry {
  readonly #file: string
  readonly #projects = new Map<string, KnownProject>()

  /** A damaged file is put aside, and said so: known names and ports are then given anew. */
  constructor(dataFolder: string, log: Log) {
    this.#file = join(dataFolder, 'registry.json')
    try {
      for (const project of projectsIn(readJson(this.#file))) this.#projects.set(project.path, project)
    } catch (error) {
      const aside = `${this.#file}.damaged-${Date.now()}`
      renameSync(this.#file, aside)
      log.warn(`registry.json could not be read (${messageOf(error)}); it was kept as ${aside}`)
    }
  }

  list(): readonly KnownProject[] {
    return [...this.#projects.values()]
  }

  get(path: string): KnownProject | undefined {
    return this.#projects.get(path)
  }

  /**
   * The identity of the project in a folder: the one it had, else the one it wants, else, where another folder has that
   * name or domain, one of its own. A git worktree is named after its branch.
   */
  identify(wanted: ProjectRef, services: readonly string[]): ProjectRef {
    const known = this.#projects.get(wanted.path)
    const same = known?.wanted.name === wanted.name && known.wanted.domain === wanted.domain
    const ref = known !== undefined && same ? known : this.#choose(wanted)
    this.#save({
      name: ref.name,
      path: wanted.path,
      domain: ref.domain,
      wanted: { name: wanted.name, domain: wanted.domain },
      services,
      ports: known?.ports ?? {},
      pinned: known?.pinned ?? false,
      usedAt: new Date().toISOString(),
    })
    return { name: ref.name, path: wanted.path, domain: ref.domain }
  }

  /** The port a service of a project had last. */
  port(path: string, service: string): number | undefined {
    return this.#projects.get(path)?.ports[service]
  }

  /** Ports known for any other service than the given one. */
  portTaken(port: number, path: string, service: string): boolean {
    return this.list().some(project =>
      Object.entries(project.ports).some(
        ([name, held]) => held === port && !(project.path === path && name === service) && existsSync(project.path),
      ),
    )
  }

  setPorts(path: string, ports: Readonly<Record<string, number>>): void {
    const known = this.#projects.get(path)
    if (known === undefined) return
    const merged = { ...known.ports, ...ports }
    if (JSON.stringify(merged) !== JSON.stringify(known.ports)) this.#save({ ...known, ports: merged })
  }

  #choose(wanted: ProjectRef): { readonly name: string; readonly domain: string } {
    const branch = worktreeBranch(wanted.path)
    if (branch === undefined && this.#isFree(wanted, wanted.name, wanted.domain)) return wanted
    const suffix = branch ?? slugOf(basename(wanted.path))
    for (let round = 1; ; round++) {
      const label = round === 1 ? suffix : `${suffix}-${round}`
      const name = `${wanted.name}-${label}`
      const domain = `${label}.${wanted.domain}`
      if (this.#isFree(wanted, name, domain)) return { name, domain }
    }
  }

  /** Whether no other existing project has the name, the domain, or a service whose host name would be that domain. */
  #isFree({ path }: ProjectRef, name: string, domain: string): boolean {
    return this.list().every(
      other =>
        other.path === path ||
        !existsSync(other.path) ||
        (other.name !== name &&
          other.domain !== domain &&
          !other.services.some(service => `${service}.${other.domain}` === domain)),
    )
  }

  #save(project: KnownProject): void {
    this.#projects.set(project.path, project)
    writeWhole(this.#file, `${JSON.stringify({ version: 1, projects: this.list() }, null, 2)}\n`)
  }
}

function projectsIn(value: unknown): readonly KnownProject[] {
  if (value === undefined) return []
  if (typeof value !== 'object' || value === null || !('projects' in value) || !Array.isArray(value.projects)) {
    throw new Error('it is not a registry')
  }
  return value.projects.filter(isKnown)
}

function isKnown(value: unknown): value is KnownProject {
  if (typeof value !== 'object' || value === null) return false
  const texts = ['name', 'path', 'domain'].every(key => typeof Reflect.get(value, key) === 'string')
  const objects = ['wanted', 'ports'].every(
    key => typeof Reflect.get(value, key) === 'object' && Reflect.get(value, key) !== null,
  )
  return texts && objects && Array.isArray(Reflect.get(value, 'services'))
}
