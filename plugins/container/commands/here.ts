import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type CommandContext, type Host, realPathIfAny } from '../../../kernel/contract/plugin.ts'

/** The project that a command is called in. */
export interface Here {
  readonly name: string
  readonly path: string
  readonly domain: string
}

/** Returns the project at or above the caller's folder, also one that was never started; undefined outside of projects. */
export function findProject({ use }: Pick<Host, 'use'>, { project, cwd }: CommandContext): Here | undefined {
  const path = project ?? folderWithConfig(realPathIfAny(cwd) ?? cwd)
  if (path === undefined) return undefined
  const known = use.catalog.projects().find(each => each.path === path)
  return known ?? { name: basename(path), path, domain: '' }
}

function folderWithConfig(folder: string): string | undefined {
  if (existsSync(join(folder, 'locald.toml'))) return folder
  return dirname(folder) === folder ? undefined : folderWithConfig(dirname(folder))
}
