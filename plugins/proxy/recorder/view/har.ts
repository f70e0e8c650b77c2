import type { BodyView, ExchangeDetail, FrameView, HeaderView } from '../../provides.ts'

/** Returns exchanges as HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/), with Chrome's fields for frames. */
export function harOf(details: readonly ExchangeDetail[]): object {
  const ids = new Set(details.map(({ id }) => id))
  const pages = details.filter(({ id, page }) => id === page)
  return {
    log: {
      version: '1.2',
      creator: { name: 'locald', version: '1' },
      pages: pages.map(detail => ({
        startedDateTime: detail.time,
        id: detail.id,
        title: urlOf(detail),
        pageTimings: {},
      })),
      entries: details.map(detail => ({
        ...(detail.page !== null && ids.has(detail.page) ? { pageref: detail.page } : {}),
        ...entryOf(detail),
      })),
    },
  }
}

function entryOf(detail: ExchangeDetail): object {
  const { time, durationMs, firstByteMs, kind, service } = detail
  const wait = firstByteMs ?? 0
  const receive = Math.max(0, (durationMs ?? wait) - wait)
  return {
    startedDateTime: time,
    time: wait + receive,
    request: requestOf(detail),
    response: responseOf(detail),
    cache: {},
    timings: { send: 0, wait, receive },
    ...(service === null ? {} : { comment: service }),
    _resourceType: kind === 'sse' ? 'eventsource' : kind === 'websocket' ? 'websocket' : 'other',
    ...(kind === 'http' ? {} : { _webSocketMessages: detail.frames.map(messageOf) }),
  }
}

function requestOf({ requestHeaders, requestBody, ...detail }: ExchangeDetail): object {
  const { type, text, base64, note } = requestBody
  const query = new URLSearchParams(detail.path.split('?').slice(1).join('?'))
  const body = text ?? (base64 === null ? note : null)
  return {
    method: detail.method,
    url: urlOf(detail),
    httpVersion: versionOf(detail),
    cookies: cookiesOf(requestHeaders, 'cookie'),
    headers: headersOf(requestHeaders),
    queryString: [...query].map(([name, value]) => ({ name, value })),
    headersSize: -1,
    bodySize: requestBody.bytes,
    ...(requestBody.bytes === 0
      ? {}
      : {
          postData: {
            mimeType: type ?? '',
            params: [],
            text: body ?? base64 ?? '',
            ...(base64 === null ? {} : { _encoding: 'base64' }),
          },
        }),
  }
}

function responseOf({ responseHeaders, responseBody, ...detail }: ExchangeDetail): object {
  const { status, reason, error } = detail
  return {
    status: status ?? 0,
    statusText: reason,
    httpVersion: versionOf(detail),
    cookies: cookiesOf(responseHeaders, 'set-cookie'),
    headers: headersOf(responseHeaders),
    content: contentOf(responseBody),
    redirectURL: responseHeaders.find(({ name }) => name.toLowerCase() === 'location')?.value ?? '',
    headersSize: -1,
    bodySize: responseBody.bytes,
    ...(error === null ? {} : { _error: error }),
  }
}

function contentOf({ bytes, type, text, base64, note }: BodyView): object {
  const size = text === null ? Buffer.byteLength(base64 ?? '', 'base64') || bytes : Buffer.byteLength(text)
  return {
    size,
    mimeType: type ?? 'x-unknown',
    ...(text === null ? {} : { text }),
    ...(base64 === null ? {} : { text: base64, encoding: 'base64' }),
    ...(note === null ? {} : { comment: note }),
  }
}

function messageOf({ from, time, type, text, base64 }: FrameView): object {
  return {
    type: from === 'client' ? 'send' : 'receive',
    time: Date.parse(time) / 1000,
    opcode: type === 'binary' ? 2 : 1,
    data: text ?? base64 ?? '',
  }
}

function headersOf(headers: readonly HeaderView[]): object[] {
  return headers.map(({ name, value }) => ({ name, value }))
}

function cookiesOf(headers: readonly HeaderView[], header: string): object[] {
  const values = headers.filter(({ name }) => name.toLowerCase() === header).map(({ value }) => value)
  const pairs = header === 'cookie' ? values.flatMap(value => value.split(/;\s*/)) : values
  return pairs.map(pair => {
    const [first = ''] = pair.split(';')
    const at = first.indexOf('=')
    return { name: at < 0 ? first : first.slice(0, at), value: at < 0 ? '' : first.slice(at + 1) }
  })
}

function urlOf({ scheme, host, path }: Pick<ExchangeDetail, 'scheme' | 'host' | 'path'>): string {
  const url = `${scheme}://${host}${path.startsWith('/') ? path : `/${path}`}`
  return URL.canParse(url) ? new URL(url).href : url
}

function versionOf({ httpVersion }: Pick<ExchangeDetail, 'httpVersion'>): string {
  return `HTTP/${httpVersion}`
}
