import { closure, cycles } from '../../config/checks/dependency-graph.ts'
import { type ForeignMention, foreignMentions } from '../../config/checks/foreign-dependencies.ts'
import { shortName } from '../../config/document/document.ts'
import { type ConfigCode, Problems } from '../../config/document/problems.ts'
import type { Path } from '../../config/document/table.ts'
import { withSuggestion } from '../../config/fields/suggestions.ts'
import { parseForeignKey } from '../../config/references/foreign-key.ts'
import { LocaldError } from '../../errors.ts'
import { type LoadedPlan, presentPlan } from '../../projects/loaded-plan.ts'
import type { Projects } from '../../projects/projects.ts'
import type { Shell } from '../../services/environment/shell.ts'
import { closest } from '../../system/suggest.ts'
import { inOtherProject } from './project-error.ts'

/** Services of a project that are needed. `names` undefined: all. */
export interface Needed {
  readonly loaded: LoadedPlan
  readonly names: readonly string[] | undefined
}

/** Services of one project that can start before those of the next. */
export interface Batch extends Needed {
  readonly names: readonly string[]
}

/** What reading other projects needs. */
export interface ForeignNeedsInput {
  readonly projects: Pick<Projects, 'folders' | 'plan' | 'list'>
  readonly shell: Shell
  /** For short paths in messages. */
  readonly home: string
}

/** A service in the graph of all projects. */
interface Node {
  /** Its folder and name. */
  readonly name: string
  readonly loaded: LoadedPlan
  readonly service: string
  readonly dependsOn: string[]
  /** Where it names services of other projects, by their nodes. */
  readonly mentions: Map<string, ForeignMention>
}

/**
 * Finds the services of other projects that services need, and all that these need, in the order of their start. Throws
 * all that is wrong with their names, with file and line: CONFIG_INVALID, or DEPENDENCY_CYCLE for a cycle across
 * projects; and the errors of the configuration of another project. Changes nothing.
 */
export async function findForeignNeeds(main: readonly Needed[], input: ForeignNeedsInput): Promise<readonly Batch[]> {
  const walk = new Walk(input)
  for (const { loaded, names } of main) walk.add(loaded, names ?? loaded.plan.services.map(service => service.name))
  await walk.finish()
  return walk.batches()
}

class Walk {
  readonly #input: ForeignNeedsInput
  readonly #nodes = new Map<string, Node>()
  readonly #plans = new Map<string, LoadedPlan>()
  readonly #problems = new Problems()
  #root = ''

  constructor(input: ForeignNeedsInput) {
    this.#input = input
  }

  add(loaded: LoadedPlan, names: readonly string[]): void {
    this.#root ||= loaded.plan.path
    this.#plans.set(loaded.plan.path, loaded)
    for (const name of names) this.#node(loaded, name)
  }

