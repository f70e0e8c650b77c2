import { dirname, join } from 'node:path'
import type { Detection } from '../../contract/plugin.ts'
import { realPath } from '../../lib/real-path.ts'
import { exists } from '../../system/stat.ts'
import type { Document, Role } from '../document/document.ts'
import type { Problems } from '../document/problems.ts'
import { isTable, merge, own, type Table } from '../document/table.ts'
import { type Inferred, inferProject, notFound, type Sources } from './inference.ts'
import { withWrittenNumbers } from './numbers.ts'
import { parseToml, type Reader, readText } from './read.ts'

/** The folders of locald's own configuration, the user's home and locald's data, absolute. */
export interface Places {
  readonly configDir: string
  readonly home: string
  /** Holds the list of allowed folders; absent: no folder is allowed. */
  readonly data?: string
}

/** The files of a project's configuration, weakest first; `watched` includes those that may appear later. */
export interface Layers {
  readonly documents: readonly Document[]
  readonly watched: readonly string[]
  /** What was found in place of a `locald.toml`. */
  readonly detection?: Detection
}

/**
 * Reads every layer of the project at `root`: `config.toml`, `.locald.toml` of parent folders (up to home, outermost
 * first), `locald.workspace.toml` at the repository's root, then `locald.toml` or else the first source that describes
 * a project. A file that cannot be read or trusted becomes a problem. Throws CONFIG_NOT_FOUND when nothing describes a
 * project.
 *
 * @param known what was inferred already
 */
export async function readLayers(
  reader: Reader,
  sources: Sources,
  places: Places,
  problems: Problems,
  known?: Inferred,
): Promise<Layers> {
  const { root } = reader
  const home = await realPath(places.home).catch(() => places.home)
  const parents = parentsOf(root, home).map(folder => join(folder, '.locald.toml'))
  const repository = await repositoryOf(root)
  const workspace = repository === undefined ? [] : [join(repository, 'locald.workspace.toml')]
  const settings = join(places.configDir, 'config.toml')
  const main = join(root, 'locald.toml')
  if (!(await exists(root))) throw notFound(root, sources, { unsuitable: [] })
  const [inherited, project] = await Promise.all([
    Promise.all([
      readLayer(settings, 'settings', undefined, problems),
      ...parents.map(file => readLayer(file, 'parent', reader, problems)),
      ...workspace.map(file => readLayer(file, 'workspace', reader, problems)),
    ]),
    readLayer(main, 'project', reader, problems),
  ])
  const inferred = project === undefined ? (known ?? (await inferProject(reader, sources, problems))) : undefined
  if (inferred !== undefined && inferred !== 'faulty' && 'unsuitable' in inferred)
    throw notFound(root, sources, inferred)
  const found = inferred === undefined || inferred === 'faulty' ? undefined : inferred
  const layers = [...inherited, project].filter(it => it !== undefined && it !== 'faulty')
  const present = [...layers.map(document => document.file), ...(found?.watched ?? [])]
  return {
    documents: [...layers, ...(found?.documents ?? [])],
    watched: [...new Set([settings, ...present, ...workspace, main])],
    ...(found === undefined ? {} : { detection: found.detection }),
  }
}

/**
 * Reads a file's tables; undefined where it does not exist, 'faulty' after its problem was noted. Without a reader any
 * owner is trusted.
 */
export async function readLayer(
  file: string,
  role: Role,
  reader: Reader | undefined,
  problems: Problems,
): Promise<Document | 'faulty' | undefined> {
  try {
    const text = await readText(file, reader)
    if (text === undefined) return undefined
    const parsed = parseToml(text)
    if ('data' in parsed) return await withWrittenNumbers({ file, role, data: parsed.data, text }, problems)
    problems.addFile(file, 'CONFIG_INVALID', parsed.fault)
  } catch (error) {
    problems.addUnread(file, error)
  }
  return 'faulty'
}

/** Returns the folders above `root`, outermost first; inside home, those below it and home itself. */
function parentsOf(root: string, home: string): string[] {
  const parents: string[] = []
  for (let folder = root; folder !== home && dirname(folder) !== folder; ) {
    folder = dirname(folder)
    parents.unshift(folder)
  }
  return parents
}

async function repositoryOf(root: string): Promise<string | undefined> {
  for (let folder = root; ; folder = dirname(folder)) {
    if (await exists(join(folder, '.git'))) return folder
    if (dirname(folder) === folder) return undefined
  }
}

/**
 * Merges all layers. Top-level values that are not tables are left out, and so are services that only a weaker layer
 * names.
 */
export function mergeLayers(documents: readonly Document[]): Table {
  const projects = documents.filter(({ role }) => role === 'project' || role === 'source')
  const services = projects.map(({ data }) => own(data, 'services'))
  const names = new Set(services.flatMap(table => (isTable(table) ? Object.keys(table) : [])))
  return documents.map(document => pickRelevant(document, names)).reduce((weak, strong) => merge(weak, strong), {})
}

function pickRelevant({ data, role }: Document, names: ReadonlySet<string>): Table {
  const kept = Object.entries(data).flatMap(([key, value]): [string, Table][] => {
    if (!isTable(value)) return []
    if (key === 'services') return [[key, pick(value, name => names.has(name))]]
    if (role !== 'settings') return [[key, value]]
    // Options of plugins are no part of a project.
    if (key === 'plugins') return [[key, pick(value, (_, entry) => !isTable(entry))]]
    return key === 'env' || key === 'project' ? [[key, value]] : []
  })
  return Object.fromEntries(kept)
}

function pick(table: Table, keep: (key: string, value: unknown) => boolean): Table {
  return Object.fromEntries(Object.entries(table).filter(([key, value]) => keep(key, value)))
}
