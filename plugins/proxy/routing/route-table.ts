import type { Catalog, CatalogEntry, CatalogProject, LocaldEvent } from '../../../kernel/contract/plugin.ts'
import { hostName } from '../message/host-name.ts'

/** What a host name and a path lead to. */
export type RouteMatch =
  | {
      readonly kind: 'service'
      readonly entry: CatalogEntry
      readonly path: string
      /** What was stripped from the front of the path. */
      readonly prefix: string | undefined
    }
  /** A project's domain that no service owns, or a route to a service that is not part of the running project. */
  | { readonly kind: 'unowned'; readonly project: CatalogProject; readonly service: string | undefined }
  | { readonly kind: 'unknown' }

interface PathRoute {
  /** Without a trailing slash; empty for all paths. */
  readonly prefix: string
  readonly service: string
  readonly entry: CatalogEntry | undefined
  readonly strip: boolean
}

interface HostRoutes {
  readonly entry: CatalogEntry | undefined
  readonly project: CatalogProject | undefined
  /** Whether unknown names below its own also lead here. */
  readonly wildcard: boolean
  /** Longest prefix first. */
  readonly routes: readonly PathRoute[]
}

const maxNames = 1024

/** Maps host names to services and routes: rebuilt by the first request after a change, never for each request. */
export class RouteTable {
  readonly #catalog: Catalog
  readonly #names = new Map<string, string>()
  #hosts: ReadonlyMap<string, HostRoutes> | undefined

  constructor(catalog: Catalog) {
    this.#catalog = catalog
  }

  /** Invalidates the table; to be called with each event. */
  handle(event: LocaldEvent): void {
    if (isChange(event)) this.#hosts = undefined
  }

  /** Returns what a host name (lower case, no port) and a path with its query lead to. */
  find(name: string, path: string): RouteMatch {
    this.#hosts ??= build(this.#catalog)
    const exact = this.#hosts.get(name)
    if (exact !== undefined) return matchPath(exact, path)
    // With `wildcard`, `*.api.shop.localhost` is api's and every other `*.shop.localhost` the project's, with its
    // routes.
    for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
      const host = this.#hosts.get(name.slice(dot + 1))
      if (host !== undefined) return host.wildcard ? matchPath(host, path) : { kind: 'unknown' }
    }
    return { kind: 'unknown' }
  }

  /** Returns the name in a Host header; cached, because clients send the same few. */
  nameOf(host: string): string | undefined {
    const known = this.#names.get(host)
    if (known !== undefined) return known
    const name = hostName(host)
    if (name === undefined) return undefined
    if (this.#names.size >= maxNames) this.#names.clear()
    this.#names.set(host, name)
    return name
  }

  /** Returns all host names of services and projects. */
  names(): string[] {
    this.#hosts ??= build(this.#catalog)
    return [...this.#hosts.keys()]
  }
}

function isChange(event: LocaldEvent): boolean {
  return event.event !== 'step' && event.event !== 'warning' && event.event !== 'notice'
}

function build(catalog: Catalog): Map<string, HostRoutes> {
  const hosts = new Map<string, HostRoutes>()
  const services = catalog.services()
  const projects = catalog.projects()
  const byKey = new Map(services.map(entry => [entry.key, entry]))
  const wild = new Set(projects.flatMap(({ name, wildcard }) => (wildcard === true ? [name] : [])))
  for (const entry of services) {
    for (const each of entry.hosts) {
      const name = each.toLowerCase()
      if (!hosts.has(name))
        hosts.set(name, { entry, project: undefined, wildcard: wild.has(entry.project), routes: [] })
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
    hosts.set(name, { entry: hosts.get(name)?.entry, project, wildcard: wild.has(project.name), routes })
  }
  return hosts
}

/** Returns a path without the prefix that it begins with. */
export function pathWithout(prefix: string, path: string): string {
  const rest = path.slice(prefix.length)
  return rest.startsWith('/') ? rest : `/${rest}`
}

function matchPath(host: HostRoutes, path: string): RouteMatch {
  const end = path.indexOf('?')
  const plain = end === -1 ? path : path.slice(0, end)
  for (const route of host.routes) {
    if (!plain.startsWith(route.prefix)) continue
    const next = plain.charAt(route.prefix.length)
    if (next !== '' && next !== '/') continue
    if (route.entry === undefined && host.project !== undefined)
      return { kind: 'unowned', project: host.project, service: route.service }
    if (route.entry === undefined) continue
    if (!route.strip || route.prefix === '') return { kind: 'service', entry: route.entry, path, prefix: undefined }
    return { kind: 'service', entry: route.entry, path: pathWithout(route.prefix, path), prefix: route.prefix }
  }
  if (host.entry !== undefined) return { kind: 'service', entry: host.entry, path, prefix: undefined }
  return host.project === undefined
    ? { kind: 'unknown' }
    : { kind: 'unowned', project: host.project, service: undefined }
}
