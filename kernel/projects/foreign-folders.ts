import { resolve } from 'node:path'
import { withSuggestion } from '../config/fields/suggestions.ts'
import type { ProjectPlan } from '../contract/plugin.ts'
import { isStillAt, realPathIfAny } from '../lib/real-path.ts'
import { worktreeIn } from '../registry/git-worktree.ts'
import { closest } from '../system/suggest.ts'

/** A project that was started before. */
interface KnownFolder {
  readonly name: string
  readonly path: string
}

/** Why the folder of another project is not known. `isListed`: by its line in `[projects]`. */
export interface FolderFault {
  readonly isListed: boolean
  readonly message: string
  readonly hint: string
}

/** What finding the folder of another project needs of the one that names it. */
export type NamingPlan = Pick<ProjectPlan, 'path' | 'projects' | 'onBranch'>

/** Finds the folders of the projects that others name: by `[projects]`, else by the registry. */
export class ForeignFolders {
  readonly #known: () => readonly KnownFolder[]

  constructor(known: () => readonly KnownFolder[]) {
    this.#known = known
  }

  /**
   * Returns the real path of a project's folder, or why it is not known. A path in `[projects]` that a git worktree does
   * not have beside it is looked for beside the main checkout. The plan may have another one on the same branch for it.
   */
  find(plan: NamingPlan, name: string): string | FolderFault {
    const { onBranch = {} } = plan
    const chosen = Object.hasOwn(onBranch, name) ? onBranch[name] : undefined
    if (chosen?.isUsed === true && isStillAt(chosen.path)) return chosen.path
    const written = listedFolder(plan, name)
    return written === undefined ? this.#findKnown(name) : (findListed(plan, written) ?? missing(plan, written))
  }

  /** Returns where a project's folder was that does not exist any more; undefined where that is not known. */
  findDeleted(plan: NamingPlan, name: string): string | undefined {
    const { onBranch = {} } = plan
    const chosen = Object.hasOwn(onBranch, name) ? onBranch[name] : undefined
    if (chosen?.isUsed === true) return chosen.path
    const written = listedFolder(plan, name)
    return written === undefined
      ? this.#known().find(project => project.name === name)?.path
      : resolve(plan.path, written)
  }

  #findKnown(name: string): string | FolderFault {
    const all = this.#known()
    const found = all.find(project => project.name === name && isStillAt(project.path))
    if (found !== undefined) return found.path
    const deleted = all.find(project => project.name === name)
    const names = all.map(project => project.name)
    const message =
      deleted === undefined
        ? withSuggestion(`unknown project '${name}'`, closest(name, names))
        : `the folder ${deleted.path} of project '${name}' does not exist`
    return { isListed: false, message, hint: hintFor(name) }
  }
}

function listedFolder({ projects = {} }: NamingPlan, name: string): string | undefined {
  return Object.hasOwn(projects, name) ? projects[name] : undefined
}

function findListed({ path }: NamingPlan, written: string): string | undefined {
  return realPathIfAny(resolve(path, written)) ?? findBesideMain(worktreeIn(path)?.mainCheckout, written)
}

/** Returns the folder that a line of `[projects]` means in the main checkout. */
export function findBesideMain(main: string | undefined, written: string): string | undefined {
  return main === undefined ? undefined : realPathIfAny(resolve(main, written))
}

function missing({ path }: NamingPlan, written: string): FolderFault {
  return {
    isListed: true,
    message: `the folder ${resolve(path, written)} does not exist`,
    hint: "Write the project's folder, relative to this one.",
  }
}

function hintFor(name: string): string {
  return `Write [projects] with ${name} = "../${name}", the folder of that project, or run \`locald up\` in it first.`
}
