import { join, resolve } from 'node:path'
import { stringify } from 'smol-toml'
import type {
  Detection,
  ProjectDetector,
  ProjectFolder,
  ProjectSource,
  ServiceTables,
  Unsuitable,
} from '../../contract/plugin.ts'
import { LocaldError, messageOf } from '../../errors.ts'
import type { InferredProject } from '../../events.ts'
import { realPath } from '../../lib/real-path.ts'
import type { InferredAnswer } from '../../protocol.ts'
import type { Document } from '../document/document.ts'
import { Problems } from '../document/problems.ts'
import { own } from '../document/table.ts'
import { labelOf } from '../names.ts'
import { quoteForShell, type Trust } from '../trust/trust.ts'
import { TrustedFolder } from './project-folder.ts'
import type { Reader } from './read.ts'

/** What can describe a project without a `locald.toml`. */
export interface Sources {
  readonly sources: readonly (ProjectSource | ProjectDetector)[]
  /** All service types. */
  readonly names: readonly string[]
}

/** What sources and detectors have found in a folder; 'faulty' after a problem of a file was noted. */
export type Inference = Inferred | NotInferred | 'faulty'

/** A project that was found. */
export interface Inferred {
  readonly detection: Detection
  /** Its services, in one document for each file, that of the detection last. */
  readonly documents: readonly Document[]
  /** Files whose change means a reload, absolute. */
  readonly watched: readonly string[]
}

/** Why there is no project, as far as that is known. */
export interface NotInferred {
  readonly unsuitable: readonly Unsuitable[]
  /** A folder above that is a project without a file. */
  readonly above?: ProjectAbove | undefined
}

/** A project that a folder further up is. */
export interface ProjectAbove {
  readonly folder: string
  /** What describes it. */
  readonly file: string
  /** Whether both folders are in one git repository, or below the home folder: elsewhere it may be another project. */
  readonly isEnclosed: boolean
}

/**
 * Finds a project in the reader's folder: the first source or detector that knows it, or that knows it from `only` this
 * file. Runs nothing.
 */
export async function inferProject(
  reader: Reader,
  { sources, names }: Sources,
  problems: Problems,
  only?: string,
): Promise<Inference> {
  const folder = new TrustedFolder(reader, names)
  const unsuitable: Unsuitable[] = []
  const detectors = sources.map(it => ('detect' in it ? it : detectorOf(it)))
  const inOrder = [...detectors.filter(it => !it.isFallback), ...detectors.filter(it => it.isFallback)]
  for (const detector of inOrder) {
    try {
      const found = await detector.detect(folder)
      if (found === undefined) continue
      if ('reason' in found) unsuitable.push(found)
      else if (only === undefined || found.file === only) return toInferred(found, reader.root)
    } catch (error) {
      noteFault(error, join(reader.root, detector.files[0] ?? ''), reader.root, problems)
      return 'faulty'
    }
  }
  return { unsuitable }
}

/**
 * Infers the project of exactly this folder. Throws CONFIG_NOT_FOUND where there is none, and the errors of a file that
 * cannot be read.
 */
export async function inferFolder(
  path: string,
  sources: Sources,
  { trust, home, only }: { readonly trust: Trust; readonly home: string; readonly only?: string | undefined },
): Promise<InferredAnswer> {
  const root = await realPath(path).catch(() => {
    throw notFound(path, sources, { unsuitable: [] })
  })
  const problems = new Problems()
  const inference = await inferProject({ trust, root }, sources, problems, only)
  if (inference === 'faulty') throw await problems.error(root, home)
  if ('unsuitable' in inference) throw notFound(root, sources, inference)
  const { file, services, files = {}, notes = [], format } = inference.detection
  return { path: root, file, services, files, notes, ...(format === undefined ? {} : { format }) }
}

/** Describes what was found, for those who start it. */
export function describeDetection(
  { file, services, files = {}, notes = [] }: Detection,
  defaultType: string,
): InferredProject {
  const described = Object.entries(services).map(([name, table]) => ({
    ...{ name, type: textIn(table, 'type') ?? defaultType, command: textIn(table, 'command') ?? null },
    file: textIn(files, name) ?? file,
  }))
  return { file, services: described, notes }
}

function textIn(table: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const value = own(table, key)
  return typeof value === 'string' ? value : undefined
}

/** Returns the names of the files that a source or detector reads in a project's folder. */
export function filesOf(source: ProjectSource | ProjectDetector): readonly string[] {
  return 'detect' in source ? source.files : [source.file]
}

