import { formatMeasured } from '../../../kernel/lib/duration.ts'
import type { BodyView, ExchangeDetail, FrameView, HeaderView } from '../../../plugins/proxy/provides.ts'
import { formatBytes } from '../../output/humanize.ts'
import { statusStyle } from '../../output/request-table.ts'
import { sanitize, sanitizeLine } from '../../output/sanitize.ts'
import type { Span } from '../../screen/spans.ts'
import type { Theme } from './theme.ts'

type Line = readonly Span[]

/** Of a body so many lines are shown, of a line so many UTF-16 units. */
const mostLines = 200
const longest = 2000
/** A longer body is not formatted, UTF-16 units. */
const longestJson = 200_000
const mostFrames = 100

/** Returns the text of a request: its head and what fits of its bodies. */
export function requestText(detail: ExchangeDetail, theme: Theme): readonly Line[] {
  const { id, method, scheme, host, path, requestHeaders, responseHeaders, requestBody, responseBody } = detail
  const { frames, framesLost, cannotReplay, isMasked } = detail
  const quiet = (text: string): Line => [{ text: sanitizeLine(text), style: theme.quiet }]
  return [
    [{ text: sanitizeLine(`${method} ${scheme}://${host}${path}`), style: theme.strong }],
    ...headerLines(requestHeaders, theme),
    ...bodyLines(requestBody, id, theme),
    [],
    ...answerLines(detail, theme),
    ...headerLines(responseHeaders, theme),
    ...bodyLines(responseBody, id, theme),
    ...frames.slice(-mostFrames).map(frameLine),
    ...(framesLost > 0 ? [quiet(`${framesLost} earlier frames were not kept`)] : []),
    [],
    ...(cannotReplay === null ? [] : [quiet(`Cannot be replayed: ${cannotReplay}`)]),
    ...(isMasked ? [quiet(`\`locald requests show ${id} --reveal\` shows all, and secrets, too.`)] : []),
  ]
}

function answerLines(detail: ExchangeDetail, { strong, paints }: Theme): readonly Line[] {
  const { status, reason, durationMs, service, answeredBy, error, responseBytes, kind } = detail
  const took = durationMs === null ? (kind === 'http' ? 'not complete' : 'open') : formatMeasured(durationMs)
  const from = answeredBy === 'locald' ? 'locald' : (service ?? '-')
  const colour = status === null ? paints.red : paints[statusStyle(status) ?? 'gray']
  const head = status === null ? 'No response' : `${status} ${reason}`.trimEnd()
  return [
    [
      { text: sanitizeLine(head), style: `${strong};${colour}` },
      { text: sanitizeLine(` from ${from} · ${took} · ${formatBytes(responseBytes)}`), style: '' },
    ],
    ...(error === null ? [] : [[{ text: sanitizeLine(error), style: paints.red }]]),
  ]
}

function headerLines(headers: readonly HeaderView[], { quiet }: Theme): readonly Line[] {
  return headers.map(({ name, value }) => [
    { text: sanitizeLine(`${name}: `), style: quiet },
    { text: cut(sanitizeLine(value)), style: '' },
  ])
}

function bodyLines({ bytes, type, text, note }: BodyView, id: string, { quiet }: Theme): readonly Line[] {
  if (bytes === 0) return []
  if (text === null) {
    const what = note ?? `${formatBytes(bytes)} of binary data`
    return [[], [{ text: sanitizeLine(what), style: quiet }]]
  }
  const lines = sanitize(formatted(text, type), false).split('\n')
  const rest = lines.length - mostLines
  const more = [
    ...(rest > 0 ? [`${rest.toLocaleString('en')} more lines: \`locald requests show ${id}\``] : []),
    ...(note === null ? [] : [sanitizeLine(note)]),
  ]
  return [
    [],
    ...lines.slice(0, mostLines).map(line => [{ text: cut(line.replaceAll('\t', '  ')), style: '' }]),
    ...more.map(line => [{ text: line, style: quiet }]),
  ]
}

/** Indents JSON, unless it has numbers that are longer than those of JavaScript. */
function formatted(text: string, type: string | null): string {
  if (type?.includes('json') !== true || text.length > longestJson || /\d{16}/.test(text)) return text
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2)
  } catch {
    return text
  }
}

function frameLine({ from, type, text, bytes, note }: FrameView): Line {
  const what = text ?? note ?? formatBytes(bytes)
  return [{ text: cut(sanitizeLine(`${from === 'client' ? '→' : '←'} ${type} ${what}`)), style: '' }]
}

function cut(line: string): string {
  return line.length > longest ? `${line.slice(0, longest)}…` : line
}
