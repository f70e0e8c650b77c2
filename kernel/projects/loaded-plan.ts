import type { LoadedProject } from '../config/load.ts'
import type { Project } from './project.ts'

/** A project as its files describe it, checked, before anything is changed. */
export type LoadedPlan = Pick<LoadedProject, 'plan' | 'locate' | 'envFiles' | 'inferred'>

/** For whom a project is loaded. */
export interface LoadCaller {
  /** The environment of the caller's shell, where there is one. */
  readonly shell?: Readonly<Record<string, string>>
  /** Whether its services are to be started: ports that others use are looked at. */
  readonly isStart?: boolean
  /** Whether all of the project is started by request: projects on the same branch are chosen again. */
  readonly isUp?: boolean
  /** What an earlier load read from pipes: it is not read again. */
  readonly envFiles?: LoadedProject['envFiles'] | undefined
  /** The text of a `locald.toml` that is checked before it is written to the folder. */
  readonly draft?: string | undefined
  /** More files with variables, absolute, of an `up --env-file`. */
  readonly addedEnvFiles?: readonly string[] | undefined
}

/** Returns the plan that a known project has now, whatever its files say; nothing in it has a place where they were not read. */
export function presentPlan({ plan, environmentFiles }: Pick<Project, 'plan' | 'environmentFiles'>): LoadedPlan {
  const { locate = async () => ({ file: null, line: null }), envFiles } = environmentFiles
  return { plan, locate, envFiles }
}
