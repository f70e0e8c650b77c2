import { resolve } from 'node:path'
import { shortName } from '../../config/document/document.ts'
import { formatProblems } from '../../config/document/problems.ts'
import type { Path } from '../../config/document/table.ts'
import {
  interpolate,
  interpolateLeniently,
  type Scope,
  withSelfReference,
} from '../../config/references/interpolation.ts'
import { type DotenvEntries, EnvFiles } from '../../config/sources/env-files.ts'
import { Trust } from '../../config/trust/trust.ts'
import type { ProjectPlan, ServicePlan } from '../../contract/plugin.ts'
import { LocaldError } from '../../errors.ts'
import { shellPart } from './shell.ts'

export { interpolate, type Scope } from '../../config/references/interpolation.ts'
export { shellPart } from './shell.ts'

/** Where a variable comes from, weakest first. */
export type EnvLayer = 'shell' | 'project' | '.env' | 'env_file' | 'service' | 'locald'

/** What set a variable: a file and line where it is one. */
export interface EnvOrigin {
  readonly layer: EnvLayer
  readonly file: string | null
  readonly line: number | null
}

/** Finds the file (absolute) and the 1-based line of a path of the configuration; nulls for a default. */
export type Locate = (path: Path) => Promise<{ readonly file: string | null; readonly line: number | null }>

export interface EnvironmentInput {
  /** The environment of the caller's shell. */
  readonly shell: Readonly<Record<string, string | undefined>>
  readonly plan: ProjectPlan
  readonly service: ServicePlan
  /** Set by locald and its plugins: PORT and the like. The strongest layer; `${PORT}` reads it. */
  readonly own: Readonly<Record<string, string>>
  /** Set by locald unless a stronger layer than the shell does: a HOST of the project's wins. */
  readonly defaults?: Readonly<Record<string, string>>
  /** The value of `${services.NAME.FIELD}`. */
  lookup(service: string, field: string): string | undefined
  /** For messages with file and line. */
  readonly locate?: Locate
  /** Whether it is for a guest: the shell's variables can be referred to, and are not part of its environment. */
  readonly isGuest?: boolean
  /** Reads `.env` and `env_file`; default: a reader that trusts no allowed files. */
  readonly envFiles?: EnvFiles | undefined
}

/** A service's environment. */
export interface Environment {
  readonly env: Readonly<Record<string, string>>
  /** Which layer set each. */
  readonly layers: ReadonlyMap<string, EnvLayer>
  /** Variables whose value in a file or table is ignored, as locald sets another one. */
  readonly overruled: readonly Overruled[]
  /** Finds where each comes from, the strongest place first, then those that it overrides; takes a while. */
  origins(): Promise<ReadonlyMap<string, readonly EnvOrigin[]>>
}

/** A variable whose written value is ignored, and its place. */
export interface Overruled {
  readonly name: string
  readonly origin: () => Promise<EnvOrigin>
}

interface Value {
  readonly text: string
  readonly layer: EnvLayer
  readonly origin: () => Promise<EnvOrigin>
  /** The value that it overrides. */
  readonly under?: Value | undefined
}

/** The keeper sets this for each process and overrides any other value. */
const ofKeeper = 'NOTIFY_SOCKET'

/** Same-layer references above which a chain is refused. */
const chainLimit = 500

/**
 * Assembles a service's environment, weakest layer first: shell, locald's defaults, project `env`, `.env`, files of the
 * `up`, `env_file`, the service's `env`, what locald sets. In `env` every reference must resolve; in files unknown
 * references stay as written, and single-quoted values are literal. ENV_UNRESOLVED names service, key, file and line of
 * each unresolved reference, never a value; CONFIG_UNREADABLE and CONFIG_INVALID report files that cannot be read or do
 * not exist.
 */
