import { renameSync } from 'node:fs'
import { join, sep } from 'node:path'
import type { Log, ProjectPlan, ProjectRef, ServicePlan } from '../contract/plugin.ts'
import { messageOf } from '../errors.ts'
import { isStillAt } from '../lib/real-path.ts'
import { readJson, writeAtomic } from '../system/files.ts'
import { isFolderOf } from './folder-identity.ts'
import { longestLabel, repositoryOf, slugOf, worktreeBranch } from './git-worktree.ts'
import { type KnownProject, placeOf, projectsIn } from './known-project.ts'

/** The names in a plan: its own, its domain and those of its services. */
type ProjectNames = Pick<ProjectPlan, 'name' | 'domain'> & { readonly services: readonly Pick<ServicePlan, 'name'>[] }

/** The known projects, on disk. Each change is written at once, atomically. */
export class Registry {
  readonly file: string
  readonly #log: Log
  readonly #reserved: () => readonly string[]
  readonly #projects = new Map<string, KnownProject>()

  /**
   * Reads the registry. A corrupt file is renamed and a warning is logged; names and ports are then assigned again.
   * @param reserved returns the host names that no project can have, nor one below them
   */
  constructor(dataFolder: string, log: Log, reserved: () => readonly string[] = () => []) {
    this.file = join(dataFolder, 'registry.json')
    this.#log = log
    this.#reserved = reserved
    try {
      for (const project of projectsIn(readJson(this.file))) this.#projects.set(project.path, project)
    } catch (error) {
      const aside = `${this.file}.damaged-${Date.now()}`
      renameSync(this.file, aside)
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
   * Returns the identity of the project in a folder: the one it had, else the one it wants, else, where another folder
   * has that name or domain, a different one. A git worktree is named after its branch. A domain from an earlier
   * version that is below another project's is replaced; the name, under which the data is stored, stays.
   */
  identify(wanted: ProjectRef, services: readonly string[]): ProjectRef {
    const moved = this.movedFrom(wanted.path)
    const known = moved ?? this.#projects.get(wanted.path)
    const had = known?.wanted.name === wanted.name && known.wanted.domain === wanted.domain ? known : undefined
    const stays = had !== undefined && this.#isUnique(had) && this.#holderAbove(had) === undefined
    const { name, domain } = stays ? had : this.#choose(wanted, services, had?.name)
    if (moved !== undefined) this.#projects.delete(moved.path)
    const before = known ?? this.#movedFrom(name, domain)
    this.#save({
      name,
      path: wanted.path,
      domain,
      wanted: { name: wanted.name, domain: wanted.domain },
      services,
      ports: before?.ports ?? {},
      pinned: before?.pinned ?? false,
      usedAt: new Date().toISOString(),
      ...placeOf(wanted.path),
    })
    return { name, path: wanted.path, domain }
  }

  /**
   * Returns the project whose folder was moved to a path, by the folder's identity: one that is copied, or moved to
   * another file system, has another one. Undefined for a known project, and while anything is in the old place.
   */
  movedFrom(path: string): KnownProject | undefined {
    if (this.#projects.has(path)) return undefined
    return this.list().find(({ path: before, folder }) => isFolderOf(path, folder) && !isStillAt(before))
  }

  /** Adds a running project, with its ports, after the registry was lost; does nothing for a known one. */
  restore(ref: ProjectRef, plan: ProjectNames, ports: Readonly<Record<string, number>>): void {
    if (this.#projects.has(ref.path)) return
    this.#save({
      ...ref,
      wanted: { name: plan.name, domain: plan.domain },
      services: plan.services.map(({ name }) => name),
      ports,
      pinned: false,
      usedAt: new Date().toISOString(),
      ...placeOf(ref.path),
    })
  }

  /** Returns the last port of a lease: of a service, or a further one. */
  port(path: string, lease: string): number | undefined {
    const ports = this.#projects.get(path)?.ports ?? {}
    return Object.hasOwn(ports, lease) ? ports[lease] : undefined
  }

  /** Whether a port belongs to another lease of any project that still exists. */
  portTaken(port: number, path: string, lease: string): boolean {
    return this.list().some(project =>
      Object.entries(project.ports).some(
        ([name, held]) => held === port && !(project.path === path && name === lease) && isStillAt(project.path),
      ),
    )
  }

  setPorts(path: string, ports: Readonly<Record<string, number>>): void {
    const known = this.#projects.get(path)
    if (known === undefined) return
    const merged = { ...known.ports, ...ports }
    if (JSON.stringify(merged) !== JSON.stringify(known.ports)) this.#save({ ...known, ports: merged })
  }

  /** Sets whether the project in a folder starts with the daemon. */
  pin(path: string, pinned: boolean): void {
    const known = this.#projects.get(path)
    if (known !== undefined && known.pinned !== pinned) this.#save({ ...known, pinned })
  }

