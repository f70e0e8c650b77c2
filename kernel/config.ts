import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { checkServices } from './config/checks.ts'
import { readDotenv } from './config/dotenv.ts'
import { checkDocument, readFrame } from './config/file.ts'
import { type Document, mergeLayers, notFound, type Places, readLayers, sourceIn } from './config/layers.ts'
import { Problems, Spot } from './config/problems.ts'
import { ownersOf, type ReadService, readService, type Types } from './config/service.ts'
import { isTable, own, type Path, type Table } from './config/table.ts'
import { configValues, locate, type Provenance } from './config/values.ts'
import { LocaldError } from './errors.ts'
import { lackOf } from './needed.ts'
import type { ProjectPlan, ProjectSource } from './plugin.ts'
import type { ConfigValue, PluginView } from './wire.ts'

export type { Places } from './config/layers.ts'
export { projectSchema } from './config/schema.ts'
export { readSettings } from './config/settings.ts'
export type { Provenance } from './config/values.ts'

/** What the plugins registered: service types, and ways to read a project without a `locald.toml`. */
export interface TypeSource extends Types {
  readonly sources: readonly ProjectSource[]
  /** All plugins: with them, those that the project needs are looked for. */
  readonly plugins?: readonly PluginView[]
}

/** A project as configured, and where each value was written. */
export interface LoadedProject {
  readonly plan: ProjectPlan
  /** `[plugins]`: ranges of versions by name. */
  readonly pluginsNeeded: Readonly<Record<string, string>>
  /** The merged configuration with file and line of each value, for `config show --provenance`. */
  values(): Promise<readonly ConfigValue[]>
  /** File and line of one value, given the keys that lead to it. */
  locate(path: Path): Promise<Provenance>
}

/**
 * The folder of the project that `dir` is in: the nearest at or above it with a `locald.toml`; else `dir` itself when a
 * source describes a project there. CONFIG_NOT_FOUND else. Symbolic links are resolved, so that a project has one path.
 */
export async function findProjectRoot(dir: string, sources: readonly ProjectSource[]): Promise<string> {
  const given = resolve(dir)
  const real = await realpath(given).catch(() => {
    throw notFound(given)
  })
  const start = (await isFile(real)) && basename(real) === 'locald.toml' ? dirname(real) : real
  for (let folder = start; ; folder = dirname(folder)) {
    if (await exists(join(folder, 'locald.toml'))) return folder
    if (dirname(folder) === folder) break
  }
  if (await sourceIn(start, sources)) return start
  throw notFound(start)
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined
}

async function isFile(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined))?.isFile() === true
}

/**
 * Loads the project at `root`: reads its layers, then checks and merges them. Throws one LocaldError with everything that
 * is wrong in all files, sorted by file and line: CONFIG_INVALID, or CONFIG_UNREADABLE, SERVICE_TYPE_UNSUPPORTED, PLUGIN_MISSING or
 * DEPENDENCY_CYCLE when all problems are of that kind; CONFIG_NOT_FOUND when there is no project.
 */
export async function loadProject(root: string, types: TypeSource, places: Places): Promise<LoadedProject> {
  const problems = new Problems()
  const { documents, watched } = await readLayers(root, types.sources, places, problems)
  problems.within(documents)
  for (const document of documents) checkDocument(document, problems)
  const main = documents.at(-1)
  if (main === undefined || (main.role !== 'project' && main.role !== 'source'))
    throw await problems.error(root, places.home)
  const merged = mergeLayers(documents)
  const frame = readFrame(merged, main, root, problems)
  const lacks = types.plugins === undefined ? [] : lackOf(frame.pluginsNeeded, types.plugins)
  for (const { name, message, hint } of lacks)
    problems.add(['plugins', name], { code: 'PLUGIN_MISSING', message, hint })
  const services = readServices(merged, types, problems)
  checkServices(services, frame, problems)
  const envFiles = await checkEnvFiles(root, services, problems)
  if (!problems.none) throw await problems.error(root, places.home)
  const plan: ProjectPlan = {
    name: frame.name,
    path: root,
    domain: frame.domain,
    env: frame.env,
    services: services.map(service => service.plan),
    routes: frame.routes,
    ...(frame.wildcard ? { wildcard: true } : {}),
    files: [...new Set([...watched, ...envFiles])],
  }
  return loaded(plan, merged, services, documents, frame.pluginsNeeded)
}

function loaded(
  plan: ProjectPlan,
  merged: Table,
  services: readonly ReadService[],
  documents: readonly Document[],
  pluginsNeeded: Readonly<Record<string, string>>,
): LoadedProject {
  const drivers = new Map(services.map(({ plan, driver }) => [plan.name, driver]))
  return {
    plan,
    pluginsNeeded,
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

/** Their absolute paths. What is wrong with one is noted now, so that nothing is started without it. */
async function checkEnvFiles(
  root: string,
  services: readonly ReadService[],
  problems: Problems,
): Promise<readonly string[]> {
  const implicit = join(root, '.env')
  const listed = services.flatMap(({ plan, table }) => {
    const path = ['services', plan.name, 'env_file']
    const isArray = Array.isArray(own(table, 'env_file'))
    return plan.common.envFile.map((written, index) => ({ written, path: isArray ? [...path, index] : path }))
  })
  const check = async (file: string, folderOk: boolean, missing: () => void) => {
    try {
      if ((await readDotenv(file, folderOk)) === undefined) missing()
    } catch (error) {
      if (!LocaldError.is(error)) throw error
      problems.addFile(file, 'CONFIG_UNREADABLE', { message: error.problems[0]?.message ?? error.message })
    }
    return file
  }
  const files = listed.map(({ written, path }) =>
    check(resolve(root, written), false, () => problems.add(path, { message: `file '${written}' does not exist` })),
  )
  return Promise.all([check(implicit, true, () => {}), ...files])
}
