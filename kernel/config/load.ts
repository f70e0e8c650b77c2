import type { ProjectPlan, ReservedHost } from '../contract/plugin.ts'
import type { InferredProject } from '../events.ts'
import type { ConfigValue, PluginView } from '../protocol.ts'
import { checkServices } from './checks/cross-checks.ts'
import { checkEnvFiles } from './checks/env-files.ts'
import { splitDependencies } from './checks/foreign-dependencies.ts'
import { findMissingPlugins } from './checks/required-plugins.ts'
import type { Document } from './document/document.ts'
import { Problems, Spot } from './document/problems.ts'
import { isTable, own, type Path, type Table } from './document/table.ts'
import { configValues, locate, type Provenance } from './provenance.ts'
import { EnvFiles } from './sources/env-files.ts'
import { describeDetection, type Inferred, type Sources } from './sources/inference.ts'
import { mergeLayers, type Places, readLayers } from './sources/layers.ts'
import type { Reader } from './sources/read.ts'
import type { PluginTables } from './tables/plugin-tables.ts'
import { checkDocument, readProjectTables } from './tables/project.ts'
import { ownersOf, type ReadService, readService, type Types } from './tables/service.ts'
import { Trust } from './trust/trust.ts'

export { projectSchema } from './json-schema.ts'
export type { Provenance } from './provenance.ts'
export { readSettings } from './settings.ts'
export type { Places } from './sources/layers.ts'
export { findProject } from './sources/project-root.ts'

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
  /** What `findProject` has inferred. */
  readonly inferred?: Inferred | undefined
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
  const { documents, watched, detection } = await readLayers(reader, types, places, problems, options.inferred)
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
