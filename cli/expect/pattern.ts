import { createContext, Script } from 'node:vm'
import picomatch from 'picomatch'
import { LocaldError, messageOf } from '../../kernel/errors.ts'
import type { LogLine } from '../../kernel/events.ts'
import { parseDuration } from '../../kernel/lib/duration.ts'
import type { ExchangeView } from '../../plugins/proxy/provides.ts'
import { longestWaitMs } from '../args/values.ts'
import { sanitizeLogText } from '../output/log-format.ts'

/** Something that is expected to happen. */
export interface Expectation {
  readonly kind: 'request' | 'log'
  /** As it was typed. */
  readonly text: string
  readonly isMetByRequest: (row: ExchangeView) => boolean
  readonly isMetByLine: (line: LogLine) => boolean
  /** How near a request that did not meet it comes: of three, how many of method, path and status fit. */
  readonly nearness: (row: ExchangeView) => number
}

const never = () => false

/** Only `*` and `**` have a meaning: other characters are those of paths. */
const literal = { dot: true, nobrace: true, nobracket: true, noextglob: true, nonegate: true }

/**
 * Parses `METHOD PATH STATUS`; the method and the status may be missing. A query in PATH names parameters that the
 * request must have. Throws USAGE.
 */
export function expectRequest(text: string): Expectation {
  const [, method = '*', path, status = '*'] = /^(?:([A-Za-z]+|\*)\s+)?([/*]\S*)(?:\s+(\S+))?$/.exec(text.trim()) ?? []
  if (path === undefined || !/^(?:[1-5](?:xx|\d\d)|\*)$/i.test(status)) {
    throw new LocaldError('USAGE', `--request '${text}' is not a method, a path and a status`, {
      hint: "Use for example 'POST /pay 2xx', 'GET /api/** *' or '/health 200'.",
    })
  }
  const isPath = matchPath(path)
  const statusPattern = new RegExp(`^${status === '*' ? '\\d+' : status.toLowerCase().replaceAll('x', '\\d')}$`)
  const parts = (row: ExchangeView): readonly boolean[] => [
    method === '*' || row.method.toLowerCase() === method.toLowerCase(),
    isPath(row.path),
    row.status !== null && statusPattern.test(String(row.status)),
  ]
  return {
    ...{ kind: 'request', text, isMetByLine: never },
    isMetByRequest: row => parts(row).every(Boolean),
    nearness: row => parts(row).filter(Boolean).length,
  }
}

/** Returns whether a request's path has a pattern's form, as written or decoded, and its query the pattern's parameters. */
function matchPath(pattern: string): (path: string) => boolean {
  const [form, wanted] = splitQuery(pattern)
  // One `*` at the end is any rest, folders as well.
  const fits = form === '*' ? () => true : picomatch(form.replace(/(?<!\*)\*$/, '**'), literal)
  const parameters = wanted.map(parameter => picomatch(parameter.replaceAll('*', '**'), { ...literal, bash: true }))
  return target => {
    const [path, query] = splitQuery(target)
    const hasAll = parameters.every(isParameter => query.some(each => isParameter(each) || isParameter(decode(each))))
    return hasAll && (fits(path) || fits(decode(path)))
  }
}

/** Splits a path from the parameters of its query. */
function splitQuery(target: string): readonly [string, readonly string[]] {
  const [, path = '', query = ''] = /^([^?]*)\??(.*)$/s.exec(target) ?? []
  return [path, query.split('&').filter(each => each !== '')]
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Parses a text that a line contains, or `/regex/flags`. Throws USAGE. */
export function expectLog(text: string): Expectation {
  if (text === '') {
    throw new LocaldError('USAGE', '--log is empty', {
      hint: "Use a text that the line contains, such as --log 'paid'.",
    })
  }
  const [, source, flags = ''] = /^\/(.+)\/([imsu]*)$/s.exec(text) ?? []
  const pattern = source === undefined ? undefined : compile(text, source, flags)
  const fits = (line: string) => (pattern === undefined ? line.includes(text) : pattern(line))
  return {
    ...{ kind: 'log', text, isMetByRequest: never, nearness: () => 0 },
    isMetByLine: line => fits(sanitizeLogText(line.text, false)),
  }
}

/** A line takes a pattern microseconds; one that backtracks without end would outlast every limit: ms. */
const lineMs = 500

/** Returns whether a line matches. Throws USAGE where that takes too long. */
function compile(text: string, source: string, flags: string): (line: string) => boolean {
  const context = createContext({ line: '', regex: undefined })
  try {
    context['regex'] = new RegExp(source, flags)
  } catch (error) {
    throw new LocaldError('USAGE', `--log '${text}': ${messageOf(error)}`, {
      hint: 'Use a JavaScript regular expression between slashes, or a text without them.',
    })
  }
  const script = new Script('regex.test(line)')
  return line => {
    context['line'] = line
    try {
      return script.runInContext(context, { timeout: lineMs }) === true
    } catch (error) {
      throw new LocaldError('USAGE', `--log '${text}' takes more than ${lineMs} ms for a line`, {
        hint: 'Use a pattern without nested repetitions, or a text without slashes.',
        cause: error,
      })
    }
  }
}

/** Parses `500ms`, `30s`, `2m`, or seconds; returns ms. Throws USAGE. */
export function parseLimit(text: string): number {
  const ms = parseDuration(/\d$/.test(text) ? `${text}s` : text)
  if (ms !== undefined && ms > 0 && ms <= longestWaitMs) return ms
  throw new LocaldError('USAGE', `--within '${text}' is not a duration above 0 and of at most 20 days`, {
    hint: 'Use for example 500ms, 30s or 2m.',
  })
}