export async function environmentOf(input: EnvironmentInput): Promise<Environment> {
  const { plan, service, own, defaults = {}, isGuest = false } = input
  const files = await readFiles(input)
  const values = new Map<string, Value>()
  const anonymous = (layer: EnvLayer) => async () => ({ layer, file: null, line: null })
  for (const [name, text] of Object.entries(shellPart(input.shell)))
    lay(values, name, { text, layer: 'shell', origin: anonymous('shell') })
  for (const [name, text] of Object.entries(defaults))
    lay(values, name, { text, layer: 'locald', origin: anonymous('locald') })
  const later = new Set([...files.flatMap(({ entries }) => [...entries.keys()]), ...Object.keys(service.common.env)])
  const faults = await addTable(input, values, { layer: 'project', table: plan.env, path: ['env'], later })
  for (const file of files) addFile(input, values, file)
  const path = ['services', service.name, 'env']
  faults.push(
    ...(await addTable(input, values, { layer: 'service', table: service.common.env, path, later: new Set() })),
  )
  if (faults.length > 0) throw mergeErrors(faults, plan.path)
  const overruled = [...Object.keys(own), ...(isGuest ? [] : [ofKeeper])].flatMap(name => {
    const written = values.get(name)
    if (written === undefined || written.layer === 'shell' || written.text === own[name]) return []
    return [{ name, origin: written.origin }]
  })
  for (const [name, text] of Object.entries(own))
    lay(values, name, { text, layer: 'locald', origin: anonymous('locald') })
  if (isGuest) for (const [name, { layer }] of [...values]) if (layer === 'shell') values.delete(name)
  return {
    overruled,
    env: Object.fromEntries([...values].map(([name, { text }]) => [name, text])),
    layers: new Map([...values].map(([name, { layer }]) => [name, layer])),
    origins: async () =>
      new Map(await Promise.all([...values].map(async ([name, value]) => [name, await originsOf(value)] as const))),
  }
}

/** Lays a stronger value over the one of that name. */
function lay(values: Map<string, Value>, name: string, value: Value): void {
  values.set(name, { ...value, under: values.get(name) })
}

async function originsOf({ origin, under }: Value): Promise<readonly EnvOrigin[]> {
  return [await origin(), ...(under === undefined ? [] : await originsOf(under))]
}

/** Returns what all of them resolve to. Waits for all, and throws their failures as one error. */
export async function resolveAll<T>(tries: readonly Promise<T>[], root: string): Promise<T[]> {
  const all = await Promise.allSettled(tries)
  const faults = all.flatMap(each => (each.status === 'rejected' ? [LocaldError.from(each.reason)] : []))
  if (faults.length > 0) throw mergeErrors(faults, root)
  return all.flatMap(each => (each.status === 'fulfilled' ? [each.value] : []))
}

/** Merges errors of environments into one that lists them all. An error of another kind takes precedence. */
function mergeErrors(errors: readonly LocaldError[], root: string): LocaldError {
  const unique = new Map(errors.flatMap(({ problems }) => problems).map(each => [JSON.stringify(each), each]))
  const other = errors.find(({ code }) => code !== 'ENV_UNRESOLVED') ?? (unique.size <= 1 ? errors[0] : undefined)
  const problems = [...unique.values()].sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
  return (
    other ??
    new LocaldError('ENV_UNRESOLVED', formatProblems(problems, root), {
      hint: 'Set each of them, or write a default after `:-`. Nothing was changed.',
      problems,
    })
  )
}

interface EnvFile {
  readonly layer: '.env' | 'env_file'
  readonly file: string
  readonly entries: DotenvEntries
}

async function readFiles({ plan, service, locate, envFiles }: EnvironmentInput): Promise<readonly EnvFile[]> {
  const files = envFiles ?? new EnvFiles({ trust: new Trust(), root: plan.path })
  const implicit = resolve(plan.path, '.env')
  const first = async (): Promise<EnvFile[]> => {
    const entries = await files.read(implicit, true)
    return entries === undefined ? [] : [{ layer: '.env', file: implicit, entries }]
  }
  const listed = async (written: string, index: number): Promise<EnvFile[]> => {
    const file = resolve(plan.path, written)
    const entries = await files.read(file, false)
    if (entries !== undefined) return [{ layer: 'env_file', file, entries }]
    const path = ['services', service.name, 'env_file']
    const { file: where, line } = locate === undefined ? nowhere : await locate([...path, index])
    const fault = `file '${written}' does not exist`
    const message = `service '${service.name}': ${place(where, line, plan.path)}${path.join('.')}: ${fault}`
    throw new LocaldError('CONFIG_INVALID', message, {
      service: service.name,
      problems: [problem(fault, where, line, path)],
    })
  }
  const added = (plan.envFiles ?? []).map(async (file): Promise<EnvFile[]> => {
    const entries = await files.read(file, false)
    if (entries !== undefined) return [{ layer: 'env_file', file, entries }]
    throw new LocaldError('CONFIG_INVALID', `file '${file}' of --env-file does not exist`, {
      hint: 'Create it, or run `locald up` without it.',
    })
  })
  return (await Promise.all([first(), ...added, ...service.common.envFile.map(listed)])).flat()
}

