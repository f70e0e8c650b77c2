import type { Catalog, CatalogEntry, CatalogProject, LocaldEvent } from '../../../kernel/contract/plugin.ts'
import { hostName } from '../message/request-info.ts'

/** Where a request goes. */
export type Place =
  | {
      readonly to: 'service'
      readonly entry: CatalogEntry
      readonly path: string
      /** What was cut off the front of the path. */
      readonly prefix: string | undefined
    }
  /** A project's domain that no service owns, or a route to a service nobody started. */
  | { readonly to: 'nobody'; readonly project: CatalogProject; readonly service: string | undefined }
  | { readonly to: 'unknown' }

interface PathRoute {
  /** Without a trailing slash; empty for all paths. */
  readonly prefix: string
  readonly service: string
  readonly entry: CatalogEntry | undefined
  readonly strip: boolean
}

interface Site {
  readonly entry: CatalogEntry | undefined
  readonly project: CatalogProject | undefined
  /** Whether it answers for the unknown names below its own, too. */
  readonly wildcard: boolean
  /** Longest prefix first. */
  readonly routes: readonly PathRoute[]
}

const mostNames = 1024

/** Host names and what answers there: built at the first request after something changed, never for each request. */
export class Table {
  readonly #catalog: Catalog
  readonly #names = new Map<string, string>()
  #sites: ReadonlyMap<string, Site> | undefined

  constructor(catalog: Catalog) {
    this.#catalog = catalog
  }

  /** Takes note of an event that may have changed it; to be called with each. */
  hear(event: LocaldEvent): void {
    if (changes(event)) this.#sites = undefined
  }

  /** The place for a host name (lower case, no port) and a path with its query. */
  find(name: string, path: string): Place {
    this.#sites ??= build(this.#catalog)
    const own = this.#sites.get(name)
    if (own !== undefined) return placeAt(own, path)
    // With `wildcard`, `*.api.shop.localhost` is api's and every other `*.shop.localhost` the project's, with its routes.
    for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
      const site = this.#sites.get(name.slice(dot + 1))
      if (site !== undefined) return site.wildcard ? placeAt(site, path) : { to: 'unknown' }
    }
    return { to: 'unknown' }
  }

  /** The name in a Host header, remembered: clients send the same few. */
  nameOf(host: string): string | undefined {
    const known = this.#names.get(host)
    if (known !== undefined) return known
    const name = hostName(host)
    if (name === undefined) return undefined
    if (this.#names.size >= mostNames) this.#names.clear()
    this.#names.set(host, name)
    return name
  }

  /** All names something answers at. */
  names(): string[] {
    this.#sites ??= build(this.#catalog)
    return [...this.#sites.keys()]
  }
}

function changes(event: LocaldEvent): boolean {
  return event.event !== 'step' && event.event !== 'warning' && event.event !== 'notice'
}

function build(catalog: Catalog): Map<string, Site> {
  const sites = new Map<string, Site>()
  const services = catalog.services()
  const projects = catalog.projects()
  const byKey = new Map(services.map(entry => [entry.key, entry]))
  const wild = new Set(projects.flatMap(({ name, wildcard }) => (wildcard === true ? [name] : [])))
  for (const entry of services) {
    for (const host of entry.hosts) {
      const name = host.toLowerCase()
      if (!sites.has(name))
        sites.set(name, { entry, project: undefined, wildcard: wild.has(entry.project), routes: [] })
    }
  }
  for (const project of projects) {
    const name = project.domain.toLowerCase()
    const routes = project.routes
      .map(route => ({
        prefix: route.prefix.replace(/\/+$/, ''),
        service: route.service,
        entry: byKey.get(`${project.name}:${route.service}`),
        strip: route.stripPrefix,
      }))
      .sort((a, b) => b.prefix.length - a.prefix.length)
    sites.set(name, { entry: sites.get(name)?.entry, project, wildcard: wild.has(project.name), routes })
  }
  return sites
}

function placeAt(site: Site, path: string): Place {
  const end = path.indexOf('?')
  const plain = end === -1 ? path : path.slice(0, end)
  for (const route of site.routes) {
    if (!plain.startsWith(route.prefix)) continue
    const next = plain.charAt(route.prefix.length)
    if (next !== '' && next !== '/') continue
    if (route.entry === undefined && site.project !== undefined)
      return { to: 'nobody', project: site.project, service: route.service }
    if (route.entry === undefined) continue
    if (!route.strip || route.prefix === '') return { to: 'service', entry: route.entry, path, prefix: undefined }
    const rest = path.slice(route.prefix.length)
    return { to: 'service', entry: route.entry, path: rest.startsWith('/') ? rest : `/${rest}`, prefix: route.prefix }
  }
  if (site.entry !== undefined) return { to: 'service', entry: site.entry, path, prefix: undefined }
  return site.project === undefined ? { to: 'unknown' } : { to: 'nobody', project: site.project, service: undefined }
}
