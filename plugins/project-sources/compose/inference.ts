import { relative } from 'node:path'
import type { Detection, ProjectFolder, ServiceTables, Unsuitable } from '../../../kernel/contract/plugin.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import type { ComposeService } from './service/service.ts'
import { type ComposeModel, readCompose } from './translation.ts'

const toTranslate = '`locald init --from compose`'

/** The services of compose files that locald can run. */
interface Runnable {
  readonly services: readonly ComposeService[]
  readonly tables: ServiceTables
  readonly notes: readonly string[]
  /** All files that were read, and `.env`, relative to the project. */
  readonly watched: readonly string[]
}

/** Returns the services of a folder's compose files, with the services that locald cannot run as notes. */
export async function inferCompose(folder: ProjectFolder, file: string): Promise<Detection | Unsuitable> {
  const model = await readCompose(folder)
  const { tables, notes, watched } = runnable(model, folder)
  if (Object.keys(tables).length === 0)
    return {
      reason: `locald can run no service of ${file}: ${notes.join('; ')}`,
      hint: 'Run `locald init --from compose --dry-run` for all that it cannot do.',
    }
  const count = model.findings.dropped.length + model.findings.changed.length
  const differences = count === 1 ? '1 key of it works' : `${count} keys of it work`
  const more = `${differences} differently or not at all: ${toTranslate} writes a locald.toml and lists them`
  return { file, services: tables, notes: count === 0 ? notes : [...notes, more], watched, format: 'compose' }
}

/**
 * Adds the services of the compose files to those of another source, which depend on them, at the ports that compose
 * publishes: the program is configured for these. A note says why not where that is not possible.
 */
export async function addCompose(found: Detection, folder: ProjectFolder, file: string): Promise<Detection> {
  const withNotes = (notes: readonly string[]) => ({ ...found, notes: [...(found.notes ?? []), ...notes] })
  try {
    const model = await readCompose(folder)
    const all = runnable(model, folder)
    const reason = whyApart(all.services, found)
    if (reason !== undefined) return withNotes([`${file} is not used: ${reason}; ${toTranslate} translates it`])
    const { services, tables, notes, watched } = runnable(model, folder, await occupied(all.services, folder))
    const names = services.map(({ name }) => name)
    if (names.length === 0) return withNotes(notes.map(note => `${file}: ${note}`))
    const fixed = services.map(({ name, published }) => [
      name,
      { ...tables[name], ...(published === undefined ? {} : { port: published }) },
    ])
    const needed = services.filter(it => it.published !== undefined).map(({ name }) => name)
    return {
      ...withNotes([startedNote(names, needed, file), ...notes]),
      services: { ...withDependencies(found.services, needed), ...Object.fromEntries(fixed) },
      files: { ...found.files, ...Object.fromEntries(names.map(name => [name, file])) },
      watched: [...(found.watched ?? [found.file, ...Object.values(found.files ?? {})]), ...watched],
    }
  } catch (error) {
    if (!LocaldError.is(error)) throw error
    const [{ message, line } = { message: error.message, line: undefined }] = error.problems
    return withNotes([`${file} is not used: ${line === undefined ? '' : `line ${line}: `}${message}`])
  }
}

/** Returns why services are left out whose port something else has: `docker compose up`, or another worktree. */
async function occupied(
  services: readonly ComposeService[],
  folder: ProjectFolder,
): Promise<readonly (readonly [name: string, reason: string])[]> {
  const reasons = services.map(async ({ name, published }) => {
    const occupant = published === undefined ? undefined : await folder.portOccupant(published)
    if (occupant === undefined) return []
    const advice = occupant.isService ? `; for one of its own, run \`locald init\` and change its \`port\`` : ''
    const reason = `port ${published} is in use by ${occupant.name}, which the program uses${advice}`
    return [[name, reason] as const]
  })
  return (await Promise.all(reasons)).flat()
}

function startedNote(names: readonly string[], needed: readonly string[], file: string): string {
  const where = needed.length === 0 ? '' : `, at the port${needed.length === 1 ? '' : 's'} that compose publishes`
  return `${list(names)} of ${file} ${names.length === 1 ? 'is' : 'are'} started, too${where}`
}

/** Returns why the services of both do not go together; undefined where they do. */
function whyApart(services: readonly ComposeService[], found: Detection): string | undefined {
  const built = services.filter(({ isBuilt }) => isBuilt).map(({ name }) => name)
  if (built.length > 0) return `${list(built)} ${built.length === 1 ? 'is' : 'are'} built from a Dockerfile`
  const twice = services.map(({ name }) => name).filter(name => Object.hasOwn(found.services, name))
  return twice.length === 0 ? undefined : `${found.file} has a service ${list(twice)}, too`
}

function withDependencies(services: ServiceTables, needed: readonly string[]): ServiceTables {
  if (needed.length === 0) return services
  const conditions = Object.fromEntries(needed.map(name => [name, 'ready']))
  return Object.fromEntries(
    Object.entries(services).map(([name, table]) => [name, { ...table, depends_on: conditions }]),
  )
}

/**
 * Leaves out the services that need what locald does not have, and those for which another reason is given, with a note
 * for each.
 */
function runnable(
  { services, findings, read }: ComposeModel,
  folder: ProjectFolder,
  others: Iterable<readonly [name: string, reason: string]> = [],
): Runnable {
  const active = services.filter(({ isInactive }) => !isInactive)
  const reasons = new Map(others)
  for (const { key, message, at } of findings.refused) {
    const service = active.find(({ from }) => key === `services.${from}` || key.startsWith(`services.${from}.`))
    if (service === undefined || reasons.has(service.name)) continue
    const inner = key.slice(`services.${service.from}.`.length)
    reasons.set(service.name, `line ${at.line}: ${inner}: ${message}`)
  }
  const kept = active.filter(({ name }) => !reasons.has(name))
  const names = new Set(kept.map(({ name }) => name))
  const files = [...read, ...[`${folder.path}/.env`]]
  return {
    services: kept,
    tables: Object.fromEntries(kept.map(service => [service.name, toTable(service, names)])),
    notes: [...reasons].map(([name, reason]) => `${name} is not started: ${reason}`),
    watched: [...new Set(files)].map(path => relative(folder.path, path)),
  }
}

/** Makes the table of a service, without dependencies on services that are left out. */
function toTable({ entries }: ComposeService, names: ReadonlySet<string>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    entries.flatMap(({ key, value }) => {
      if (key !== 'depends_on' || typeof value !== 'object') return [[key, value]]
      const conditions = Object.entries(value).filter(([name]) => names.has(name))
      return conditions.length === 0 ? [] : [[key, Object.fromEntries(conditions)]]
    }),
  )
}

function list(names: readonly string[]): string {
  return new Intl.ListFormat('en', { type: 'conjunction' }).format(names)
}
