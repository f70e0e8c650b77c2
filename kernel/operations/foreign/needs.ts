import { cycles } from '../../config/checks/dependency-graph.ts'
import { type ForeignMention, foreignMentions } from '../../config/checks/foreign-dependencies.ts'
import { withSuggestion } from '../../config/fields/suggestions.ts'
import { parseForeignKey } from '../../config/references/foreign-key.ts'
import { LocaldError } from '../../errors.ts'
import { type LoadedPlan, presentPlan } from '../../projects/loaded-plan.ts'
import type { Projects } from '../../projects/projects.ts'
import type { Shell } from '../../services/environment/shell.ts'
import { closest } from '../../system/suggest.ts'
import { type Batch, batchesOf, type Needed, type Node } from './graph.ts'
import { ForeignProblems } from './problems.ts'
import { inOtherProject } from './project-error.ts'

/** What reading other projects needs. */
export interface ForeignNeedsInput {
  readonly projects: Pick<Projects, 'folders' | 'plan' | 'list'>
  readonly shell: Shell
  /** For short paths in messages. */
  readonly home: string
}

/**
 * Finds the services of other projects that services need, and all that these need, in the order of their start. Throws
 * all that is wrong with their names, with file and line: CONFIG_INVALID, or DEPENDENCY_CYCLE for a cycle across
 * projects; and the errors of the configuration of another project. Changes nothing.
 */
export async function findForeignNeeds(main: readonly Needed[], input: ForeignNeedsInput): Promise<readonly Batch[]> {
  const problems = new ForeignProblems(main[0]?.loaded.plan.path ?? '', input.home)
  const walk = new Walk(input, problems)
  for (const { loaded, names } of main) walk.add(loaded, names ?? loaded.plan.services.map(service => service.name))
  const nodes = await walk.finish()
  for (const cycle of cycles(nodes))
    await problems.addCycle(cycle.flatMap(name => nodes.find(node => node.name === name) ?? []))
  await problems.throwIfAny()
  return batchesOf(nodes)
}

/** Collects what services need across projects, reading the plans of the others. */
class Walk {
  readonly #input: ForeignNeedsInput
  readonly #nodes = new Map<string, Node>()
  readonly #plans = new Map<string, LoadedPlan>()
  readonly #problems: ForeignProblems

  constructor(input: ForeignNeedsInput, problems: ForeignProblems) {
    this.#input = input
    this.#problems = problems
  }

  add(loaded: LoadedPlan, names: readonly string[]): void {
    this.#plans.set(loaded.plan.path, loaded)
    for (const name of names) this.#node(loaded, name)
  }

  /** Reads what they need, notes what is wrong with it, and returns all of them. */
  async finish(): Promise<readonly Node[]> {
    // More nodes are added meanwhile, which a map iterates as well.
    for (const node of this.#nodes.values()) await this.#visit(node)
    return [...this.#nodes.values()]
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
      if (!mention.hasDefault)
        await this.#problems.add(loaded, folder.isListed ? ['projects', project] : mention.path, folder)
      return undefined
    }
    if (named === undefined) return undefined
    if (folder === loaded.plan.path) {
      const message = `'${project}' is this project: write '${named.service}'`
      await this.#problems.add(loaded, mention.path, { message })
      return undefined
    }
    const other = await this.#load(loaded, folder, mention)
    const names = other?.plan.services.map(({ name }) => name) ?? []
    if (other === undefined || names.includes(named.service))
      return other === undefined ? undefined : { loaded: other, service: named.service }
    const what = `unknown service '${named.service}' in project '${project}' (${folder})`
    await this.#problems.add(loaded, mention.path, { message: withSuggestion(what, closest(named.service, names)) })
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
        await this.#problems.add(from, ['projects', parseForeignKey(mention.key)?.project ?? ''], { message })
      }
    } catch (error) {
      if (running === undefined) throw inOtherProject(LocaldError.from(error), `'${mention.key}' in ${folder}`)
      this.#plans.set(folder, presentPlan(running))
    }
    return this.#plans.get(folder)
  }
}
