import { constants } from 'node:os'
import type { CommonOptions, Condition } from '../../contract/plugin.ts'
import { closest } from '../../system/suggest.ts'
import type { Spot } from '../document/problems.ts'
import { isTable, kindOf, type Table } from '../document/table.ts'
import { duration, durationFrom, positiveDuration } from '../fields/duration.ts'
import { env } from '../fields/env.ts'
import { type Key, readKey, withDefault } from '../fields/keys.ts'
import { withSuggestion } from '../fields/suggestions.ts'
import { flag, readText, readTexts, text, textsSchema, type ValueType, wordOf } from '../fields/value-type.ts'
import { faultOf } from '../fields/watch-patterns.ts'
import { foreignRule, isForeignKey, parseForeignKey } from '../references/foreign-key.ts'
import { commands } from './commands.ts'
import { healthCheck } from './health-check.ts'

const port: ValueType<number> = {
  name: 'number, 1 to 65535',
  schema: { type: 'integer', minimum: 1, maximum: 65535 },
  read: readPort,
}

const files: ValueType<readonly string[]> = {
  name: 'file, or array of files',
  schema: { anyOf: [text.schema, textsSchema] },
  read: readFiles,
}

const condition = wordOf(['ready', 'started', 'completed'] as const satisfies readonly Condition[])
const dependencies: ValueType<Readonly<Record<string, Condition>>> = {
  name: 'array of services, or table',
  schema: { anyOf: [textsSchema, { type: 'object', additionalProperties: condition.schema }] },
  read: readDependencies,
}

const signal: ValueType<string> = {
  name: 'name of a signal',
  schema: { type: 'string', pattern: '^[A-Za-z][A-Za-z0-9+]*$' },
  read: readSignal,
}

const patterns: ValueType<readonly string[]> = {
  name: 'array of glob patterns',
  schema: textsSchema,
  read: readPatterns,
}

/** A shorter time would stop what a page has just used. */
const idle = durationFrom(1000)

/** The key that decides on which others a service may have. */
export const typeKey: Key<string> = {
  key: 'type',
  type: { ...text, read: readType },
  doc: "The service's type.",
}

/** The other keys that a service of every type may have, in the order of the documentation. */
export const serviceKeys = {
  workdir: {
    key: 'workdir',
    type: { ...text, name: 'folder' },
    absent: "the project's root",
    doc: "The working folder, relative to the project's root. Default: the root.",
  },
  port: {
    key: 'port',
    type: port,
    absent: 'assigned',
    doc: 'A fixed port. Default: an assigned one that stays the same. The service must listen on $PORT.',
  },
  env: {
    key: 'env',
    type: env,
    absent: 'none',
    doc: `Environment of this service. Values may hold \${VAR}, \${VAR:-default}, \${VAR:?message}, \${services.NAME.port|host|url|ports.N}, \${projects.PROJECT.NAME.port|host|url|ports.N}, \${project.name|domain}; $\${ is a literal \${.`,
  },
  envFile: {
    key: 'env_file',
    type: files,
    absent: 'none',
    doc: "Files of variables, relative to the project's root; stronger than .env, which is read anyway.",
  },
  dependsOn: {
    key: 'depends_on',
    type: dependencies,
    absent: 'none',
    doc: 'Services that must be ready first: ["db"], or { db = "ready", seed = "completed", cache = "started" }. PROJECT:SERVICE is one of another project.',
  },
  healthCheck: {
    key: 'health_check',
    type: healthCheck,
    absent: 'its port answers',
    doc: 'How locald knows that the service is ready. A string is a command. Default: its port accepts connections.',
  },
  readyTimeout: withDefault(
    { key: 'ready_timeout', type: positiveDuration, doc: 'How long the service may take to become ready.' },
    30,
  ),
  restart: withDefault(
    {
      key: 'restart',
      type: wordOf(['no', 'on-failure', 'always'] as const),
      doc: 'Whether the service is started again after it exited.',
    },
    'on-failure',
  ),
  stopSignal: withDefault(
    { key: 'stop_signal', type: signal, doc: 'The signal that asks the service to exit.' },
    'SIGTERM',
  ),
  stopTimeout: withDefault(
    { key: 'stop_timeout', type: duration, doc: 'How long it may take to exit then, before its whole tree is killed.' },
    5,
  ),
  idle: {
    key: 'idle',
    type: idle,
    absent: 'never',
    doc: 'Stop the service when it was not used for so long, at least 1 s; the next request starts it. 0: never.',
  },
  watch: {
    key: 'watch',
    type: patterns,
    absent: 'none',
    doc: "Glob patterns, relative to the project's root: a change of a file that matches restarts the service.",
  },
  hidden: withDefault(
    { key: 'hidden', type: flag, doc: 'true: lists show it only when it has failed, is named, or with --all.' },
    false,
  ),
  commands: {
    key: 'commands',
    type: commands,
    absent: 'none',
    doc: 'Commands of the service, by name, for `locald run SERVICE NAME`, and for agents.',
  },
} satisfies Readonly<Record<Exclude<keyof CommonOptions, 'foreign'>, Key>>

