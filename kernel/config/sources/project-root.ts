import { basename, dirname, join, resolve } from 'node:path'
import { realPath } from '../../lib/real-path.ts'
import { ownersAt } from '../../lib/text-file.ts'
import { exists, statIfAny } from '../../system/stat.ts'
import { Problems } from '../document/problems.ts'
import { Trust } from '../trust/trust.ts'
import { inferProject, type NotInferred, notFound, type Sources } from './inference.ts'
import { findProjectAbove } from './project-above.ts'
import { requireTrust } from './read.ts'

/**
 * Finds the folder of the project that `dir` is in: the nearest at or above it with a `locald.toml`, or else `dir`
 * itself when a source describes a project there, or else the nearest above it in its git repository that one describes,
 * unless the folder has something of its own that looks like a project. Another user's `locald.toml` above does not win over such a source;
 * without one it is CONFIG_UNTRUSTED. Throws CONFIG_NOT_FOUND where there is no project. Symbolic links are resolved,
 * so that a project has one path.
 */
export async function findProjectRoot(dir: string, sources: Sources, trust = new Trust()): Promise<string> {
  const given = resolve(dir)
  const real = await realPath(given).catch(() => {
    throw notFound(given, sources, { unsuitable: [] })
  })
  const start = (await statIfAny(real))?.isFile() && basename(real) === 'locald.toml' ? dirname(real) : real
  for (let folder = start; ; folder = dirname(folder)) {
    const file = join(folder, 'locald.toml')
    if (await exists(file)) {
      const owners = folder === start ? [] : await ownersAt(file)
      if (trust.refusal(file, owners, folder) === undefined) return folder
      if ((await whyNoProject(start, sources, trust)) === undefined) return start
      requireTrust(file, owners, { trust, root: start })
    }
    if (dirname(folder) === folder) break
  }
  const nothing = await whyNoProject(start, sources, trust)
  if (nothing === undefined) return start
  const above = nothing.unsuitable.length === 0 ? await findProjectAbove(start, sources, trust) : undefined
  if (above?.isEnclosed === true) return above.folder
  throw notFound(start, sources, { ...nothing, above })
}

/** Returns undefined where a source describes a project. One that fails counts, so that its error is shown. */
async function whyNoProject(root: string, sources: Sources, trust: Trust): Promise<NotInferred | undefined> {
  const inference = await inferProject({ root, trust }, sources, new Problems())
  return inference !== 'faulty' && 'unsuitable' in inference ? inference : undefined
}
