import { createRequire } from 'node:module'
import { ChunkReader } from '../../../../plugins/proxy/message/chunked.ts'
import { readRequest } from '../../../../plugins/proxy/message/request-head.ts'
import { readResponse } from '../../../../plugins/proxy/message/response-head.ts'

/** A message as one of the two parsers read it. */
export interface Message {
  /** Method and target, or status. */
  readonly line: string
  /** Names in lower case and values, in order. */
  readonly fields: readonly string[]
  body: string
  /** Whether it is complete. */
  whole: boolean
}

/** A connection's bytes as a parser read them: messages, and whether it rejected the bytes after them. */
export interface Reading {
  readonly messages: readonly Message[]
  readonly refused: boolean
}

interface Parser {
  initialize(type: number, resource: object): void
  execute(bytes: Buffer): number | Error
  finish(): unknown
  [callback: number]: unknown
}

interface Binding {
  readonly HTTPParser: {
    new (): Parser
    readonly REQUEST: number
    readonly RESPONSE: number
    readonly kOnHeaders: number
    readonly kOnHeadersComplete: number
    readonly kOnBody: number
    readonly kOnMessageComplete: number
  }
  readonly methods: readonly string[]
}

function isBinding(value: unknown): value is Binding {
  return typeof value === 'object' && value !== null && 'HTTPParser' in value
}

function bindingOf(): Binding {
  // Node's llhttp, as node:http uses it; it has no public API, and Node 24 has closed process.binding.
  const found: unknown = createRequire(import.meta.url)('node:_http_common')
  if (!isBinding(found)) throw new Error('Node gives no access to its HTTP parser')
  return found
}

const { HTTPParser, methods } = bindingOf()

/** Reads bytes with llhttp, as strictly as node:http. */
export function llhttp(kind: 'request' | 'response', pieces: readonly Buffer[], bodyless = false): Reading {
  const messages: Message[] = []
  const parser = new HTTPParser()
  let held: string[] = []
  parser[HTTPParser.kOnHeaders] = (raw: string[]) => void held.push(...raw)
  parser[HTTPParser.kOnHeadersComplete] = (
    _major: number,
    _minor: number,
    raw: string[] | undefined,
    method: number | undefined,
    url: string | undefined,
    status: number | undefined,
  ) => {
    const fields = raw ?? held
    held = []
    const line = kind === 'request' ? `${methods[method ?? -1]} ${url}` : String(status)
    messages.push({
      line,
      fields: fields.map((it, i) => (i % 2 === 0 ? it.toLowerCase() : it)),
      body: '',
      whole: false,
    })
    // 1: no body, as for a response to HEAD.
    return bodyless ? 1 : 0
  }
  parser[HTTPParser.kOnBody] = (bytes: Buffer) => {
    const last = messages.at(-1)
    if (last !== undefined) last.body += bytes.toString('latin1')
  }
  parser[HTTPParser.kOnMessageComplete] = () => {
    const last = messages.at(-1)
    if (last !== undefined) last.whole = true
    held = []
  }
  parser.initialize(kind === 'request' ? HTTPParser.REQUEST : HTTPParser.RESPONSE, {})
  for (const piece of pieces) if (parser.execute(piece) instanceof Error) return { messages, refused: true }
  return { messages, refused: false }
}

/** Reads one request as the fast path does; undefined when it rejects the bytes. */
export function fastRequest(bytes: Buffer): (Message & { readonly end: number }) | undefined {
  const request = readRequest(bytes)
  // The cache of the last request must not change the result.
  const again = readRequest(bytes)
  if (JSON.stringify(request) !== JSON.stringify(again)) throw new Error('a request read in two ways')
  if (typeof request !== 'object') return undefined
  const fields = request.fields.split('\r\n').slice(0, -1)
  return { line: `${request.head ? 'HEAD' : 'GET'} ${request.path}`, fields, body: '', whole: true, end: request.end }
}

/** Reads a service's bytes as an upstream connection does: heads, then the body as the head frames it. */
export function fastResponse(bytes: Buffer, bodyless: boolean, cut: number): Reading {
  const messages: Message[] = []
  let rest = bytes
  for (;;) {
    const head = readResponse(rest, bodyless)
    if (head === -1) return { messages, refused: false }
    if (typeof head === 'string') return { messages, refused: true }
    if (head.status === 101) return { messages, refused: true }
    const fields = head.fields.split('\r\n').slice(0, -1)
    const message: Message = { line: String(head.status), fields, body: '', whole: false }
    messages.push(message)
    rest = rest.subarray(head.end)
    if (head.status >= 200) return { messages, refused: !readBody(message, head.ending, rest, cut) }
    message.whole = true
  }
}

type Head = Exclude<ReturnType<typeof readResponse>, string | number>

function readBody(message: Message, ending: Head['ending'], bytes: Buffer, cut: number): boolean {
  if (ending.by === 'nothing') message.whole = true
  else if (ending.by === 'close') message.body = bytes.toString('latin1')
  else if (ending.by === 'length') {
    message.body = bytes.toString('latin1', 0, ending.length)
    message.whole = bytes.length >= ending.length
  } else return readChunks(message, bytes, cut)
  return true
}

/** Reads chunks in two pieces and both ways: their content must equal that of the forwarded bytes, read again. */
function readChunks(message: Message, bytes: Buffer, cut: number): boolean {
  const [wire, data]: [Buffer[], Buffer[]] = [[], []]
  const [one, two] = [new ChunkReader(), new ChunkReader()]
  const at = Math.min(cut, bytes.length)
  let trailers = ''
  for (const piece of [bytes.subarray(0, at), bytes.subarray(at)]) {
    const read = one.read(piece, 0, wire, undefined)
    const again = two.read(piece, 0, undefined, data)
    if (read.is !== again.is) throw new Error('chunks read in two ways')
    message.body = Buffer.concat(data).toString('latin1')
    if (read.is === 'faulty') return false
    if (read.is === 'end') {
      message.whole = true
      trailers = '\r\n'
      break
    }
  }
  const passed = Buffer.concat([...wire, Buffer.from(trailers)])
  const third: Buffer[] = []
  const relayed = new ChunkReader().read(passed, 0, undefined, third)
  const same = Buffer.concat(third).toString('latin1') === message.body
  if (!same || (relayed.is === 'end') !== message.whole) throw new Error('chunks passed on in another way')
  return true
}
