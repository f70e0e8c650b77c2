import { LocaldError } from '../../../../kernel/errors.ts'
import type { ExchangeView } from '../../provides.ts'
import { pathGlob } from './path-glob.ts'

/** Which exchanges a client wants. */
export interface ExchangeQuery {
  /** Keys, or names of services. */
  readonly service?: string | readonly string[] | undefined
  /** `404`, `5xx`, or `error` for those without a whole response. */
  readonly status?: string | undefined
  readonly method?: string | undefined
  /** A glob for the path without its query. */
  readonly path?: string | undefined
  /** A text in method, host, path, service or status. */
  readonly q?: string | undefined
}

/** Returns whether an exchange fits a query. Throws USAGE for a status that is none. */
export function filterOf({ service, status, method, path, q }: ExchangeQuery): (view: ExchangeView) => boolean {
  const services = new Set([service ?? []].flat())
  const hasStatus = status === undefined ? () => true : statusFilter(status)
  const hasPath = path === undefined ? () => true : pathGlob(path)
  const text = q?.toLowerCase()
  return view =>
    (services.size === 0 || isOf(view, services)) &&
    hasStatus(view) &&
    (method === undefined || view.method.toLowerCase() === method.toLowerCase()) &&
    hasPath(view.path.replace(/\?.*$/s, '')) &&
    (text === undefined ||
      `${view.method} ${view.host}${view.path} ${view.service} ${view.status}`.toLowerCase().includes(text))
}

function isOf({ service }: ExchangeView, services: ReadonlySet<string>): boolean {
  return service !== null && (services.has(service) || services.has(service.slice(service.indexOf(':') + 1)))
}

function statusFilter(status: string): (view: ExchangeView) => boolean {
  if (status === 'error') return ({ error }) => error !== null
  if (!/^[1-9](?:xx|\d\d)$/i.test(status))
    throw new LocaldError('USAGE', `'${status}' is not a status`, { hint: 'Use a number such as 404, or 5xx.' })
  const pattern = new RegExp(`^${status.toLowerCase().replaceAll('x', '\\d')}$`)
  return view => view.status !== null && pattern.test(String(view.status))
}

/** Returns the last so many rows; undefined: all. */
export function latestOf(rows: readonly ExchangeView[], tail: number | undefined): ExchangeView[] {
  return rows.slice(tail === undefined ? 0 : Math.max(0, rows.length - tail))
}
