import { basename, dirname, join, resolve } from 'node:path'
import type { ProjectPlan, ReservedHost } from '../contract/plugin.ts'
import type { InferredProject } from '../events.ts'
import { realPath } from '../lib/real-path.ts'
import { ownersAt } from '../lib/text-file.ts'
import type { ConfigValue, PluginView } from '../protocol.ts'
import { exists, statIfAny } from '../system/stat.ts'
import { checkServices } from './checks/cross-checks.ts'
import { splitDependencies } from './checks/foreign-dependencies.ts'
import { findMissingPlugins } from './checks/required-plugins.ts'
import type { Document } from './document/document.ts'
import { Problems, Spot } from './document/problems.ts'
import { isTable, own, type Path, type Table } from './document/table.ts'
import { configValues, locate, type Provenance } from './provenance.ts'
import { EnvFiles, isStream } from './sources/env-files.ts'
import { describeDetection, inferProject, type NotInferred, notFound, type Sources } from './sources/inference.ts'
import { mergeLayers, type Places, readLayers } from './sources/layers.ts'
import { findProjectAbove } from './sources/project-above.ts'
import { type Reader, requireTrust } from './sources/read.ts'
import type { PluginTables } from './tables/plugin-tables.ts'
import { checkDocument, readProjectTables } from './tables/project.ts'
import { ownersOf, type ReadService, readService, type Types } from './tables/service.ts'
import { Trust } from './trust/trust.ts'

export { projectSchema } from './json-schema.ts'
export type { Provenance } from './provenance.ts'
export { readSettings } from './settings.ts'
export type { Places } from './sources/layers.ts'

/** What plugins registered: service types, and sources that read a project without a `locald.toml`. */
export interface TypeSource extends Types, Sources {
  /** All plugins, to check those that the project needs; absent: not checked. */
  readonly plugins?: readonly PluginView[]
  /** Host names that no project can have. */
  readonly reserved?: readonly ReservedHost[]
  readonly tables?: PluginTables
}

/** A loaded project, and where each of its values was written. */
export interface LoadedProject {
  readonly plan: ProjectPlan
  /** `[plugins]`: ranges of versions by name. */
  readonly pluginsNeeded: Readonly<Record<string, string>>
  readonly envFiles: EnvFiles
  /** What was found in place of a `locald.toml`. */
  readonly inferred?: InferredProject | undefined
  /** Returns the merged configuration with file and line of each value, for `config show --provenance`. */
  values(): Promise<readonly ConfigValue[]>
  /** Returns file and line of one value. */
  locate(path: Path): Promise<Provenance>
}

/**
 * Finds the folder of the project that `dir` is in: the nearest at or above it with a `locald.toml`, or else `dir`
 * itself when a source describes a project there, or else the nearest above it in its git repository that one describes,
 * unless the folder has something of its own that looks like a project. Another user's `locald.toml` above does not win over such a source;
 * without one it is CONFIG_UNTRUSTED. Throws CONFIG_NOT_FOUND where there is no project. Symbolic links are resolved,
 * so that a project has one path.
 */
export async function findProjectRoot(dir: string, sources: Sources, trust = new Trust()): Promise<string> {
  const given = resolve(dir)
  const real = await realPath(given).catch(() => {
    throw notFound(given, sources, { unsuitable: [] })
  })
  const start = (await statIfAny(real))?.isFile() && basename(real) === 'locald.toml' ? dirname(real) : real
  for (let folder = start; ; folder = dirname(folder)) {
    const file = join(folder, 'locald.toml')
    if (await exists(file)) {
      const owners = folder === start ? [] : await ownersAt(file)
      if (trust.refusal(file, owners, folder) === undefined) return folder
      if ((await whyNoProject(start, sources, trust)) === undefined) return start
      requireTrust(file, owners, { trust, root: start })
    }
    if (dirname(folder) === folder) break
  }
  const nothing = await whyNoProject(start, sources, trust)
  if (nothing === undefined) return start
  const above = nothing.unsuitable.length === 0 ? await findProjectAbove(start, sources, trust) : undefined
  if (above?.isEnclosed === true) return above.folder
  throw notFound(start, sources, { ...nothing, above })
}

/** Returns undefined where a source describes a project. One that fails counts, so that its error is shown. */
async function whyNoProject(root: string, sources: Sources, trust: Trust): Promise<NotInferred | undefined> {
  const inference = await inferProject({ root, trust }, sources, new Problems())
  return inference !== 'faulty' && 'unsuitable' in inference ? inference : undefined
}

/** Options of `loadProject`. */
export interface LoadOptions {
  /** Whose files are trusted; default: the caller's and root's. */
  readonly trust?: Trust
  /** Earlier files, whose pipes and devices are not read again. */
  readonly envFiles?: EnvFiles | undefined
  /** Checked in place of the text of its `locald.toml`, which need not exist. */
  readonly draft?: string | undefined
  /** More files with variables, absolute, of an `up --env-file`. */
  readonly addedEnvFiles?: readonly string[] | undefined
  /** The variables of the caller's shell, which a source may read. */
  readonly shell?: Readonly<Record<string, string>> | undefined
  /** Finds what uses a port, where the project is to be started: a source may leave out the service that has it. */
  readonly portOccupant?: Reader['portOccupant']
}

