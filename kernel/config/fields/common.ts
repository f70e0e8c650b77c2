import { constants } from 'node:os'
import type { CommonOptions, Condition } from '../../contract/plugin.ts'
import type { Spot } from '../problems.ts'
import { isTable, kindOf, own, type Table } from '../table.ts'
import { faultOf } from '../watch-patterns.ts'
import { readDuration, readPositive } from './duration.ts'
import { readEnv } from './env.ts'
import { readHealthCheck } from './health-check.ts'
import { meantWord, readText, readTexts, readWord, unknown } from './readers.ts'

/** The keys that a service of every type may have. */
export const commonKeys = [
  'type',
  'workdir',
  'port',
  'env',
  'env_file',
  'depends_on',
  'health_check',
  'ready_timeout',
  'restart',
  'stop_signal',
  'stop_timeout',
  'watch',
] as const
type CommonKey = (typeof commonKeys)[number]

/** What applies where a key is absent, as it would be written; times in seconds. */
export const commonDefaults = {
  ready_timeout: 30,
  restart: 'on-failure',
  stop_signal: 'SIGTERM',
  stop_timeout: 5,
} as const

export const restartWords = ['no', 'on-failure', 'always'] as const
export const conditionWords = ['ready', 'started', 'completed'] as const satisfies readonly Condition[]

/** Reads the common keys of a service's table; what is wrong is noted, and a default stands for it. */
export function readCommon(service: Spot, table: Table): CommonOptions {
  const read = <T>(key: CommonKey, reader: (spot: Spot) => T | undefined): T | undefined => {
    const value = own(table, key)
    return value === undefined ? undefined : reader(service.inside(key, value))
  }
  return {
    workdir: read('workdir', readText),
    port: read('port', readPort),
    env: read('env', readEnv) ?? {},
    envFile: read('env_file', readEnvFiles) ?? [],
    dependsOn: read('depends_on', readDependencies) ?? {},
    healthCheck: read('health_check', readHealthCheck),
    readyTimeout: read('ready_timeout', readPositive) ?? commonDefaults.ready_timeout * 1000,
    restart: read('restart', readRestart) ?? commonDefaults.restart,
    stopSignal: read('stop_signal', readSignal) ?? commonDefaults.stop_signal,
    stopTimeout: read('stop_timeout', readDuration) ?? commonDefaults.stop_timeout * 1000,
    watch: read('watch', readPatterns) ?? [],
  }
}

function readPatterns(spot: Spot): readonly string[] | undefined {
  const patterns = readTexts(spot, 'an array of glob patterns')
  const fault = patterns === undefined ? undefined : faultOf(patterns)
  return fault === undefined ? patterns : spot.wrong(fault)
}

function readPort(spot: Spot): number | undefined {
  const { value } = spot
  if (typeof value !== 'number') return spot.wrong(`must be a number from 1 to 65535, not ${kindOf(value)}`)
  return Number.isInteger(value) && value >= 1 && value <= 65535
    ? value
    : spot.wrong('must be a whole number from 1 to 65535')
}

function readEnvFiles(spot: Spot): readonly string[] | undefined {
  if (typeof spot.value !== 'string') return readTexts(spot, 'a file or an array of files')
  const file = readText(spot)
  return file === undefined ? undefined : [file]
}

function readDependencies(spot: Spot): Readonly<Record<string, Condition>> | undefined {
  if (isTable(spot.value)) {
    const conditions = Object.entries(spot.value).map(
      ([name, value]) => [name, readWord(spot.inside(name, value), conditionWords) ?? 'ready'] as const,
    )
    return Object.fromEntries(conditions)
  }
  const names = readTexts(spot, 'an array of services, or a table such as { db = "ready" }')
  return names === undefined ? undefined : Object.fromEntries(names.map(name => [name, 'ready'] as const))
}

function readRestart(spot: Spot): CommonOptions['restart'] | undefined {
  return readWord(spot, restartWords)
}

function readSignal(spot: Spot): string | undefined {
  const text = readText(spot, 'the name of a signal')
  if (text === undefined) return undefined
  const upper = text.toUpperCase()
  const name = upper.startsWith('SIG') ? upper : `SIG${upper}`
  if (Object.hasOwn(constants.signals, name)) return name
  return spot.wrong(unknown('is no signal of this machine', meantWord(name, Object.keys(constants.signals))))
}
