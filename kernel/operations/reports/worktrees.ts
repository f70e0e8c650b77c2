import { foreignMentions } from '../../config/checks/foreign-dependencies.ts'
import type { WorktreeService, Worktrees } from '../../contract/plugin.ts'
import type { ForeignServices } from '../../projects/foreign-services.ts'
import type { Project } from '../../projects/project.ts'
import { repositoryOf } from '../../registry/git-worktree.ts'
import type { Service } from '../../services/service.ts'
import { describeEnvironment, type EnvironmentParts } from './service-environment.ts'

/** What the view of worktrees is made from. */
export interface WorktreesInput extends EnvironmentParts {
  readonly projects: EnvironmentParts['projects'] & {
    readonly foreign: Pick<ForeignServices, 'find'>
    list(): readonly Project[]
  }
}

/** A project that runs, and the checkout that it is in. */
interface Checkout {
  readonly project: Project
  readonly repository: string
  readonly checkout: string
}

/** Shows plugins the services of repositories that run in several checkouts. */
export class RunningWorktrees implements Worktrees {
  readonly #input: WorktreesInput
  /** The checkouts of the projects that ran at the last look: git's files are read again when others do. */
  #checkouts: ReadonlyMap<Project, Checkout | undefined> = new Map()

  constructor(input: WorktreesInput) {
    this.#input = input
  }

  services(): readonly WorktreeService[] {
    const running = this.#input.projects.list().filter(({ services }) => [...services.values()].some(isUsable))
    // Mostly one: its repository need not be read.
    if (running.length < 2) return []
    const all = this.#find(running)
    const isShared = ({ repository, checkout }: Checkout) =>
      all.some(other => other.repository === repository && other.checkout !== checkout)
    return all.filter(isShared).flatMap(checkout => servicesOf(checkout, this.#input.projects.foreign))
  }

  #find(running: readonly Project[]): readonly Checkout[] {
    const isKnown = running.length === this.#checkouts.size && running.every(project => this.#checkouts.has(project))
    if (!isKnown) this.#checkouts = new Map(running.map(project => [project, checkoutOf(project)]))
    return [...this.#checkouts.values()].flatMap(checkout => checkout ?? [])
  }

  async sourceOf(key: string, variable: string): Promise<string | undefined> {
    const all = this.#input.projects.list().flatMap(({ services }) => [...services.values()])
    const ref = all.find(service => service.ref.key === key)?.ref
    if (ref === undefined) return undefined
    const { variables } = await describeEnvironment(this.#input, { path: ref.project.path, service: ref.name })
    return variables.find(({ name }) => name === variable)?.from.text
  }
}

function checkoutOf(project: Project): Checkout | undefined {
  const { path, worktree } = project.ref
  const repository = repositoryOf(path)
  return repository === undefined ? undefined : { project, repository, checkout: worktree?.gitDir ?? repository }
}

function servicesOf(
  { project, repository, checkout }: Checkout,
  foreign: Pick<ForeignServices, 'find'>,
): readonly WorktreeService[] {
  return [...project.services.values()].filter(isUsable).map(service => {
    const { ref, state, supervisor, hosts, env = {} } = service
    const { port, startedMs } = state.now
    const further = Object.values(supervisor.plan?.ports ?? {})
    return {
      ...{ key: ref.key, name: ref.name, project: ref.project.name, path: ref.project.path, repository, checkout },
      ...{ ports: [...(port === null ? [] : [port]), ...further], hosts, env, tree: supervisor.instance?.tree },
      startedMs: supervisor.instance === undefined ? null : startedMs,
      tables: project.plan.tables ?? {},
      named: namedBy(project, ref.name, foreign),
    }
  })
}

/** Returns the keys of the services of other projects that a service depends on or refers to. */
function namedBy(project: Project, name: string, foreign: Pick<ForeignServices, 'find'>): readonly string[] {
  const plan = project.planOf(name)
  const mentions = plan === undefined ? [] : foreignMentions(project.plan, plan)
  return mentions.flatMap(({ key }) => foreign.find(project.plan, key)?.service.ref.key ?? [])
}

/** Whether a service runs or starts, would for the next request, or has failed. */
function isUsable({ supervisor, state }: Service): boolean {
  return supervisor.active || state.now.asleepMs !== null || state.now.status === 'failed'
}
