import type { BodyView, ExchangeDetail, FrameView, HeaderView } from '../../plugins/proxy/provides.ts'
import type { Context } from '../context.ts'
import { requireDaemon } from '../daemon/client.ts'
import { print, printJson } from '../output/terminal.ts'

/** `locald requests show`. */
export async function requestsShow({ args, json, paths }: Context): Promise<number> {
  const [id = ''] = args.positionals
  const daemon = await requireDaemon(paths)
  const reveal = args.flags.has('reveal')
  const path = `/v1/requests/${encodeURIComponent(id)}`
  if (args.flags.has('curl'))
    print((await daemon.get<{ text: string }>(`${path}/snippet`, { as: 'curl', reveal })).text)
  else if (args.flags.has('har')) printJson(await daemon.get('/v1/requests/har', { id, reveal }))
  else {
    const detail = await daemon.get<ExchangeDetail>(path, { reveal })
    if (json) printJson(detail)
    else print(textOf(detail))
  }
  return 0
}

function textOf(detail: ExchangeDetail): string {
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
