import type { LogLine } from '../../kernel/events.ts'
import { formatMeasured } from '../../kernel/lib/duration.ts'
import type { ExchangeView } from '../../plugins/proxy/provides.ts'
import { sanitizeLogText } from '../output/log-format.ts'
import { shortName } from '../output/service-state.ts'
import type { Expectation } from './pattern.ts'
import type { Watch } from './watch.ts'

/** How it went: `code` null: the command did not exit in time. */
export interface ExpectOutcome {
  readonly watch: Watch
  readonly code: number | null
}

/** Shown of what happened instead. */
const mostRequests = 10
const mostLines = 15

/** Says which expectations were met, and of those that were not, what happened instead. */
export function describeOutcome({ watch, code }: ExpectOutcome, expectations: readonly Expectation[]): string {
  const { unmet, met } = watch
  const lines = expectations.map(expectation => {
    const by = met.get(expectation)
    const sign = by === undefined ? 'not met' : 'met'
    return `${sign.padEnd(8)}${expectation.kind} ${expectation.text}`
  })
  const command = code === null ? 'The command did not exit in time' : `The command exited with code ${code}`
  if (unmet.length === 0) return [...lines, ...(code === 0 ? [] : [command])].join('\n')
  const wants = (kind: Expectation['kind']) => unmet.some(expectation => expectation.kind === kind)
  return [
    ...lines,
    ...(code === 0 ? [] : [command]),
    ...(wants('request') ? listNearest(watch.requests, unmet) : []),
    ...(wants('log') ? listLines(watch.lines) : []),
  ].join('\n')
}

/** Returns the outcome as JSON. */
export function toJson({ watch, code }: ExpectOutcome, expectations: readonly Expectation[]): object {
  const { unmet, met, requests, lines } = watch
  return {
    ok: code === 0 && unmet.length === 0,
    exitCode: code,
    expectations: expectations.map(expectation => {
      const by = met.get(expectation)
      return {
        ...{ kind: expectation.kind, text: expectation.text, met: by !== undefined },
        ...{ time: by?.time ?? null, by: by?.by ?? null },
      }
    }),
    requests: nearest(requests, unmet).map(({ id, time, method, path, status, service }) => ({
      ...{ id, time, method, path, status, service },
    })),
    lines: lines.slice(-mostLines),
  }
}

function listNearest(requests: readonly ExchangeView[], unmet: readonly Expectation[]): readonly string[] {
  if (requests.length === 0) return ['There were no requests meanwhile.']
  const rows = nearest(requests, unmet)
  return [
    `Requests meanwhile${rows.length < requests.length ? `, the nearest ${rows.length} of ${requests.length}` : ''}:`,
    ...rows.map(({ id, method, path, status, durationMs, service }) => {
      const took = durationMs === null ? '' : ` ${formatMeasured(durationMs)}`
      return `  ${id} ${method} ${path} ${status ?? '-'}${took} ${service === null ? 'locald' : shortName(service)}`
    }),
  ]
}

/** Returns the requests that come nearest to what was expected, in their order. */
function nearest(requests: readonly ExchangeView[], unmet: readonly Expectation[]): readonly ExchangeView[] {
  const nearness = (row: ExchangeView) => Math.max(0, ...unmet.map(expectation => expectation.nearness(row)))
  const best = new Set(requests.toSorted((a, b) => nearness(b) - nearness(a)).slice(0, mostRequests))
  return requests.filter(row => best.has(row))
}

function listLines(lines: readonly LogLine[]): readonly string[] {
  if (lines.length === 0) return ['There was no output meanwhile.']
  const shown = lines.slice(-mostLines)
  return [
    `Output meanwhile${shown.length < lines.length ? `, the last ${shown.length} of ${lines.length} lines` : ''}:`,
    ...shown.map(({ service, text }) => `  ${shortName(service)} | ${sanitizeLogText(text, false)}`),
  ]
}
