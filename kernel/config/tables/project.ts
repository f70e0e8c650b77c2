import { basename } from 'node:path'
import validRange from 'semver/ranges/valid.js'
import type { ReservedHost, Route } from '../../contract/plugin.ts'
import type { Document } from '../document/document.ts'
import { type Problems, Spot } from '../document/problems.ts'
import { isTable, kindOf, own, type Table } from '../document/table.ts'
import { env } from '../fields/env.ts'
import { type Key, readKey, required, withDefault } from '../fields/keys.ts'
import { flag, readTable, readText } from '../fields/value-type.ts'
import { domainPattern, isDomain, isLabel, isReserved, labelOf, labelPattern, labelRule } from '../names.ts'
import { type PluginTables, readPluginTables, tablesOf, unknownTableMessage } from './plugin-tables.ts'
import { routesKey } from './routes.ts'

/** The keys of `[project]`. */
export const projectKeys = {
  name: {
    key: 'name',
    type: { name: 'DNS label', schema: { type: 'string', pattern: labelPattern }, read: readName },
    absent: required,
    doc: 'A DNS label: lower-case letters, digits and "-".',
  },
  domain: {
    key: 'domain',
    type: { name: 'DNS name', schema: { type: 'string', pattern: domainPattern, maxLength: 253 }, read: readDomain },
    absent: '`<name>.localhost`',
    doc: 'The host name of the project. Default: <name>.localhost',
  },
  wildcard: withDefault(
    {
      key: 'wildcard',
      type: flag,
      doc: 'Whether requests for unknown names below the domain go to the service that owns the domain.',
    },
    false,
  ),
} satisfies Readonly<Record<string, Key>>

/** The table `[plugins]` of a project. */
export const pluginsKey: Key<Readonly<Record<string, string>>> = {
  key: 'plugins',
  type: {
    name: 'table',
    schema: { type: 'object', additionalProperties: { type: 'string', minLength: 1 } },
    read: readPlugins,
  },
  doc: 'npm plugins that the project needs, with a range of versions. locald never installs one without a command: `locald plugins add NAME`.',
}

/** The table `[env]` of a project. */
export const envKey: Key<Readonly<Record<string, string>>> = {
  key: 'env',
  type: env,
  doc: "Environment of every service of the project; .env, env_file and the service's own env are stronger.",
}

/** The table `[projects]` of a project. */
export const projectsKey: Key<Readonly<Record<string, string>>> = {
  key: 'projects',
  type: {
    name: 'table of folders',
    schema: {
      type: 'object',
      propertyNames: { pattern: labelPattern },
      additionalProperties: { type: 'string', minLength: 1 },
    },
    read: readProjects,
  },
  doc: 'Folders of other projects, relative to this file, by the names that `depends_on` and references have for them.',
}

/** Checks each file for itself: its top-level tables, and what belongs into another file. */
export function checkDocument(document: Document, problems: Problems, tables: PluginTables): void {
  const known = tablesOf(document.role, tables)
  for (const [key, value] of Object.entries(document.data)) {
    if (!known.includes(key))
      problems.add([key], { document, message: unknownTableMessage(key, document.role, tables) })
    else if (!isTable(value)) problems.add([key], { document, message: `must be a table, not ${kindOf(value)}` })
  }
  if (document.role === 'project' || document.role === 'source') return
  const project = own(document.data, 'project')
  if (isTable(project) && Object.hasOwn(project, 'name')) {
    problems.add(['project', 'name'], { document, message: "belongs in the project's own locald.toml" })
  }
}

/** The tables of a configuration besides its services. */
export interface ProjectTables {
  readonly name: string
  readonly domain: string
  readonly env: Readonly<Record<string, string>>
  readonly wildcard: boolean
  readonly routes: readonly Route[]
  readonly pluginsNeeded: Readonly<Record<string, string>>
  /** Folders of other projects by name, as written. */
  readonly projects: Readonly<Record<string, string>>
  /** The tables of plugins, by name. */
  readonly tables: Readonly<Record<string, unknown>>
}

/** What plugins add to the tables of a project. */
export interface ProjectTablesSource {
  readonly reserved?: readonly ReservedHost[]
  readonly tables?: PluginTables
}

