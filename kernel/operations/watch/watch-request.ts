import type { OpenFolder } from '../../contract/services/folder-watch.ts'
import type { WatchProblem } from './watch-problems.ts'

/** The paths to watch, which need not exist yet, and which files there matter. */
export interface WatchRequest {
  /** The project's folder, which may be renamed with all its content, and come back. */
  readonly root: string
  readonly paths: readonly string[]
  /** Files below the paths that matter, absolute; absent: only the paths themselves, as files whose content matters. */
  readonly matches?: (file: string) => boolean
  /** Whether a folder below the paths may have files that matter. */
  readonly enters?: (folder: string) => boolean
  /** Whether nothing in a folder with these entries matters. */
  readonly isCache?: (folder: string, names: readonly string[]) => boolean
  /** Called with the files that changed, at most once at a time. */
  readonly changed: (files: readonly string[]) => void
  /** Called once for each cause; undefined: the system allows enough watches again. */
  readonly failed: (problem: WatchProblem | undefined) => void
  /** How the system watches folders; absent: each with a watch of its own. */
  readonly open?: OpenFolder | undefined
}