  forget(path: string): void {
    if (this.#projects.delete(path)) this.#write()
  }

  /** @param had the name it got for the same request earlier, kept where it is still unique */
  #choose(wanted: ProjectRef, services: readonly string[], had: string | undefined): Identity {
    const { path } = wanted
    const isFree = (ref: ProjectRef) => this.#isUnique(ref) && this.#isApart(ref, services)
    const branch = worktreeBranch(path)
    const isNameFree = (name: string) => this.#others(path).every(other => other.name !== name)
    if (branch === undefined && had === undefined && isFree(wanted)) return wanted
    const fixed = had ?? (branch === undefined ? wanted.name : undefined)
    const kept = fixed !== undefined && isNameFree(fixed) ? fixed : undefined
    const above = this.#reserved().find(host => isBelow(wanted.domain, host)) ?? this.#holderAbove(wanted)?.domain
    const suffix = branch ?? (above === undefined ? this.#distinction(wanted) : prefixOf(wanted.domain, above))
    for (let round = 1; ; round++) {
      const label = suffix === undefined ? `${round + 1}` : round === 1 ? suffix : `${suffix}-${round}`
      const name = kept ?? addSuffix(wanted.name, label)
      const below = `${label}.${wanted.domain}`
      const beside = besideOf(above ?? wanted.domain, label)
      for (const domain of branch === undefined ? [beside] : [below, beside])
        if (isFree({ name, path, domain })) return { name, domain }
    }
  }

  /**
   * Returns the innermost folder in which a path differs from that of the project with the same name; the name itself
   * is no difference.
   */
  #distinction({ name, path, domain }: ProjectRef): string | undefined {
    const holder = this.#others(path).find(other => other.name === name || other.domain === domain)
    return ownPart(path.split(sep), holder?.path.split(sep) ?? [])
      .reverse()
      .map(slugOf)
      .find(label => label !== name)
  }

  /**
   * Returns a project of that name whose folder no longer exists: its folder was probably moved, and keeps its ports.
   */
  #movedFrom(name: string, domain: string): KnownProject | undefined {
    const missing = this.list().filter(
      other => other.name === name && other.domain === domain && !isStillAt(other.path),
    )
    return missing.sort((a, b) => (a.usedAt < b.usedAt ? 1 : -1))[0]
  }

  /** Whether neither another existing project nor locald has the name or the domain. */
  #isUnique({ name, path, domain }: ProjectRef): boolean {
    if (domain === 'localhost') return false
    if (this.#reserved().some(host => host === domain || isBelow(domain, host))) return false
    return this.#others(path).every(other => other.name !== name && other.domain !== domain)
  }

  /**
   * Whether no service's host name is another project's domain, and neither project's domain is below the other's,
   * which would let their pages set each other's cookies (RFC 6265 section 5.1.3). Checkouts of one repository may
   * share a domain.
   */
  #isApart({ path, domain }: ProjectRef, services: readonly string[]): boolean {
    const own = new Set(services.map(service => `${service}.${domain}`))
    return this.#others(path).every(other => {
      if (own.has(other.domain)) return false
      if (other.services.some(service => `${service}.${other.domain}` === domain)) return false
      return !(isBelow(domain, other.domain) || isBelow(other.domain, domain)) || isSameRepository(path, other.path)
    })
  }

  /** Returns the outermost project of another repository whose domain is above a domain. */
  #holderAbove({ path, domain }: ProjectRef): KnownProject | undefined {
    return this.#others(path)
      .filter(other => isBelow(domain, other.domain) && !isSameRepository(path, other.path))
      .sort((a, b) => a.domain.length - b.domain.length)[0]
  }

  #others(path: string): readonly KnownProject[] {
    return this.list().filter(other => other.path !== path && isStillAt(other.path))
  }

  #save(project: KnownProject): void {
    this.#projects.set(project.path, project)
    this.#write()
  }

  /** Writes the file. A failure (a full disk) is logged: only the next daemon misses the names and ports. */
  #write(): void {
    try {
      writeAtomic(this.file, `${JSON.stringify({ version: 1, projects: this.list() }, null, 2)}\n`)
    } catch (error) {
      this.#log.warn(`registry.json could not be written: ${messageOf(error)}`)
    }
  }
}

type Identity = Pick<ProjectRef, 'name' | 'domain'>

function isBelow(domain: string, above: string): boolean {
  return domain.endsWith(`.${above}`)
}

function isSameRepository(path: string, other: string): boolean {
  const repository = repositoryOf(path)
  return repository !== undefined && repository === repositoryOf(other)
}

/** Returns the part of a domain before the one above it, as one label. */
function prefixOf(domain: string, above: string): string {
  return slugOf(domain.slice(0, -1 - above.length))
}

/** Derives a domain beside another: `shop-two.localhost` from `shop.localhost`. */
function besideOf(domain: string, label: string): string {
  const dot = domain.indexOf('.')
  return `${addSuffix(domain.slice(0, dot), label)}${domain.slice(dot)}`
}

function addSuffix(text: string, label: string): string {
  return `${text.slice(0, longestLabel - 1 - label.length)}-${label}`
}

/** Returns a path without the parts that it shares with another at its start and its end. */
function ownPart(path: readonly string[], other: readonly string[]): string[] {
  const most = Math.min(path.length, other.length)
  let start = 0
  while (start < most && path[start] === other[start]) start++
  let end = 0
  while (end < most - start && path.at(-1 - end) === other.at(-1 - end)) end++
  return path.slice(start, path.length - end)
}
