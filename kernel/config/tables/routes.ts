import type { Route } from '../../contract/plugin.ts'
import type { Spot } from '../document/problems.ts'
import { isTable } from '../document/table.ts'
import { type Key, readKey, required, schemaOfTable, withDefault } from '../fields/keys.ts'
import { flag, readTable, readText, text } from '../fields/value-type.ts'

const service: Key<string> = {
  key: 'service',
  type: { ...text, read: spot => readText(spot, 'the name of a service') },
  absent: required,
  doc: 'The service that answers.',
}
const stripPrefix = withDefault(
  { key: 'strip_prefix', type: flag, doc: 'Whether the service sees the path without the prefix.' },
  false,
)
const targetKeys = [service, stripPrefix]

/** The table `[routes]` of a project. */
export const routesKey: Key<readonly Route[]> = {
  key: 'routes',
  type: {
    name: 'table',
    schema: {
      type: 'object',
      propertyNames: { pattern: '^/[^\\s?#]*$' },
      additionalProperties: { anyOf: [text.schema, schemaOfTable(targetKeys)] },
    },
    read: readRoutes,
  },
  doc: 'Paths on the project\'s domain that another service answers: { "/api" = "api" }. The longest prefix wins.',
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
  const names = targetKeys.map(({ key }) => key)
  const table = readTable(spot, names, `the name of a service, or a table with ${names.join(' and ')}`)
  if (table === undefined) return undefined
  const isStripped = readKey(spot, table, stripPrefix)
  const name = readKey(spot, table, service)
  return name === undefined ? undefined : { prefix, service: name, stripPrefix: isStripped }
}
