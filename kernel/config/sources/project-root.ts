import { basename, dirname, join, resolve } from 'node:path'
import { realPath } from '../../lib/real-path.ts'
import { ownersAt } from '../../lib/text-file.ts'
import { exists, statIfAny } from '../../system/stat.ts'
import { Problems } from '../document/problems.ts'
import { Trust } from '../trust/trust.ts'
import { type Inference, type Inferred, inferProject, notFound, type Sources } from './inference.ts'
import { findProjectAbove } from './project-above.ts'
import { type Reader, requireTrust } from './read.ts'

/** A project, and what describes it where that is no `locald.toml` and was read already. */
export interface FoundProject {
  /** Its folder, a real path. */
  readonly root: string
  readonly inferred?: Inferred
}

/**
 * Finds the project that `dir` is in: the nearest folder at or above it with a `locald.toml`, or else `dir` itself when a
 * source describes a project there, or else the nearest above it in its git repository that one describes, unless the
 * folder has something of its own that looks like a project. Another user's `locald.toml` above does not win over such a
 * source; without one it is CONFIG_UNTRUSTED. Throws CONFIG_NOT_FOUND where there is no project. Symbolic links are
 * resolved, so that a project has one path.
 */
export async function findProject(
  dir: string,
  sources: Sources,
  reader: Omit<Reader, 'root'> = { trust: new Trust() },
): Promise<FoundProject> {
  const { trust } = reader
  const given = resolve(dir)
  const real = await realPath(given).catch(() => {
    throw notFound(given, sources, { unsuitable: [] })
  })
  const start = (await statIfAny(real))?.isFile() && basename(real) === 'locald.toml' ? dirname(real) : real
  for (let folder = start; ; folder = dirname(folder)) {
    const file = join(folder, 'locald.toml')
    if (await exists(file)) {
      const owners = folder === start ? [] : await ownersAt(file)
      if (trust.refusal(file, owners, folder) === undefined) return { root: folder }
      const own = await inferIn(start, sources, reader)
      if (!('unsuitable' in own)) return own
      requireTrust(file, owners, { trust, root: start })
    }
    if (dirname(folder) === folder) break
  }
  const nothing = await inferIn(start, sources, reader)
  if (!('unsuitable' in nothing)) return nothing
  const above = nothing.unsuitable.length === 0 ? await findProjectAbove(start, sources, trust) : undefined
  if (above?.isEnclosed === true) return { root: above.folder }
  throw notFound(start, sources, { ...nothing, above })
}

/** Infers a project in a folder. One whose source fails counts, so that its error is shown when it is loaded. */
async function inferIn(
  root: string,
  sources: Sources,
  reader: Omit<Reader, 'root'>,
): Promise<FoundProject | Exclude<Inference, Inferred | 'faulty'>> {
  const inferred = await inferProject({ ...reader, root }, sources, new Problems())
  if (inferred === 'faulty') return { root }
  return 'unsuitable' in inferred ? inferred : { root, inferred }
}
