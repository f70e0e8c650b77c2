import { resolve } from 'node:path'
import { shortName } from '../config/document/document.ts'
import { isOfShell } from '../services/environment/shell-changes.ts'
import { exists } from '../system/stat.ts'
import type { Subject } from './subject.ts'

/** The source of a variable that the caller's shell set. */
export const shellSource = ''

/** The variables of a service that can be changed by its user, with the files that set them. */
export interface VariableSources {
  /** By name: `.env`, `locald.toml`, or `shellSource`. */
  readonly sources: Readonly<Record<string, string>>
  /** Its `.env` files that exist, as written. */
  readonly envFiles: readonly string[]
}

/** What is read of a project: files that cannot be read set nothing. */
export async function readSources(
  { project, plan, root }: Subject,
  names: readonly string[],
): Promise<VariableSources> {
  const { envFiles, locate } = project.environmentFiles
  const written = ['.env', ...plan.common.envFile]
  const files = await Promise.all(
    written.map(async file => ({
      file,
      entries: await envFiles.read(resolve(root, file), true).catch(() => undefined),
    })),
  )
  const configured = async (name: string, path: readonly string[]) => {
    const place = await locate?.([...path, name]).catch(() => undefined)
    return place?.file == null ? 'locald.toml' : shortName(place.file, root)
  }
  const sources: Record<string, string> = {}
  for (const name of names) {
    const inFile = files.findLast(({ entries }) => entries?.has(name))
    if (Object.hasOwn(plan.common.env, name)) sources[name] = await configured(name, ['services', plan.name, 'env'])
    else if (inFile !== undefined) sources[name] = inFile.file
    else if (Object.hasOwn(project.plan.env, name)) sources[name] = await configured(name, ['env'])
    // What remains is locald's own, which changes with its ports.
    else if (Object.hasOwn(project.shell, name) && !isOfShell(name)) sources[name] = shellSource
  }
  const there = await Promise.all(written.map(async file => ((await exists(resolve(root, file))) ? [file] : [])))
  return { sources, envFiles: there.flat() }
}
