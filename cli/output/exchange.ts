import type { BodyView, ExchangeDetail, FrameView, HeaderView } from '../../plugins/proxy/provides.ts'

/** Formats a request with headers, bodies and frames, and its response. */
export function formatExchange(detail: ExchangeDetail): string {
  const { method, scheme, host, path, status, reason, durationMs, service, error, frames, framesLost } = detail
  const took = durationMs === null ? 'not complete' : `${durationMs} ms`
  const by = detail.answeredBy === 'locald' ? 'locald' : (service ?? '-')
  return [
    `${method} ${scheme}://${host}${path}`,
    ...headerLines(detail.requestHeaders),
    ...bodyLines(detail.requestBody),
    '',
    status === null ? 'No response' : `${status} ${reason}`.trimEnd(),
    `from ${by}, ${took}${error === null ? '' : `, ${error}`}`,
    ...headerLines(detail.responseHeaders),
    ...bodyLines(detail.responseBody),
    ...frames.map(frameLine),
    ...(framesLost > 0 ? [`${framesLost} frames were not kept`] : []),
  ].join('\n')
}

function headerLines(headers: readonly HeaderView[]): string[] {
  return headers.map(({ name, value }) => `${name}: ${value}`)
}

function bodyLines({ bytes, text, note }: BodyView): string[] {
  if (bytes === 0) return []
  return ['', text ?? note ?? `${bytes} bytes of binary data`]
}

function frameLine({ from, type, text, bytes, note }: FrameView): string {
  return `${from === 'client' ? '→' : '←'} ${type} ${text ?? note ?? `${bytes} bytes`}`
}
