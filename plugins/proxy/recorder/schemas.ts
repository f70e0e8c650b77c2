/** JSON schemas of `/v1/requests`; `provides.ts` has their types. */
const text = { type: 'string' } as const
const word = { type: 'string', maxLength: 4096 } as const
const flag = { type: 'boolean' } as const
const number = { type: 'number' } as const
const textOrNull = { type: ['string', 'null'] } as const
const numberOrNull = { type: ['number', 'null'] } as const

function object<P extends object>(properties: P) {
  return { type: 'object', required: Object.keys(properties), properties } as const
}

function list<S extends object>(items: S) {
  return { type: 'array', items } as const
}

const row = {
  ...{ id: text, time: { type: 'string', format: 'date-time' }, method: text, host: text, path: text },
  ...{ status: numberOrNull, service: textOrNull, durationMs: numberOrNull },
  ...{ requestBytes: number, responseBytes: number, scheme: { enum: ['http', 'https'] }, httpVersion: text },
  ...{ kind: { enum: ['http', 'websocket', 'sse'] }, answeredBy: { enum: ['service', 'locald'] } },
  ...{ error: textOrNull, firstByteMs: numberOrNull, type: textOrNull, page: textOrNull, replayOf: textOrNull },
}
const headers = list(object({ name: text, value: text, isMasked: flag }))
const body = object({
  ...{ bytes: number, type: textOrNull, decodedFrom: textOrNull, text: textOrNull, base64: textOrNull },
  note: textOrNull,
})
const frame = object({
  ...{ time: text, from: { enum: ['client', 'service'] }, bytes: number },
  type: { enum: ['text', 'binary', 'ping', 'pong', 'close', 'event'] },
  ...{ text: textOrNull, base64: textOrNull, note: textOrNull },
})

export const exchange = object(row)
export const exchanges = object({ requests: list(exchange), record: { enum: ['off', 'metadata', 'full'] } })
export const detail = object({
  ...row,
  ...{ reason: text, requestHeaders: headers, responseHeaders: headers, requestBody: body, responseBody: body },
  ...{ frames: list(frame), framesLost: number, isMasked: flag, cannotReplay: textOrNull },
})

const filters = {
  service: { type: 'array', items: word, maxItems: 1000 },
  status: { ...word, description: '`404`, `5xx`, or `error` for those without a whole response' },
  method: word,
  path: { ...word, description: 'A glob for the path without its query' },
  q: { ...word, description: 'A text in method, host, path, service or status' },
} as const
const tail = { type: 'integer', minimum: 0, maximum: 100_000 } as const
const reveal = { type: 'boolean', description: 'Show secrets, too' } as const
const header = {
  type: 'object',
  required: ['name', 'value'],
  properties: {
    name: { type: 'string', pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$" },
    value: { type: 'string', pattern: '^[^\\r\\n\\0]*$' },
  },
  additionalProperties: false,
} as const

export const listQuery = { type: 'object', properties: { ...filters, tail }, additionalProperties: false } as const
export const harQuery = {
  type: 'object',
  properties: { ...filters, tail, reveal, id: { type: 'array', items: word, maxItems: 1000 } },
  additionalProperties: false,
} as const
export const detailQuery = { type: 'object', properties: { reveal }, additionalProperties: false } as const
export const snippetQuery = {
  type: 'object',
  properties: { reveal, as: { enum: ['curl', 'fetch', 'httpie'], default: 'curl' } },
  additionalProperties: false,
} as const
export const replayBody = {
  type: 'object',
  properties: {
    method: { type: 'string', pattern: '^[A-Z]{1,32}$' },
    path: { type: 'string', pattern: '^/[^\\s\\0-\\x1f\\x7f]*$', maxLength: 16_384 },
    headers: list(header),
    set: list(header),
    body: text,
    base64: flag,
  },
  additionalProperties: false,
} as const
export const params = { type: 'object', required: ['id'], properties: { id: word } } as const

/** Describes a response of one JSON value. */
export function answer(description: string, schema: object) {
  return { 200: { description, content: { 'application/json': { schema } } } }
}
