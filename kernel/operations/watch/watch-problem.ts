import { denialOf } from '../../contract/denial.ts'
import { messageOf } from '../../errors.ts'

/** Why some of the paths are not watched. */
export interface WatchProblem {
  readonly message: string
  readonly hint?: string
  /** Whether it concerns the whole machine: it is reported once, not for each service. */
  readonly isShared?: boolean
}

/** Whether a system error says that no more can be watched. */
export function isExhaustion(code: string): boolean {
  return code === 'ENOSPC' || code === 'EMFILE' || code === 'ENFILE'
}

/** Returns the report of one cause: the first path that it concerns, and the number of others. */
export function problemOf(code: string, path: string, more: number, error: unknown): WatchProblem {
  const where = more === 0 ? path : `${path} and ${more} more ${more === 1 ? 'folder' : 'folders'}`
  const denial = denialOf(path, code)
  if (denial !== undefined) return { message: `${where} cannot be watched: ${denial.message}`, hint: denial.hint }
  if (code === 'EACCES' || code === 'EPERM')
    return { message: `${where} cannot be watched: permission denied`, hint: `Run \`ls -ld ${path}\` to see its mode.` }
  if (isExhaustion(code))
    return {
      message: `the system's limit of file watches is reached (${code}): some changes are noticed seconds later`,
      isShared: true,
      hint: 'Watch fewer folders, or, on Linux, raise the limit: `locald doctor` shows how.',
    }
  return { message: `${where} cannot be watched: ${messageOf(error)}` }
}
