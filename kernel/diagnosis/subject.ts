import type { ProjectPlan, ProjectRef, ServicePlan } from '../contract/plugin.ts'
import type { EnvironmentFiles } from '../projects/start-plans.ts'
import type { Service } from '../services/service.ts'

/** The project of a service that is diagnosed. */
export interface DiagnosedProject {
  readonly ref: ProjectRef
  readonly plan: ProjectPlan
  readonly shell: Readonly<Record<string, string>>
  readonly environmentFiles: EnvironmentFiles
  readonly services: ReadonlyMap<string, Service>
  service(name: string): Service | undefined
  planOf(name: string): ServicePlan | undefined
  /** Returns the services that one depends on, with what they are called there. */
  needsOf(name: string): readonly { readonly name: string; readonly service: Service }[]
}

/** A service with its project and its present plan. */
export interface Subject {
  readonly project: DiagnosedProject
  readonly service: Service
  readonly plan: ServicePlan
  /** The project's folder, and the service's working folder. */
  readonly root: string
  readonly dir: string
  /** Whether it runs elsewhere than on this machine, with programs and packages of its own. */
  readonly isGuest: boolean
}

/** Returns a service as the subject of a diagnosis; undefined: its project does not have it any more. */
export function subjectOf(project: DiagnosedProject, service: Service): Subject | undefined {
  const plan = project.planOf(service.ref.name)
  if (plan === undefined) return undefined
  const started = service.supervisor.plan
  const root = project.ref.path
  const isGuest = started?.driver.reach === 'guest'
  return { project, service, plan, root, dir: started?.dir ?? root, isGuest }
}

/** Returns a folder and those above it, up to the project's. */
export function foldersOf({ dir, root }: Pick<Subject, 'dir' | 'root'>): readonly string[] {
  if (dir !== root && !dir.startsWith(`${root}/`)) return [dir]
  const folders = [dir]
  for (let at = dir; at !== root; ) {
    at = at.slice(0, at.lastIndexOf('/'))
    folders.push(at)
  }
  return folders
}

/** Returns all words of a service's options, such as those of its command. */
export function wordsOf(options: unknown): readonly string[] {
  if (typeof options === 'string') return options.split(/[\s'"=;|&()]+/).filter(word => word !== '')
  if (typeof options !== 'object' || options === null) return []
  return Object.values(options).flatMap(wordsOf)
}
