import type { ContainerSandbox } from './containers.ts'
import { until } from './running.ts'
import { fetchFrom } from './web.ts'

/** What TOML has of JavaScript's values. */
export type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value }

/** Tables of services, by their names; the type is `container` where it has an image or is built. */
export type Services = Readonly<Record<string, Readonly<Record<string, Value>>>>

/** Returns a `locald.toml`. */
export function configuration(project: string, services: Services): string {
  const tables = Object.entries(services).map(([name, options]) => {
    const type = 'image' in options || 'build' in options ? { type: 'container' } : {}
    const lines = Object.entries({ ...type, ...options }).map(([key, value]) => `${key} = ${toml(value)}\n`)
    return `[services.${name}]\n${lines.join('')}`
  })
  return `[project]\nname = "${project}"\n${tables.join('')}`
}

/** The name of a service's container. Throws where there is none. */
export async function containerOf(sandbox: ContainerSandbox, project: string, service: string): Promise<string> {
  const all = await sandbox.containers()
  const found = all.find(({ name }) => name.startsWith(`locald-${project.replaceAll('-', '_')}-${service}-`))
  if (found === undefined) throw new Error(`no container of ${project}:${service} in ${JSON.stringify(all)}`)
  return found.name
}

/** What is served on a port of this machine; waits for the first answer. */
export async function textOf(port: number | null, path = '/'): Promise<string> {
  if (port === null) throw new Error('no port')
  const look = async () => await fetchFrom(port, 'localhost', path).catch(() => undefined)
  return (await until(`an answer of port ${port}`, look)).body
}

function toml(value: Value): string {
  if (isList(value)) return `[${value.map(toml).join(', ')}]`
  if (typeof value !== 'object') return JSON.stringify(value)
  return `{ ${Object.entries(value)
    .map(([key, each]) => `${JSON.stringify(key)} = ${toml(each)}`)
    .join(', ')} }`
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}