/** Applies a `.env` file to the values: each entry may refer to weaker values and to the entries above it. */
function addFile(input: EnvironmentInput, values: Map<string, Value>, { layer, file, entries }: EnvFile): void {
  const scope = scopeOf(input, name => values.get(name)?.text)
  for (const [name, { value, literal, line }] of entries) {
    const text = literal ? value : interpolateLeniently(withSelfReference(name, value), scope)
    lay(values, name, { text, layer, origin: async () => ({ layer, file, line }) })
  }
}

interface EnvTable {
  readonly layer: 'project' | 'service'
  readonly table: Readonly<Record<string, string>>
  readonly path: Path
  /** Names that only stronger layers set: for hints. */
  readonly later: ReadonlySet<string>
}

/**
 * Lays an `env` table over the values: each key sees its siblings in any order, and for itself the weaker value.
 * Returns the errors; a key that only depends on a faulty one is not listed.
 */
async function addTable(input: EnvironmentInput, values: Map<string, Value>, env: EnvTable): Promise<LocaldError[]> {
  const { layer, table, path } = env
  const resolved = new Map<string, string>()
  const chain: string[] = []
  let missing: string | undefined
  const scope = scopeOf(input, name => {
    const found = Object.hasOwn(table, name) && chain.at(-1) !== name ? settle(name) : values.get(name)?.text
    if (found === undefined) missing = name
    return found
  })
  const settle = (name: string): string => {
    const known = resolved.get(name)
    if (known !== undefined) return known
    if (chain.includes(name)) {
      const around = [...chain.slice(chain.indexOf(name)), name].join(' → ')
      throw new LocaldError('ENV_UNRESOLVED', `refers to itself: ${around}`, {
        hint: 'Remove one of these references.',
      })
    }
    if (chain.length >= chainLimit) throw new LocaldError('ENV_UNRESOLVED', `refers to more than ${chainLimit} others`)
    chain.push(name)
    const text = interpolate(withSelfReference(name, table[name] ?? ''), scope)
    chain.pop()
    resolved.set(name, text)
    return text
  }
  const faults: LocaldError[] = []
  for (const name of Object.keys(table)) {
    try {
      settle(name)
    } catch (error) {
      faults.push(await explainError(input, env, chain.at(-1) ?? name, LocaldError.from(error), missing))
      for (const each of chain.splice(0)) resolved.set(each, '')
    }
  }
  const locate = input.locate
  for (const [name, text] of resolved) {
    const origin = async () => ({ layer, ...(locate === undefined ? nowhere : await locate([...path, name])) })
    lay(values, name, { text, layer, origin })
  }
  return faults
}

const nowhere = { file: null, line: null } as const

/** Returns what references may read, locald's own values first. */
function scopeOf({ plan, own, lookup }: EnvironmentInput, weaker: (name: string) => string | undefined): Scope {
  return {
    project: { name: plan.name, domain: plan.domain },
    variable: name => (Object.hasOwn(own, name) ? own[name] : weaker(name)),
    service: (service, field) => lookup(service, field),
  }
}

/** Adds the service, key, file and line to an error. */
async function explainError(
  { plan, service, locate }: EnvironmentInput,
  { path, later }: EnvTable,
  name: string,
  error: LocaldError,
  missing: string | undefined,
): Promise<LocaldError> {
  if (error.code !== 'ENV_UNRESOLVED') return error
  const { file, line } = locate === undefined ? nowhere : await locate([...path, name])
  const key = [...path, name].join('.')
  const isLater = missing !== undefined && later.has(missing) && error.message === `\${${missing}} is not set`
  const message = `service '${service.name}': ${place(file, line, plan.path)}${key}: ${error.message}`
  const hint = isLater ? `Move '${name}' to the stronger layer that sets ${missing}: [env] cannot see it.` : error.hint
  return new LocaldError('ENV_UNRESOLVED', message, {
    service: service.name,
    ...(hint === undefined ? {} : { hint }),
    problems: [{ ...problem(error.message, file, line, [...path, name]), ...(hint === undefined ? {} : { hint }) }],
  })
}

function place(file: string | null, line: number | null, root: string): string {
  return file === null ? '' : `${shortName(file, root)}${line === null ? '' : `:${line}`}: `
}

function problem(message: string, file: string | null, line: number | null, path: Path) {
  return { message, key: path.join('.'), ...(file === null ? {} : { file }), ...(line === null ? {} : { line }) }
}
