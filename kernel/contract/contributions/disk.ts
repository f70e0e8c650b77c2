/** Lists what a plugin has on disk now; starts nothing. */
export type ReadDisk = (signal: AbortSignal) => Promise<readonly DiskPart[]>

/** Something that a plugin has on disk: a file or folder, which the kernel counts, or what an engine keeps by a name. */
export type DiskPart = DiskOwner & (DiskPath | DiskItem)

interface DiskOwner {
  /** What it is, for users: `volume`, `certificates`. */
  readonly what: string
  /** The project that it belongs to, and its service; absent: to none alone. */
  readonly project?: string
  readonly service?: string
}

/** A file or folder of this machine; one below the data folder is listed by its `what`. */
interface DiskPath {
  /** Absolute. */
  readonly path: string
}

interface DiskItem {
  readonly name: string
  readonly bytes: number
  /**
   * Removes it, where it is data of its project: called when the project's folder was deleted and the user asked for it.
   * Absent for what can be made again. Rejects with why it cannot be removed.
   */
  remove?(): Promise<void>
}
