import type { HealthCheck } from '../../contract/plugin.ts'
import type { Spot } from '../document/problems.ts'
import { isTable, kindOf, own } from '../document/table.ts'
import { positiveDuration } from '../fields/duration.ts'
import { type Key, readKey, required, schemaOfTable, withDefault } from '../fields/keys.ts'
import { readTable, text, type ValueType, wordOf } from '../fields/value-type.ts'

const types = ['http', 'tcp', 'command', 'notify', 'log'] as const
type HealthType = (typeof types)[number]

const httpPath: ValueType<string> = { name: 'path', schema: { type: 'string', pattern: '^/\\S*$' }, read: readHttpPath }
const expression: ValueType<string> = { ...text, name: 'regular expression', read: readExpression }

const path = withDefault(
  { key: 'path', type: httpPath, doc: 'The path to request: healthy when the status is below 400.' },
  '/',
)
const command: Key<string> = {
  key: 'command',
  type: text,
  doc: 'Healthy when it exits with code 0. Run by sh in the folder and environment of the service.',
  absent: required,
}
const pattern: Key<string> = {
  key: 'pattern',
  type: expression,
  doc: 'A JavaScript regular expression: healthy from the first line of output that matches.',
  absent: required,
}
const interval = withDefault({ key: 'interval', type: positiveDuration, doc: 'The pause between two checks.' }, 1)
const timeout = withDefault(
  {
    key: 'timeout',
    type: positiveDuration,
    doc: 'How long a check may take. A command is then killed, with all processes that it started.',
  },
  1,
)

/** The keys of every health check. */
export const timeKeys = [interval, timeout] as const

/** The keys of each type of health check besides its type and times. */
const ownKeys: Readonly<Record<HealthType, readonly Key[]>> = {
  http: [path],
  tcp: [],
  command: [command],
  notify: [],
  log: [pattern],
}

/** Returns the keys of a type of health check besides the type. */
export function keysOfHealthCheck(type: HealthType): readonly Key[] {
  return [...ownKeys[type], ...timeKeys]
}

/** A table with a type, or a string, which is a command. */
export const healthCheck: ValueType<HealthCheck> = {
  name: 'table, or a command',
  schema: { anyOf: [text.schema, ...types.map(schemaOf)] },
  read: readHealthCheck,
}

function typeKey<T extends HealthType>(words: readonly T[]): Key<T> {
  return { key: 'type', type: wordOf(words), doc: 'How locald checks.', absent: required }
}

function schemaOf(type: HealthType) {
  return schemaOfTable([typeKey([type]), ...keysOfHealthCheck(type)])
}

function readHealthCheck(spot: Spot): HealthCheck | undefined {
  if (typeof spot.value === 'string') {
    const command = text.read(spot)
    const times = { interval: interval.value, intervalGiven: false, timeout: timeout.value }
    return command === undefined ? undefined : { type: 'command', command, ...times }
  }
  if (!isTable(spot.value))
    return spot.wrong(`must be a table with a type, or a command as a string, not ${kindOf(spot.value)}`)
  if (own(spot.value, 'type') === undefined) {
    return spot.inside('type', undefined).wrong(`missing key: one of ${types.map(type => `"${type}"`).join(', ')}`)
  }
  const type = readKey(spot, spot.value, typeKey(types))
  return type === undefined ? undefined : readTyped(spot, type)
}

function readTyped(spot: Spot, type: HealthType): HealthCheck | undefined {
  const table = readTable(spot, ['type', ...keysOfHealthCheck(type).map(({ key }) => key)]) ?? {}
  const times = {
    interval: readKey(spot, table, interval),
    intervalGiven: own(table, interval.key) !== undefined,
    timeout: readKey(spot, table, timeout),
  }
  switch (type) {
    case 'http':
      return { type, path: readKey(spot, table, path), ...times }
    case 'command': {
      const value = readKey(spot, table, command)
      return value === undefined ? undefined : { type, command: value, ...times }
    }
    case 'log': {
      const value = readKey(spot, table, pattern)
      return value === undefined ? undefined : { type, pattern: value, ...times }
    }
    default:
      return { type, ...times }
  }
}

function readHttpPath(spot: Spot): string | undefined {
  const path = text.read(spot)
  if (path === undefined) return undefined
  if (!path.startsWith('/')) return spot.wrong("must start with '/'")
  return /[\s\0-\x1f]/.test(path)
    ? spot.wrong('must not have spaces or control characters: write %20 for a space')
    : path
}

function readExpression(spot: Spot): string | undefined {
  const pattern = text.read(spot)
  if (pattern === undefined) return undefined
  try {
    new RegExp(pattern)
    return pattern
  } catch {
    return spot.wrong('is not a valid JavaScript regular expression')
  }
}
