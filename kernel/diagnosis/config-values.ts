import { isDeepStrictEqual } from 'node:util'
import type { ServicePlan } from '../contract/plugin.ts'
import { isSecretVariable } from '../lib/secrets.ts'
import type { HashValue } from './value-hash.ts'

/** Longer values are recorded as hashes: characters. */
const longestShown = 200
/** The mark of a value that is recorded as a hash. */
const hashMark = '#'

/**
 * Returns the keys of a service's configuration: short plain values as JSON, so that a change can be shown, others as
 * hashes. Variables are left out: the environment has them.
 */
export function configValues({ type, common, options }: ServicePlan, hash: HashValue): Record<string, string> {
  const { workdir, port, dependsOn, foreign, healthCheck, readyTimeout, restart, stopSignal, envFile } = common
  const known = {
    ...{
      type,
      workdir,
      port,
      depends_on: { ...dependsOn, ...foreign },
      health_check: healthCheck,
      ready_timeout: readyTimeout,
    },
    ...{ restart, stop_signal: stopSignal, env_file: envFile },
    ...(typeof options === 'object' ? options : { options }),
  }
  const values = Object.entries(known).filter(([, value]) => value !== undefined && value !== null)
  return Object.fromEntries(values.map(([key, value]) => [key, valueText(key, value, hash)]))
}

function valueText(key: string, value: unknown, hash: HashValue): string {
  const text = JSON.stringify(value) ?? ''
  const isPlain = typeof value !== 'object' || (Array.isArray(value) && value.every(it => typeof it === 'string'))
  const isShown = isPlain && text.length <= longestShown && !isSecretVariable(key)
  return isShown ? text : `${hashMark}${hash(text)}`
}

/** A key whose value differs; null: it was or is not set, or its value is not shown. */
export interface ChangedKey {
  readonly key: string
  readonly before: string | null
  readonly now: string | null
}

/** Returns the keys that differ between two results of `configValues`. */
export function changedKeys(
  before: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): readonly ChangedKey[] {
  const shown = (text: string | undefined) => (text === undefined || text.startsWith(hashMark) ? null : textOf(text))
  return [...new Set([...Object.keys(now), ...Object.keys(before)])]
    .filter(key => !isDeepStrictEqual(before[key], now[key]))
    .map(key => ({ key, before: shown(before[key]), now: shown(now[key]) }))
}

function textOf(json: string): string {
  const value: unknown = JSON.parse(json)
  return typeof value === 'string' ? value : json
}
