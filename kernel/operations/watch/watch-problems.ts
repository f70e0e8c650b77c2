import { messageOf, systemCode } from '../../errors.ts'
import { denialOf } from '../../lib/denial.ts'

/** Why some of the paths are not watched. */
export interface WatchProblem {
  readonly message: string
  readonly hint?: string
  /** Whether it concerns the whole machine: it is reported once, not for each service. */
  readonly isShared?: boolean
}

/** Stands for a system's error code where a limit of locald's own is reached. */
const tooMany = 'TOO_MANY'

interface PathError {
  readonly code: string
  readonly path: string
  readonly error: unknown
}

/** Collects errors of watches: one report for each cause, however many paths it concerns. */
export class WatchProblems {
  readonly #failed: (problem: WatchProblem | undefined) => void
  readonly #reported = new Set<string>()
  #found: PathError[] = []
  #isExhausted = false

  /** @param failed called with each cause once, and with undefined when the system allows enough watches again */
  constructor(failed: (problem: WatchProblem | undefined) => void) {
    this.#failed = failed
  }

  /** Whether the system allows no more watches. */
  get isExhausted(): boolean {
    return this.#isExhausted
  }

  /** Whether a reported problem persists. */
  get any(): boolean {
    return this.#reported.size > 0
  }

  /** Ignores missing paths, as their return is noticed, and paths that only others may list, where that is expected. */
  add(path: string, error: unknown, mayBeDenied: boolean): void {
    const code = systemCode(error) ?? ''
    const isDenied = code === 'EACCES' || code === 'EPERM'
    if (code === 'ENOENT' || code === 'ENOTDIR' || (isDenied && mayBeDenied)) return
    if (isExhaustion(code)) this.#isExhausted = true
    this.#found.push({ code, path, error })
  }

  /** Notes that a tree has more folders than are watched. */
  addLimit(path: string, limit: number): void {
    this.#found.push({ code: tooMany, path, error: new Error(`more than ${limit} folders are below it`) })
  }

  /** Notes that watches may be available again. */
  retry(): void {
    this.#isExhausted = false
  }

  report(): void {
    const over = this.#isExhausted ? [] : [...this.#reported].filter(isExhaustion)
    for (const code of over) this.#reported.delete(code)
    if (over.length > 0) this.#failed(undefined)
    const found = this.#found
    this.#found = []
    for (const code of new Set(found.map(error => error.code))) {
      const [first, ...more] = found.filter(error => error.code === code)
      if (first === undefined || this.#reported.has(code)) continue
      this.#reported.add(code)
      this.#failed(problemOf(code, first.path, more.length, first.error))
    }
  }
}

/** Whether a system error says that no more can be watched. */
function isExhaustion(code: string): boolean {
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
  if (code === tooMany)
    return {
      message: `not all of ${path} is watched: ${messageOf(error)}`,
      hint: 'Set `watch` to the files that matter, or choose a smaller folder.',
    }
  return { message: `${where} cannot be watched: ${messageOf(error)}` }
}
