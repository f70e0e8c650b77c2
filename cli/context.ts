import type { Paths } from '../kernel/system/paths.ts'
import type { Words } from './args/parse.ts'

/** What a command gets: its words, where the daemon is and the folder it was called in (absolute). */
export interface Context {
  readonly words: Words
  readonly json: boolean
  readonly paths: Paths
  readonly cwd: string
}
