import { opendir } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, normalize } from 'node:path'
import type { FolderEntry, ProjectFolder } from '../../contract/plugin.ts'
import { realPath } from '../../lib/real-path.ts'
import { ownersAt } from '../../lib/text-file.ts'
import { statIfAny } from '../../system/stat.ts'
import { type Reader, readText } from './read.ts'

/** A larger folder is not listed: no project has one that people wrote. */
const entryLimit = 10_000

/** The folder of a project as detectors see it: within its limits, and without files that are not trusted. */
export class TrustedFolder implements ProjectFolder {
  readonly path: string
  readonly types: readonly string[]
  readonly env: ProjectFolder['env']
  readonly #reader: Reader

  constructor(reader: Reader, types: readonly string[]) {
    this.path = reader.root
    this.types = types
    this.env = reader.shell ?? {}
    this.#reader = reader
  }

  async read(file: string): Promise<string | undefined> {
    const path = await this.#resolve(file)
    return path === undefined ? undefined : await this.readNamed(path)
  }

  async readNamed(file: string): Promise<string | undefined> {
    // `main.py` may be a folder's name in a project of another kind.
    return (await isFolder(file)) ? undefined : await readText(file, this.#reader)
  }

  async has(path: string): Promise<boolean> {
    const inner = toInner(path)
    if (inner === undefined) return false
    const file = join(this.path, inner)
    const owners = await ownersAt(file)
    return owners.length > 0 && this.#reader.trust.refusal(file, owners, this.path) === undefined
  }

  async portOccupant(port: number): ReturnType<ProjectFolder['portOccupant']> {
    return await this.#reader.portOccupant?.(port, this.path)
  }

  async list(folder: string): Promise<readonly FolderEntry[]> {
    const path = await this.#resolve(folder)
    if (path === undefined || !(await isFolder(path))) return []
    if (!this.#isInside(await realPath(path))) return []
    const entries = await readEntries(path)
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Returns the absolute path; undefined where it leads out of the project, also by links on the way. */
  async #resolve(path: string): Promise<string | undefined> {
    const inner = toInner(path)
    if (inner === undefined) return undefined
    const file = join(this.path, inner)
    if (dirname(inner) === '.') return file
    const folder = await realPath(dirname(file)).catch(() => undefined)
    return folder !== undefined && this.#isInside(folder) ? join(folder, basename(file)) : undefined
  }

  #isInside(real: string): boolean {
    return real === this.path || real.startsWith(join(this.path, '/'))
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await statIfAny(path))?.isDirectory() === true
}

/** Returns a path without `.` and `..`; undefined where it leads out of the folder that it is relative to. */
function toInner(path: string): string | undefined {
  const inner = normalize(path)
  return isAbsolute(inner) || inner.split('/')[0] === '..' ? undefined : inner
}

/** Lists a folder; empty where that is not permitted, or where it has too many entries. */
async function readEntries(path: string): Promise<FolderEntry[]> {
  const entries: FolderEntry[] = []
  try {
    for await (const entry of await opendir(path)) {
      if (entries.length === entryLimit) return []
      const kind = entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : 'other'
      entries.push({ name: entry.name, kind })
    }
  } catch {
    return []
  }
  return entries
}
