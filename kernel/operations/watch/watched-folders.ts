import { dirname } from 'node:path'
import type { FolderEvent, FolderReach, FolderWatch, OpenFolder } from '../../contract/services/folder-watch.ts'
import { isBelowAny } from './subpath.ts'
import type { FileLinks } from './symlinks.ts'

/** What the watches of folders need. */
export interface WatchedFoldersInput {
  readonly open: OpenFolder
  readonly links: FileLinks
  readonly changed: (folder: string, event: FolderEvent, name: string | null) => void
  /** Called when a watch closes without a request. */
  readonly failed: (folder: string, error: unknown) => void
}

/** From the weakest on. */
const reaches: readonly FolderReach[] = ['way', 'folder', 'tree']

/** The watched folders, each with a watch of its own or covered by a deep one above it. */
export class WatchedFolders {
  readonly #input: WatchedFoldersInput
  readonly #watches = new Map<string, { readonly watch: FolderWatch; readonly reach: FolderReach }>()

  constructor(input: WatchedFoldersInput) {
    this.#input = input
  }

  /** Whether the folder has a watch of its own. */
  has(folder: string): boolean {
    return this.#watches.has(folder)
  }

  /** Watches a folder that is not watched yet, or with a weaker watch. Throws the system's error. */
  add(folder: string, reach: FolderReach): void {
    const earlier = this.#watches.get(folder)
    if (earlier !== undefined && reaches.indexOf(earlier.reach) >= reaches.indexOf(reach)) return
    if (this.#isSeenFromAbove(folder)) return
    const { open, changed, failed } = this.#input
    const over = (error: unknown) => {
      this.#drop(folder)
      failed(folder, error)
    }
    const watch = open(folder, reach, (event, name) => changed(folder, event, name), over)
    this.#watches.set(folder, { watch, reach })
    earlier?.watch.close()
  }

  /** Forgets the watches at and below paths: another folder may be there now. */
  drop(paths: ReadonlySet<string>): void {
    for (const folder of this.#watches.keys()) if (paths.has(folder) || isBelowAny(folder, paths)) this.#drop(folder)
  }

  /** Whether a deep watch covers a path: it reports what is below its folder, but not what is behind a link there. */
  #isSeenFromAbove(folder: string): boolean {
    for (let at = folder; at !== dirname(at) && !this.#input.links.has(at); at = dirname(at))
      if (this.#watches.get(dirname(at))?.watch.deep === true) return true
    return false
  }

  #drop(folder: string): void {
    this.#watches.get(folder)?.watch.close()
    this.#watches.delete(folder)
  }
}
