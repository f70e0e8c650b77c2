import { basename } from 'node:path'
import validRange from 'semver/ranges/valid.js'
import type { Route } from '../contract/plugin.ts'
import type { Document, Role } from './document.ts'
import { readEnv } from './fields/env.ts'
import { isDomain, isLabel, isReserved, labelOf, labelRule } from './fields/names.ts'
import { meantKey, readFlag, readTable, readText, unknown } from './fields/readers.ts'
import { type Problems, Spot } from './problems.ts'
import { isTable, kindOf, own, type Table } from './table.ts'

const projectTables = ['project', 'env', 'services', 'routes', 'plugins']
const layerTables = ['project', 'env', 'services', 'plugins']
const settingsTables = [...layerTables, 'proxy', 'ui']

const tablesOf: Readonly<Record<Role, readonly string[]>> = {
  settings: settingsTables,
  parent: layerTables,
  workspace: layerTables,
  project: projectTables,
  source: projectTables,
}

/** Host name of the dashboard: no project can have it, or one below it, whose pages could set the dashboard's cookies. */
const dashboardHost = 'locald.localhost'

/** Checks what only each file by itself shows: its top-level tables, and what belongs into another file. */
export function checkDocument(document: Document, problems: Problems): void {
  const known = tablesOf[document.role]
  for (const [key, value] of Object.entries(document.data)) {
    if (!known.includes(key)) problems.add([key], { document, message: misplaced(key, document.role) })
    else if (!isTable(value)) problems.add([key], { document, message: `must be a table, not ${kindOf(value)}` })
  }
  if (document.role === 'project' || document.role === 'source') return
  const project = own(document.data, 'project')
  if (isTable(project) && Object.hasOwn(project, 'name')) {
    problems.add(['project', 'name'], { document, message: "belongs in the project's own locald.toml" })
  }
}

function misplaced(key: string, role: Role): string {
  if (role !== 'project' && projectTables.includes(key)) return "belongs in the project's own locald.toml"
  if (role !== 'settings' && settingsTables.includes(key)) return "belongs in locald's own config.toml"
  return unknown('unknown key', meantKey(key, tablesOf[role]))
}

/** The tables of a configuration besides its services. */
export interface Frame {
  readonly name: string
  readonly domain: string
  readonly env: Readonly<Record<string, string>>
  readonly wildcard: boolean
  readonly routes: readonly Route[]
  readonly pluginsNeeded: Readonly<Record<string, string>>
}

/** Reads them from the merged configuration of the project at `root`. `main` is its own file, the strongest. */
export function readFrame(merged: Table, main: Document, root: string, problems: Problems): Frame {
  const spot = (key: string) => new Spot(problems, [key], own(merged, key))
  const { name, domain } = readProject(spot('project'), main, root, problems)
  return {
    name,
    domain,
    wildcard: readWildcard(spot('project')),
    env: readEnv(spot('env')),
    routes: readRoutes(spot('routes')),
    pluginsNeeded: readPlugins(spot('plugins')),
  }
}

function readProject(spot: Spot, main: Document, root: string, problems: Problems): { name: string; domain: string } {
  const table = spot.value === undefined ? {} : (readTable(spot, ['name', 'domain', 'wildcard']) ?? {})
  const fallback = labelOf(basename(root))
  const project = own(main.data, 'project')
  // Where the file's own [project] is no table that was told; where it has no name, that is to be told.
  const given = isTable(project) ? own(project, 'name') : undefined
  if (main.role === 'project' && given === undefined && (project === undefined || isTable(project))) {
    problems.add(['project', 'name'], {
      document: main,
      message: 'missing key',
      hint: `Write [project] with name = "${fallback}".`,
    })
  }
  const name = given === undefined ? fallback : (readName(spot.inside('name', given)) ?? fallback)
  const written = own(table, 'domain')
  if (written !== undefined) return { name, domain: readDomain(spot.inside('domain', written)) ?? `${name}.localhost` }
  if (`${name}.localhost` === dashboardHost) {
    spot.inside('name', name).wrong(`its domain would be ${dashboardHost}, which is the dashboard's`, {
      hint: 'Choose another name, or a [project] domain.',
    })
  }
  return { name, domain: `${name}.localhost` }
}

function readWildcard(spot: Spot): boolean {
  const value = isTable(spot.value) ? own(spot.value, 'wildcard') : undefined
  return value !== undefined && readFlag(spot.inside('wildcard', value)) === true
}

function readName(spot: Spot): string | undefined {
  const name = readText(spot)
  if (name === undefined || isLabel(name)) return name
  return spot.wrong(`a project's name ${labelRule}`, { hint: `For example: ${labelOf(name)}` })
}

function readDomain(spot: Spot): string | undefined {
  const domain = readText(spot)
  if (domain === undefined) return undefined
  if (domain === dashboardHost) return spot.wrong("is the dashboard's")
  if (domain.endsWith(`.${dashboardHost}`)) return spot.wrong(`is below ${dashboardHost}, the dashboard's`)
  if (isReserved(domain)) {
    return spot.wrong('is reserved: other programs of this machine may rely on it', {
      hint: 'Choose a domain below localhost or test, such as shop.localhost.',
    })
  }
  if (isDomain(domain)) return domain
  return spot.wrong('must be a DNS name in lower case of at least two labels, such as shop.localhost')
}

function readRoutes(spot: Spot): readonly Route[] {
  if (!isTable(spot.value)) return []
  const routes = new Map<string, Route>()
  for (const [written, value] of Object.entries(spot.value)) {
    const route = readRoute(spot.inside(written, value), written)
    if (route === undefined) continue
    if (routes.has(route.prefix))
      spot.inside(written, value).wrong('is there twice, with and without a slash at its end')
    routes.set(route.prefix, route)
  }
  return [...routes.values()]
}

function readRoute(spot: Spot, written: string): Route | undefined {
  const prefix = written.replace(/(?<=.)\/+$/, '')
  if (!written.startsWith('/')) return spot.wrong("a route must start with '/'")
  if (/[\s?#\0-\x1f]/.test(written)) return spot.wrong("a route is a path: no spaces, '?' or '#'")
  if (typeof spot.value === 'string') return { prefix, service: spot.value, stripPrefix: false }
  const table = readTable(
    spot,
    ['service', 'strip_prefix'],
    'the name of a service, or a table with service and strip_prefix',
  )
  if (table === undefined) return undefined
  const service = own(table, 'service')
  const strip = own(table, 'strip_prefix') ?? false
  const isStripped = readFlag(spot.inside('strip_prefix', strip)) === true
  if (service === undefined) return spot.inside('service', service).wrong('missing key')
  const name = readText(spot.inside('service', service), 'the name of a service')
  return name === undefined ? undefined : { prefix, service: name, stripPrefix: isStripped }
}

/** Plugins that the project needs, by name, with the range of versions. */
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