/** Reads them from the merged configuration of the project at `root`. `main` is its own file, the strongest. */
export function readProjectTables(
  merged: Table,
  main: Document,
  { root, reserved = [], tables = {} }: ProjectTablesSource & { readonly root: string },
  problems: Problems,
): ProjectTables {
  const top = new Spot(problems, [], merged)
  const project = readProject(top.inside('project', own(merged, 'project')), main, { root, reserved }, problems)
  const projects = readKey(top, merged, projectsKey) ?? {}
  if (Object.hasOwn(projects, project.name))
    problems.add(['projects', project.name], { message: 'has the name of this project: use another name' })
  return {
    ...{ ...project, projects },
    tables: readPluginTables(merged, tables, problems),
    env: readKey(top, merged, envKey) ?? {},
    routes: readKey(top, merged, routesKey) ?? [],
    pluginsNeeded: readKey(top, merged, pluginsKey) ?? {},
  }
}

function readProject(
  spot: Spot,
  main: Document,
  { root, reserved }: { readonly root: string; readonly reserved: readonly ReservedHost[] },
  problems: Problems,
): Pick<ProjectTables, 'name' | 'domain' | 'wildcard'> {
  const table = spot.value === undefined ? {} : (readTable(spot, Object.keys(projectKeys)) ?? {})
  const wildcard = readKey(spot, table, projectKeys.wildcard)
  const fallback = labelOf(basename(root))
  const project = own(main.data, 'project')
  // A weaker layer has no name; a [project] that is no table was reported already.
  const given = isTable(project) ? own(project, 'name') : undefined
  if (main.role === 'project' && given === undefined && (project === undefined || isTable(project))) {
    problems.add(['project', 'name'], {
      document: main,
      message: 'missing key',
      hint: `Write [project] with name = "${fallback}".`,
    })
  }
  const name = given === undefined ? fallback : (readName(spot.inside('name', given)) ?? fallback)
  const domain = `${name}.localhost`
  const written = own(table, 'domain') === undefined ? undefined : readKey(spot, table, projectKeys.domain)
  if (written !== undefined) {
    refuseReserved(spot.inside('domain', written), written, reserved)
    return { name, domain: written, wildcard }
  }
  const holder = reserved.find(({ host }) => host === domain)
  if (holder !== undefined && own(table, 'domain') === undefined) {
    spot.inside('name', name).wrong(`its domain would be ${domain}, which is the ${holder.what}'s`, {
      hint: 'Choose another name, or a [project] domain.',
    })
  }
  return { name, domain, wildcard }
}

function readName(spot: Spot): string | undefined {
  const name = readText(spot)
  if (name === undefined || isLabel(name)) return name
  return spot.wrong(`a project's name ${labelRule}`, { hint: `Use a name such as ${labelOf(name)}.` })
}

function refuseReserved(spot: Spot, domain: string, reserved: readonly ReservedHost[]): void {
  for (const { host, what } of reserved) {
    if (domain === host) spot.wrong(`is the ${what}'s`)
    else if (domain.endsWith(`.${host}`)) spot.wrong(`is below ${host}, the ${what}'s`)
  }
}

function readDomain(spot: Spot): string | undefined {
  const domain = readText(spot)
  if (domain === undefined) return undefined
  if (isReserved(domain)) {
    return spot.wrong('is reserved: other programs of this machine may rely on it', {
      hint: 'Choose a domain below localhost or test, such as shop.localhost.',
    })
  }
  if (isDomain(domain)) return domain
  return spot.wrong('must be a DNS name in lower case of at least two labels, such as shop.localhost')
}

function readProjects(spot: Spot): Readonly<Record<string, string>> {
  if (!isTable(spot.value)) return {}
  const folders: [string, string][] = []
  for (const [name, value] of Object.entries(spot.value)) {
    const entry = spot.inside(name, value)
    if (!isLabel(name)) entry.wrong(`a project's name ${labelRule}`)
    const folder = readText(entry, 'a folder such as "../services"')
    if (folder?.includes('\0')) entry.wrong('has a NUL character, which no path can hold')
    else if (folder !== undefined) folders.push([name, folder])
  }
  return Object.fromEntries(folders)
}

function readPlugins(spot: Spot): Readonly<Record<string, string>> {
  if (!isTable(spot.value)) return {}
  const needed: [string, string][] = []
  for (const [name, value] of Object.entries(spot.value)) {
    const entry = spot.inside(name, value)
    const range = readText(entry, 'a range of versions such as "^1.2"')
    if (range === undefined) continue
    if (validRange(range) !== null) needed.push([name, range])
    else entry.wrong('is not a range of versions', { hint: 'Write it as for npm: "^1.2", "1.x", "*".' })
  }
  return Object.fromEntries(needed)
}