/** All keys that a service of every type may have. */
export const commonKeys: readonly Key[] = [typeKey, ...Object.values(serviceKeys)]

/** Their names. */
export const commonKeyNames: readonly string[] = commonKeys.map(({ key }) => key)

/** Reads the common keys of a service's table and notes wrong values. */
export function readCommon(service: Spot, table: Table): CommonOptions {
  const keys = serviceKeys
  const own = readKey(service, table, keys.commands)
  return {
    workdir: readKey(service, table, keys.workdir),
    port: readKey(service, table, keys.port),
    env: readKey(service, table, keys.env) ?? {},
    envFile: readKey(service, table, keys.envFile) ?? [],
    dependsOn: readKey(service, table, keys.dependsOn) ?? {},
    healthCheck: readKey(service, table, keys.healthCheck),
    readyTimeout: readKey(service, table, keys.readyTimeout),
    restart: readKey(service, table, keys.restart),
    stopSignal: readKey(service, table, keys.stopSignal),
    stopTimeout: readKey(service, table, keys.stopTimeout),
    watch: readKey(service, table, keys.watch) ?? [],
    idle: readKey(service, table, keys.idle) || undefined,
    ...(readKey(service, table, keys.hidden) ? { hidden: true } : {}),
    ...(own === undefined || Object.keys(own).length === 0 ? {} : { commands: own }),
  }
}

function readType(spot: Spot): string | undefined {
  const { value } = spot
  if (typeof value === 'string' && value !== '') return value
  return spot.wrong(`must be the name of a service type, not ${value === '' ? 'empty' : kindOf(value)}`)
}

function readPort(spot: Spot): number | undefined {
  const { value } = spot
  if (typeof value !== 'number') return spot.wrong(`must be a number from 1 to 65535, not ${kindOf(value)}`)
  return Number.isInteger(value) && value >= 1 && value <= 65535
    ? value
    : spot.wrong('must be a whole number from 1 to 65535')
}

function readFiles(spot: Spot): readonly string[] | undefined {
  if (typeof spot.value !== 'string') return readTexts(spot, 'a file or an array of files')
  const file = text.read(spot)
  return file === undefined ? undefined : [file]
}

function readDependencies(spot: Spot): Readonly<Record<string, Condition>> | undefined {
  if (isTable(spot.value)) {
    const conditions = Object.entries(spot.value).flatMap(([name, value]) => {
      const entry = spot.inside(name, value)
      return isDependency(entry, name) ? [[name, condition.read(entry) ?? 'ready'] as const] : []
    })
    return Object.fromEntries(conditions)
  }
  const listed = readTexts(spot, 'an array of services, or a table such as { db = "ready" }')
  if (listed === undefined) return undefined
  const named = listed.filter((name, index) => isDependency(spot.inside(index, name), name))
  return Object.fromEntries(named.map(name => [name, 'ready'] as const))
}

/** Whether a name may be that of a service, here or in another project; notes what is wrong with one of another. */
function isDependency(spot: Spot, name: string): boolean {
  if (!isForeignKey(name) || parseForeignKey(name) !== undefined) return true
  spot.wrong(foreignRule)
  return false
}

function readSignal(spot: Spot): string | undefined {
  const given = readText(spot, 'the name of a signal')
  if (given === undefined) return undefined
  const upper = given.toUpperCase()
  const name = upper.startsWith('SIG') ? upper : `SIG${upper}`
  if (Object.hasOwn(constants.signals, name)) return name
  return spot.wrong(withSuggestion('unknown signal', closest(name, Object.keys(constants.signals))))
}

function readPatterns(spot: Spot): readonly string[] | undefined {
  const patterns = readTexts(spot, 'an array of glob patterns')
  const fault = patterns === undefined ? undefined : faultOf(patterns)
  return fault === undefined ? patterns : spot.wrong(fault)
}
