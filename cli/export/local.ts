import type { Exports, Template } from './environment.ts'
import type { Service } from './project.ts'

/** The port of Postgres, which is not part of what runs only commands. */
export const postgresPort = 5432

/** Returns what other services read of one that runs on this machine, outside of a container. */
export function localExports({ type, table }: Service, port: number | undefined): Exports {
  const host: Template = ['127.0.0.1']
  if (type === 'postgres') {
    const database = String(Array.isArray(table['databases']) ? table['databases'][0] : 'postgres')
    const url = [`postgresql://postgres@127.0.0.1:${postgresPort}/${encodeURIComponent(database)}`]
    return { host, port: [String(postgresPort)], url, user: ['postgres'], password: [], database: [database] }
  }
  return port === undefined ? { host } : { host, port: [String(port)], url: [`http://127.0.0.1:${port}`] }
}
