import type { HealthCheck } from '../../contract/plugin.ts'
import type { Spot } from '../problems.ts'
import { isTable, kindOf, own } from '../table.ts'
import { readPositive } from './duration.ts'
import { readTable, readText, readWord } from './readers.ts'

export const healthTypes = ['http', 'tcp', 'command', 'notify', 'log'] as const
type HealthType = (typeof healthTypes)[number]

/** What applies where a key is absent, as it would be written; times in seconds. */
export const healthDefaults = { interval: 1, timeout: 1, path: '/' } as const

/** The keys that each type of check has besides its type and times. */
export const healthKeys: Readonly<Record<HealthType, readonly string[]>> = {
  http: ['path'],
  tcp: [],
  command: ['command'],
  notify: [],
  log: ['pattern'],
}

type Times = Pick<HealthCheck, 'interval' | 'intervalGiven' | 'timeout'>

/** A health check: a table with a type, or a string, which is a command. */
export function readHealthCheck(spot: Spot): HealthCheck | undefined {
  const times = {
    interval: healthDefaults.interval * 1000,
    intervalGiven: false,
    timeout: healthDefaults.timeout * 1000,
  }
  if (typeof spot.value === 'string') {
    const command = readText(spot)
    return command === undefined ? undefined : { type: 'command', command, ...times }
  }
  if (!isTable(spot.value))
    return spot.wrong(`must be a table with a type, or a command as a string, not ${kindOf(spot.value)}`)
  const given = own(spot.value, 'type')
  if (given === undefined) {
    return spot
      .inside('type', undefined)
      .wrong(`missing key: one of ${healthTypes.map(type => `"${type}"`).join(', ')}`)
  }
  const type = readWord(spot.inside('type', given), healthTypes)
  if (type === undefined) return undefined
  const table = readTable(spot, ['type', 'interval', 'timeout', ...healthKeys[type]]) ?? {}
  const time = (key: 'interval' | 'timeout') => {
    const value = own(table, key)
    return value === undefined ? times[key] : (readPositive(spot.inside(key, value)) ?? times[key])
  }
  return readKind(spot, type, {
    interval: time('interval'),
    intervalGiven: Object.hasOwn(table, 'interval'),
    timeout: time('timeout'),
  })
}

function readKind(spot: Spot, type: HealthType, times: Times): HealthCheck | undefined {
  if (type === 'http') {
    const path = readHttpPath(spot)
    return path === undefined ? undefined : { type, path, ...times }
  }
  if (type === 'command') {
    const command = required(spot, 'command')
    return command === undefined ? undefined : { type, command, ...times }
  }
  if (type === 'log') {
    const pattern = readPattern(spot)
    return pattern === undefined ? undefined : { type, pattern, ...times }
  }
  return { type, ...times }
}

function readHttpPath(check: Spot): string | undefined {
  const value = isTable(check.value) ? own(check.value, 'path') : undefined
  if (value === undefined) return healthDefaults.path
  const spot = check.inside('path', value)
  const path = readText(spot)
  if (path === undefined) return undefined
  if (!path.startsWith('/')) return spot.wrong("must start with '/'")
  return /[\s\0-\x1f]/.test(path)
    ? spot.wrong('must not have spaces or control characters: write %20 for a space')
    : path
}

function readPattern(check: Spot): string | undefined {
  const pattern = required(check, 'pattern')
  if (pattern === undefined) return undefined
  try {
    new RegExp(pattern)
    return pattern
  } catch {
    return check.inside('pattern', pattern).wrong('is not a valid JavaScript regular expression')
  }
}

function required(check: Spot, key: string): string | undefined {
  const value = isTable(check.value) ? own(check.value, key) : undefined
  const spot = check.inside(key, value)
  return value === undefined ? spot.wrong('missing key') : readText(spot)
}
