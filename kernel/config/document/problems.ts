import { type ErrorCode, LocaldError, type Problem } from '../../errors.ts'
import { type Document, documentOf, shortName } from './document.ts'
import { lineOf } from './positions.ts'
import { dotted, type Path } from './table.ts'

/** The codes of a problem. An error with problems of several codes is CONFIG_INVALID. */
export type ConfigCode = Extract<
  ErrorCode,
  | 'CONFIG_INVALID'
  | 'CONFIG_UNREADABLE'
  | 'CONFIG_UNTRUSTED'
  | 'DEPENDENCY_CYCLE'
  | 'SERVICE_TYPE_UNSUPPORTED'
  | 'PLUGIN_MISSING'
>

/** A problem's description. It never holds a value of the file, which may be a secret. */
export interface ProblemInput {
  readonly message: string
  readonly hint?: string | undefined
  /** Default: CONFIG_INVALID. */
  readonly code?: ConfigCode
  /** The file with the problem; default: the strongest that has the path. */
  readonly document?: Document
}

interface Noted {
  readonly code: ConfigCode
  readonly fault: ProblemInput
  readonly path: Path
  readonly file?: string
  readonly line?: number
}

const unlessBetter =
  'Nothing was changed. Correct this and run `locald config check`; run `locald ai schema` for all keys.'

/** Collects problems, so that they are reported all at once. */
export class Problems {
  readonly #noted: Noted[] = []
  #documents: readonly Document[] = []

  /** Sets the files in which paths are looked up, weakest first. */
  setDocuments(documents: readonly Document[]): void {
    this.#documents = documents
  }

  get isEmpty(): boolean {
    return this.#noted.length === 0
  }

  /** Adds a problem of the value at a path of the merged configuration. */
  add(path: Path, fault: ProblemInput): void {
    this.#noted.push({ code: fault.code ?? 'CONFIG_INVALID', fault, path })
  }

  /** Adds a problem of a file as a whole, or of a line of it. */
  addFile(
    file: string,
    code: ConfigCode,
    fault: { readonly message: string; readonly hint?: string; readonly line?: number; readonly path?: Path },
  ): void {
    this.#noted.push({
      code,
      fault,
      path: fault.path ?? [],
      file,
      ...(fault.line === undefined ? {} : { line: fault.line }),
    })
  }

  /** Adds that a file could not be read. Throws any other error again. */
  addUnread(file: string, error: unknown): void {
    if (!LocaldError.is(error) || (error.code !== 'CONFIG_UNREADABLE' && error.code !== 'CONFIG_UNTRUSTED')) throw error
    const [problem] = error.problems
    const { message, hint } = problem ?? error
    this.addFile(file, error.code, { message, ...(hint === undefined ? {} : { hint }) })
  }

  /** Makes one error of all problems, sorted by file and line. */
  async error(root: string, home: string): Promise<LocaldError> {
    const located = await Promise.all(this.#noted.map(noted => this.#locate(noted)))
    // Two services may list the same file: one problem.
    const unique = new Map(located.map(one => [JSON.stringify(one.problem), one]))
    const all = [...unique.values()].sort(
      (a, b) =>
        compare(a.problem.file ?? '', b.problem.file ?? '') ||
        (a.problem.line ?? 0) - (b.problem.line ?? 0) ||
        compare(a.problem.key ?? '', b.problem.key ?? ''),
    )
    const problems = all.map(({ problem }) => problem)
    const code = commonCode(all.map(one => one.code))
    const [first] = all
    if (first === undefined || all.length > 1) {
      const better = all.flatMap(one => (isBeyondText(one.code) ? (one.problem.hint ?? []) : []))
      const hint = better.length === 0 ? unlessBetter : [...new Set(better)].join(' ')
      return new LocaldError(code, formatProblems(problems, root, home), { hint, problems })
    }
    const { problem, service } = first
    const refused = code === 'SERVICE_TYPE_UNSUPPORTED' && service !== undefined
    return new LocaldError(code, refused ? `service '${service}': ${problem.message}` : oneLine(problem, root, home), {
      hint: problem.hint ?? unlessBetter,
      ...(service === undefined ? {} : { service }),
      problems,
    })
  }

  async #locate({
    code,
    fault,
    path,
    file,
    line,
  }: Noted): Promise<{ problem: Problem; code: ConfigCode; service: string | undefined }> {
    const document = file === undefined ? (fault.document ?? documentOf(this.#documents, path)) : undefined
    const found = line ?? (document === undefined ? null : await lineOf(document, path))
    const where = file ?? document?.file
    const service = path[0] === 'services' && typeof path[1] === 'string' ? path[1] : undefined
    const problem = {
      message: fault.message,
      ...(where === undefined ? {} : { file: where }),
      ...(found === null ? {} : { line: found }),
      ...(path.length === 0 ? {} : { key: dotted(path) }),
      ...(fault.hint === undefined ? {} : { hint: fault.hint }),
    }
    return { problem, code, service }
  }
}

/** Returns whether a problem is none of a file's text: with a file as such, or with this machine. */
function isBeyondText(code: ConfigCode): boolean {
  return code === 'CONFIG_UNTRUSTED' || code === 'CONFIG_UNREADABLE' || code === 'SERVICE_TYPE_UNSUPPORTED'
}

/**
 * Returns the code of all problems. A missing plugin leads to types that no plugin provides: both together are
 * PLUGIN_MISSING.
 */
function commonCode(codes: readonly ConfigCode[]): ConfigCode {
  const isAbout = (...about: ConfigCode[]) => codes.every(code => about.includes(code))
  const [first] = codes
  if (first !== undefined && isAbout(first)) return first
  return isAbout('PLUGIN_MISSING', 'SERVICE_TYPE_UNSUPPORTED') ? 'PLUGIN_MISSING' : 'CONFIG_INVALID'
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Formats problems: their number, then one per line. */
export function formatProblems(problems: readonly Problem[], root: string, home?: string): string {
  const [file, ...others] = new Set(problems.map(problem => problem.file))
  const where = file === undefined || others.length > 0 ? 'the configuration' : shortName(file, root, home)
  return [
    `${where} has ${problems.length} errors`,
    ...problems.map(problem => `  ${oneLine(problem, root, home)}`),
  ].join('\n')
}

function oneLine({ file, line, key, message }: Problem, root: string, home?: string): string {
  const place = file === undefined ? '' : `${shortName(file, root, home)}${line === undefined ? '' : `:${line}`}: `
  return `${place}${key === undefined ? '' : `${key}: `}${message}`
}

/** A value and its path, for the reader to note what is wrong with it. */
export class Spot {
  readonly path: Path
  readonly value: unknown
  readonly #problems: Problems

  constructor(problems: Problems, path: Path, value: unknown) {
    this.#problems = problems
    this.path = path
    this.value = value
  }

  /** Notes that the value is wrong. Returns undefined, for readers to return as "no value". */
  wrong(message: string, fault: Omit<ProblemInput, 'message'> = {}): undefined {
    this.#problems.add(this.path, { ...fault, message })
  }

  /** Returns the spot of a value inside this one. */
  inside(key: string | number, value: unknown): Spot {
    return new Spot(this.#problems, [...this.path, key], value)
  }
}
