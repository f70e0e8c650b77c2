import { ownName } from '../../kernel/config/references/foreign-key.ts'
import { parseTemplate, type Reference, withSelfReference } from '../../kernel/config/references/interpolation.ts'
import { isSecretVariable } from '../../kernel/lib/secrets.ts'
import type { Notes } from './notes.ts'
import type { Project, Service } from './project.ts'
import type { Secrets } from './secrets.ts'

/** A reference to a variable of the place where the output runs. */
export interface Variable {
  readonly variable: string
  readonly fallback: Template
}

/** A text with references to variables. */
export type Template = readonly (string | Variable)[]

/** What other services of a project read of one, by the names of the fields: `url`, `host`, `port`. */
export type Exports = Readonly<Record<string, Template>>

/** What an environment is made of. */
export interface EnvironmentParts {
  readonly project: Project
  readonly secrets: Secrets
  readonly notes: Notes
  /** By service. */
  readonly exports: ReadonlyMap<string, Exports>
}

/** libpq's variables and the fields of a database that they have. */
const clientVariables = {
  PGHOST: 'host',
  PGPORT: 'port',
  PGUSER: 'user',
  PGPASSWORD: 'password',
  PGDATABASE: 'database',
}

/** Returns the variables of a service as the configuration sets them, secrets as references. Files are not part of it. */
export function environmentOf(service: Service, parts: EnvironmentParts): ReadonlyMap<string, Template> {
  const { project, notes, exports } = parts
  const env = new Map<string, Template>()
  const own = service.table['env']
  const tables = [
    [project.env, 'env'],
    [typeof own === 'object' && own !== null ? { ...own } : {}, `services.${service.name}.env`],
  ] as const
  for (const [table, at] of tables)
    for (const [name, value] of Object.entries(table)) {
      // Files are stronger than the project's table.
      if (at === 'env' && service.fromFiles.has(name)) continue
      const template = templateOf(name, String(value), `${at}.${name}`, parts)
      if (template !== undefined) env.set(name, template)
    }
  for (const [name, value] of service.fromFiles)
    if (/\$\{(?:services|projects?)\./.test(value))
      notes.dropped(
        `services.${service.name}.env`,
        `${name} in ${service.envFiles.join(' or ')} has a reference that only locald resolves: write its value there`,
      )
  const databases = [...service.dependsOn.keys()].filter(name => typeOf(project, name) === 'postgres')
  const fields = databases.length === 1 ? exports.get(databases[0] ?? '') : undefined
  const isOwn = (name: string) => env.has(name) || service.fromFiles.has(name)
  if (fields === undefined || service.type === 'postgres') return env
  const isElsewhere = isOwn('PGHOST') || isOwn('PGHOSTADDR') || isOwn('PGSERVICE')
  const added = { DATABASE_URL: 'url', ...(isElsewhere ? {} : clientVariables) }
  for (const [name, field] of Object.entries(added)) if (!isOwn(name)) env.set(name, fields[field] ?? [])
  return env
}

/** Returns a value with its references resolved; undefined, with a note, where one has no counterpart. */
function templateOf(name: string, text: string, key: string, parts: EnvironmentParts): Template | undefined {
  const { notes, secrets } = parts
  const hidden = secrets.hide(text)
  const parsed = parseTemplate(withSelfReference(name, hidden), true)
  const isLiteral = 'malformed' in parsed || parsed.some(part => typeof part === 'string' && part.trim() !== '')
  if (hidden !== text || (isSecretVariable(name) && isLiteral)) {
    notes.changed(key, `a secret is not written: set ${name} where it runs, such as in .env`)
    return isSecretVariable(name) || 'malformed' in parsed
      ? [{ variable: name, fallback: [] }]
      : join(parsed, key, parts)
  }
  return 'malformed' in parsed ? [text] : join(parsed, key, parts)
}

function join(parsed: readonly (string | Reference)[], key: string, parts: EnvironmentParts): Template | undefined {
  const template: (string | Variable)[] = []
  for (const part of parsed) {
    const resolved = typeof part === 'string' ? [part] : resolve(part, key, parts)
    if (resolved === undefined) return undefined
    template.push(...resolved)
  }
  return template
}

function resolve({ name, fallback, text }: Reference, key: string, parts: EnvironmentParts): Template | undefined {
  const { project, exports, notes } = parts
  if (name.of === 'project') return [project[name.field]]
  if (name.of === 'variable')
    return [{ variable: name.name, fallback: (fallback === undefined ? [] : join(fallback, key, parts)) ?? [] }]
  const value = exports.get(ownName(name.service, project.name))?.[name.field]
  if (value === undefined) notes.dropped(key, `${text} has no counterpart`)
  return value
}

function typeOf({ services }: Project, name: string): string | undefined {
  return services.find(service => service.name === name)?.type
}