  /** Reads what they need. Throws what is wrong with it. */
  async finish(): Promise<void> {
    // More nodes are added meanwhile, which a map iterates as well.
    for (const node of this.#nodes.values()) await this.#visit(node)
    for (const cycle of cycles([...this.#nodes.values()])) await this.#reportCycle(cycle)
    if (!this.#problems.isEmpty) throw await this.#problems.error(this.#root, this.#input.home)
  }

  /** Returns the services that are needed across projects, each after those that it depends on. */
  batches(): readonly Batch[] {
    const nodes = [...this.#nodes.values()]
    const targets = nodes.flatMap(({ dependsOn, mentions }) => dependsOn.filter(name => mentions.has(name)))
    const left = new Set(closure(nodes, targets))
    const batches: { readonly loaded: LoadedPlan; readonly names: string[] }[] = []
    while (left.size > 0) {
      const isNext = (node: Node) => left.has(node.name) && node.dependsOn.every(other => !left.has(other))
      const before = left.size
      let loaded: LoadedPlan | undefined
      const names: string[] = []
      const findNext = () => nodes.find(node => isNext(node) && (loaded === undefined || node.loaded === loaded))
      for (let next = findNext(); next !== undefined; next = findNext()) {
        loaded = next.loaded
        names.push(next.service)
        left.delete(next.name)
      }
      if (loaded === undefined || left.size === before) break
      batches.push({ loaded, names })
    }
    return batches
  }

  #node(loaded: LoadedPlan, service: string): Node {
    const name = `${loaded.plan.path}:${service}`
    const known = this.#nodes.get(name)
    if (known !== undefined) return known
    const node = { name, loaded, service, dependsOn: [], mentions: new Map() }
    this.#nodes.set(name, node)
    return node
  }

  async #visit(node: Node): Promise<void> {
    const { loaded, service } = node
    const plan = loaded.plan.services.find(({ name }) => name === service)
    if (plan === undefined) return
    for (const name of Object.keys(plan.common.dependsOn)) node.dependsOn.push(this.#node(loaded, name).name)
    for (const mention of foreignMentions(loaded.plan, plan)) {
      const target = await this.#resolve(loaded, mention)
      if (target === undefined || !mention.isDependency) continue
      const other = this.#node(target.loaded, target.service)
      node.dependsOn.push(other.name)
      node.mentions.set(other.name, mention)
    }
  }

  /** Returns the service that is named, in the plan of its project; notes why there is none. */
  async #resolve(loaded: LoadedPlan, mention: ForeignMention) {
    const named = parseForeignKey(mention.key)
    const [project = ''] = mention.key.split(':')
    const { folders } = this.#input.projects
    const folder = folders.find(loaded.plan, named?.project ?? project)
    if (typeof folder !== 'string') {
      if (!mention.hasDefault) await this.#note(loaded, folder.isListed ? ['projects', project] : mention.path, folder)
      return undefined
    }
    if (named === undefined) return undefined
    if (folder === loaded.plan.path) {
      const message = `'${project}' is this project: write '${named.service}'`
      await this.#note(loaded, mention.path, { message })
      return undefined
    }
    const other = await this.#load(loaded, folder, mention)
    const names = other?.plan.services.map(({ name }) => name) ?? []
    if (other === undefined || names.includes(named.service))
      return other === undefined ? undefined : { loaded: other, service: named.service }
    const what = `unknown service '${named.service}' in project '${project}' (${folder})`
    await this.#note(loaded, mention.path, { message: withSuggestion(what, closest(named.service, names)) })
    return undefined
  }

  /** Returns the plan in a folder; of a project that runs, the present one where its files have errors. */
  async #load(from: LoadedPlan, folder: string, mention: ForeignMention): Promise<LoadedPlan | undefined> {
    const known = this.#plans.get(folder)
    if (known !== undefined) return known
    const { projects, shell } = this.#input
    const running = projects.list().find(({ ref, wanted }) => ref.path === folder && wanted.size > 0)
    try {
      const loaded = await projects.plan(folder, [], { shell: running?.upShell ?? shell, isStart: true })
      if (loaded.plan.path === folder) this.#plans.set(folder, loaded)
      else {
        const message = `the folder ${folder} has no project of its own: it belongs to the one in ${loaded.plan.path}`
        await this.#note(from, ['projects', parseForeignKey(mention.key)?.project ?? ''], { message })
      }
    } catch (error) {
      if (running === undefined) throw inOtherProject(LocaldError.from(error), `'${mention.key}' in ${folder}`)
      this.#plans.set(folder, presentPlan(running))
    }
    return this.#plans.get(folder)
  }

  async #reportCycle(cycle: readonly string[]): Promise<void> {
    const around = cycle.flatMap(name => this.#nodes.get(name) ?? [])
    const steps = around.map(async (node, index) => {
      const next = around[index + 1]
      const text = `${node.loaded.plan.name}:${node.service}`
      if (next === undefined) return text
      const mention = node.mentions.get(next.name)
      const path = mention?.path ?? ['services', node.service, 'depends_on', next.service]
      const { file, line } = await placeOf(node.loaded, path)
      const where =
        file === null ? '' : ` (${shortName(file, this.#root, this.#input.home)}${line === null ? '' : `:${line}`})`
      return `${text}${where}`
    })
    const [first, second] = around
    if (first === undefined || second === undefined) return
    await this.#note(
      first.loaded,
      first.mentions.get(second.name)?.path ?? ['services', first.service, 'depends_on', second.service],
      {
        message: `dependency cycle: ${(await Promise.all(steps)).join(' → ')}`,
        hint: 'Remove one of these dependencies.',
      },
      'DEPENDENCY_CYCLE',
    )
  }

  async #note(
    loaded: LoadedPlan,
    path: Path,
    { message, hint }: { readonly message: string; readonly hint?: string },
    code: ConfigCode = 'CONFIG_INVALID',
  ): Promise<void> {
    const { file, line } = await placeOf(loaded, path)
    this.#problems.addFile(file ?? loaded.plan.path, code, {
      ...{ message, path },
      ...(hint === undefined ? {} : { hint }),
      ...(line === null ? {} : { line }),
    })
  }
}

/** Finds a path of a configuration: a dependency is a key of its table, or an entry of its array. */
async function placeOf({ locate }: LoadedPlan, path: Path) {
  const found = await locate(path)
  return found.file === null ? await locate(path.slice(0, -1)) : found
}