/**
 * Loads the project at `root`: reads, checks and merges its layers. Throws one LocaldError with all problems of all
 * files, sorted by file and line: CONFIG_INVALID, or CONFIG_UNREADABLE, CONFIG_UNTRUSTED, SERVICE_TYPE_UNSUPPORTED,
 * PLUGIN_MISSING or DEPENDENCY_CYCLE when all problems are of that kind. Throws CONFIG_NOT_FOUND where there is no
 * project.
 */
export async function loadProject(
  root: string,
  types: TypeSource,
  places: Places,
  options: LoadOptions = {},
): Promise<LoadedProject> {
  const {
    trust = new Trust({ dataFolder: places.data }),
    envFiles: known,
    addedEnvFiles = [],
    draft,
    shell,
    portOccupant,
  } = options
  const problems = new Problems()
  const reader = { trust, root, draft, shell, portOccupant }
  const { documents, watched, detection } = await readLayers(reader, types, places, problems)
  problems.setDocuments(documents)
  for (const document of documents) checkDocument(document, problems, types.tables ?? {})
  const main = documents.at(-1)
  if (main === undefined || (main.role !== 'project' && main.role !== 'source'))
    throw await problems.error(root, places.home)
  const merged = mergeLayers(documents)
  const frame = readProjectTables(merged, main, { root, ...types }, problems)
  const missing = types.plugins === undefined ? [] : findMissingPlugins(frame.pluginsNeeded, types.plugins)
  for (const { name, message, hint } of missing)
    problems.add(['plugins', name], { code: 'PLUGIN_MISSING', message, hint })
  const services = readServices(merged, types, problems).map(service => splitDependencies(service, frame.name))
  checkServices(services, frame, problems)
  const files = new EnvFiles(reader, known)
  const envFiles = await checkEnvFiles({ root, services, added: addedEnvFiles }, files, problems)
  if (!problems.isEmpty) throw await problems.error(root, places.home)
  const plan: ProjectPlan = {
    name: frame.name,
    path: root,
    domain: frame.domain,
    env: frame.env,
    services: services.map(service => service.plan),
    routes: frame.routes,
    ...(Object.keys(frame.tables).length === 0 ? {} : { tables: frame.tables }),
    ...(frame.wildcard ? { wildcard: true } : {}),
    ...(Object.keys(frame.projects).length === 0 ? {} : { projects: frame.projects }),
    ...(addedEnvFiles.length === 0 ? {} : { envFiles: addedEnvFiles }),
    files: [...new Set([...watched, ...envFiles])],
  }
  const inferred = detection === undefined ? undefined : describeDetection(detection, types.defaultType)
  const more = { pluginsNeeded: frame.pluginsNeeded, envFiles: files, inferred }
  return toLoadedProject(plan, merged, services, documents, more)
}

function toLoadedProject(
  plan: ProjectPlan,
  merged: Table,
  services: readonly ReadService[],
  documents: readonly Document[],
  more: Pick<LoadedProject, 'pluginsNeeded' | 'envFiles' | 'inferred'>,
): LoadedProject {
  const drivers = new Map(services.map(({ plan, driver }) => [plan.name, driver]))
  return {
    plan,
    ...more,
    values: () => configValues(merged, plan, name => drivers.get(name), documents),
    locate: path => locate(documents, path),
  }
}

function readServices(merged: Table, types: TypeSource, problems: Problems): readonly ReadService[] {
  const value = own(merged, 'services')
  if (!isTable(value)) return []
  const owners = ownersOf(types)
  return Object.entries(value).flatMap(
    ([name, table]) => readService(new Spot(problems, ['services', name], table), name, types, owners) ?? [],
  )
}

/** What has files with variables: a project, its services and its `up`. */
interface EnvFileUsers {
  readonly root: string
  readonly services: readonly ReadService[]
  /** Of the `up`. */
  readonly added: readonly string[]
}

/**
 * Checks the `.env` and `env_file` files and returns the absolute paths of those to watch. Problems are noted now,
 * before any service starts. A pipe or a device is neither read nor watched: an `up` reads it.
 */
async function checkEnvFiles(
  { root, services, added }: EnvFileUsers,
  files: EnvFiles,
  problems: Problems,
): Promise<readonly string[]> {
  const implicit = join(root, '.env')
  const listed = services.flatMap(({ plan, table }) => {
    const path = ['services', plan.name, 'env_file']
    const isArray = Array.isArray(own(table, 'env_file'))
    return plan.common.envFile.map((written, index) => ({ written, path: isArray ? [...path, index] : path }))
  })
  const check = async (file: string, folderOk: boolean, missing: () => void) => {
    if (await isStream(file)) return []
    try {
      if ((await files.read(file, folderOk)) === undefined) missing()
    } catch (error) {
      problems.addUnread(file, error)
    }
    return [file]
  }
  const checks = listed.map(({ written, path }) =>
    check(resolve(root, written), false, () => problems.add(path, { message: `file '${written}' does not exist` })),
  )
  const ofUp = added.map(file =>
    check(file, false, () => problems.add([], { message: `file '${file}' of --env-file does not exist` })),
  )
  return (await Promise.all([check(implicit, true, () => {}), ...ofUp, ...checks])).flat()
}
