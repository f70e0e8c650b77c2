import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Sandbox } from './sandbox.ts'

/** A web server that counts its starts, and prints what it got. */
const server = `
import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'
appendFileSync(process.env.NAME + '.starts', 'x')
console.log(process.env.NAME, 'got', process.env.GOT ?? 'nothing', 'in', process.cwd())
createServer((_, response) => response.end('ok')).listen(process.env.PORT, '127.0.0.1')
`

/** Further keys of a service; `needs` are its dependencies, `got` is a text with references. */
export interface ServerKeys {
  readonly needs?: readonly string[]
  readonly got?: string
  readonly more?: string
}

/** Writes a project with servers; `more` are further tables. */
export function foreignProject(
  box: Sandbox,
  name: string,
  services: Readonly<Record<string, ServerKeys>>,
  more = '',
): string {
  return box.project(name, { 'locald.toml': foreignToml(name, services, more), 'server.mjs': server })
}

/** Returns the configuration of such a project. */
export function foreignToml(name: string, services: Readonly<Record<string, ServerKeys>>, more = ''): string {
  const tables = Object.entries(services).map(([service, { needs = [], got, more: keys = '' }]) => {
    const env = { NAME: service, ...(got === undefined ? {} : { GOT: got }) }
    const pairs = Object.entries(env).map(([key, value]) => `${key} = ${JSON.stringify(value)}`)
    const depends = needs.length === 0 ? '' : `depends_on = ${JSON.stringify(needs)}\n`
    return `[services.${service}]\ncommand = "exec node server.mjs"\n${depends}env = { ${pairs.join(', ')} }\n${keys}`
  })
  return `[project]\nname = "${name}"\n${more}\n${tables.join('')}`
}

/** Counts the starts of a service. */
export function startsOf(folder: string, service: string): number {
  return readFileSync(join(folder, `${service}.starts`)).length
}