/** Makes the CONFIG_NOT_FOUND of a folder: why what is there does not do, with the lines that would. */
export function notFound(folder: string, { sources }: Sources, { unsuitable, above }: NotInferred): LocaldError {
  const where = `no locald.toml in ${folder} or above it`
  if (unsuitable.length === 0 && above !== undefined)
    return new LocaldError('CONFIG_NOT_FOUND', `${where}, and nothing else here that describes a project`, {
      hint: `Run \`locald up ${quoteForShell(above.folder)}\`: the project that its ${above.file} describes.`,
    })
  if (unsuitable.length === 0)
    return new LocaldError('CONFIG_NOT_FOUND', `${where}, and nothing else that describes a project`, {
      hint: `Change to the folder of a project, or create ${describe(sources)}. A \`locald.toml\` may be as short as this:\n\n${exampleFile(folder, { web: { command: 'npm run dev' } })}`,
    })
  const reasons = unsuitable.map(({ reason }) => reason).join('; ')
  const best = unsuitable.find(it => it.hint !== undefined || it.example !== undefined)
  const write = (services: ServiceTables) =>
    `Create a \`locald.toml\` such as this, with your own command:\n\n${exampleFile(folder, services)}`
  const hint = best?.hint ?? (best?.example === undefined ? undefined : write(best.example))
  return new LocaldError('CONFIG_NOT_FOUND', `${where}; ${reasons}`, { hint: hint ?? `Create ${describe(sources)}.` })
}

function exampleFile(folder: string, services: ServiceTables): string {
  const text = stringify({ project: { name: labelOf(folder.slice(folder.lastIndexOf('/') + 1)) }, services })
  return text.trimEnd()
}

function describe(sources: Sources['sources']): string {
  const files = sources.flatMap(it =>
    'detect' in it ? (it.description ?? []) : [it.description ?? `a \`${it.file}\``],
  )
  return new Intl.ListFormat('en', { type: 'disjunction' }).format(['a `locald.toml`', ...new Set(files)])
}

function detectorOf(source: ProjectSource): ProjectDetector {
  const { file } = source
  return {
    files: [file],
    async detect(folder: ProjectFolder) {
      const text = await folder.read(file)
      if (text === undefined) return undefined
      try {
        const services = source.read(text, folder.path)
        return services === undefined ? undefined : { file, services }
      } catch (error) {
        throw new LocaldError('CONFIG_INVALID', messageOf(error), { problems: [{ file, ...sourceFault(error, text) }] })
      }
    },
  }
}

/**
 * Converts a source's error to a fault. JSON's own messages quote the file, which may hold secrets: only the line is
 * kept.
 */
function sourceFault(error: unknown, text: string): { message: string; line?: number } {
  const [, line] = /\bline (\d+)/.exec(messageOf(error)) ?? []
  if (!(error instanceof SyntaxError))
    return { message: messageOf(error), ...(line === undefined ? {} : { line: Number(line) }) }
  const [, position] = /\bposition (\d+)/.exec(error.message) ?? []
  const before = position === undefined ? undefined : text.slice(0, Number(position))
  return { message: 'is not valid JSON', ...(before === undefined ? {} : { line: before.split('\n').length }) }
}

function toInferred(detection: Detection, root: string): Inferred {
  const { file, services, files = {}, watched } = detection
  const byFile = new Map<string, [string, Readonly<Record<string, unknown>>][]>([[file, []]])
  for (const [name, table] of Object.entries(services)) {
    const described = textIn(files, name) ?? file
    byFile.set(described, [...(byFile.get(described) ?? []), [name, table]])
  }
  const documents = [...byFile].map(
    ([name, tables]): Document => ({
      ...{ file: join(root, name), role: 'source', text: undefined },
      data: { services: Object.fromEntries(tables) },
    }),
  )
  const main = documents.filter(document => document.file === join(root, file))
  const others = documents.filter(document => !main.includes(document))
  const watchedFiles = watched ?? [file, ...byFile.keys()]
  return {
    detection,
    documents: [...others, ...main],
    watched: watchedFiles.map(name => join(root, name)),
  }
}

/** Notes what a detector threw: the problems of a LocaldError, else its message as that of `file`. */
function noteFault(error: unknown, file: string, root: string, problems: Problems): void {
  if (!LocaldError.is(error) || error.problems.length === 0) {
    problems.addFile(file, 'CONFIG_INVALID', { message: messageOf(error) })
    return
  }
  const code =
    error.code === 'CONFIG_UNREADABLE' || error.code === 'CONFIG_UNTRUSTED' ? error.code : ('CONFIG_INVALID' as const)
  for (const { file: named = file, ...fault } of error.problems) problems.addFile(resolve(root, named), code, fault)
}
