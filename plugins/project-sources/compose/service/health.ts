import type { TranslatedEntry } from '../../../../kernel/contract/plugin.ts'
import { isTrue, itemsOf, textOf } from '../node.ts'
import type { KeyReader } from '../reader.ts'
import { parseDuration } from '../units.ts'
import { quoteWords } from '../words.ts'

/** What compose does without the keys: seconds, and tries. */
const defaults = { interval: 30, timeout: 30, retries: 3 } as const
/** How long locald waits for readiness without `ready_timeout`: seconds. */
const readyTimeout = 30

/** Translates `healthcheck`. */
export function translateHealth(service: KeyReader, containerPort: number | undefined): readonly TranslatedEntry[] {
  const health = service.inside('healthcheck')
  if (health === undefined) return []
  const words = itemsOf(health.take('test')).map(item => textOf(item) ?? '')
  const isOff = isTrue(health.take('disable')) || (words[0] === 'NONE' && words.length === 1)
  const command = isOff ? undefined : commandOf(health, words)
  const times = readTimes(health)
  for (const [key, node] of health.rest) health.note('dropped', key, 'locald has no such setting', node.at)
  if (isOff) return withoutCheck(health, containerPort)
  // Without a test these are times for the check of the image.
  if (command === undefined) {
    if (times.isGiven) health.note('dropped', 'test', "is missing: the image's own check keeps its own times")
    return []
  }
  const table = {
    type: 'command',
    command,
    ...(times.interval === undefined ? {} : { interval: times.interval }),
    timeout: times.timeout ?? defaults.timeout,
  }
  const ready = (times.startPeriod ?? 0) + (times.retries ?? defaults.retries) * (times.interval ?? defaults.interval)
  return [
    { key: 'health_check', value: table },
    ...(ready > readyTimeout ? [{ key: 'ready_timeout', value: ready }] : []),
  ]
}

function withoutCheck(health: KeyReader, containerPort: number | undefined): readonly TranslatedEntry[] {
  if (containerPort !== undefined) return [{ key: 'health_check', value: { type: 'tcp' } }]
  return health.note('changed', 'disable', "a check of the image's own is used nevertheless") ?? []
}

/** Returns the test as a command for sh. */
function commandOf(health: KeyReader, words: readonly string[]): string | undefined {
  const node = health.take('test')
  const [form = '', ...rest] = words
  if (node === undefined || words.length === 0) return undefined
  const parts = itemsOf(node).flatMap(item => health.textOf(item, 'test') ?? [])
  if (parts.length < words.length) return undefined
  const command =
    node.kind === 'scalar' ? form : form === 'CMD-SHELL' ? rest.join(' ') : form === 'CMD' ? quoteWords(rest) : ''
  return command.trim() === '' ? health.note('refused', 'test', 'is no CMD, CMD-SHELL or NONE', node.at) : command
}

interface Times {
  readonly isGiven: boolean
  readonly interval: number | undefined
  readonly timeout: number | undefined
  readonly startPeriod: number | undefined
  readonly retries: number | undefined
}

function readTimes(health: KeyReader): Times {
  const interval = readSeconds(health, 'interval')
  const timeout = readSeconds(health, 'timeout')
  const startPeriod = readSeconds(health, 'start_period')
  const start = health.take('start_interval')
  if (start !== undefined)
    health.note('dropped', 'start_interval', 'locald checks often until the service is ready', start.at)
  const tries = health.text('retries')
  const retries = tries !== undefined && /^\d{1,4}$/.test(tries) ? Number(tries) : undefined
  if (retries !== undefined && retries !== 0 && retries !== defaults.retries)
    health.note(
      'changed',
      'retries',
      'a service that was ready is unhealthy after 3 failures',
      health.take('retries')?.at,
    )
  const isGiven = [interval, timeout, startPeriod, retries].some(value => value !== undefined)
  return { isGiven, interval, timeout, startPeriod, retries }
}

/** Returns a time of more than 0; compose takes 0 for its default. */
function readSeconds(health: KeyReader, key: string): number | undefined {
  const text = health.text(key)
  if (text === undefined) return undefined
  const seconds = parseDuration(text)
  if (seconds === undefined || seconds > 86_400) return health.note('refused', key, 'is no duration such as 10s')
  return seconds < 0.001 ? undefined : seconds
}
