import t from 'tap'
import { readAnyResponse } from '../../../../plugins/proxy/message/lenient-response.ts'
import { readResponse } from '../../../../plugins/proxy/message/response-head.ts'
import { fastRequest, fastResponse, llhttp, type Message } from './parsers.ts'

/** Inputs of each kind; LOCALD_FUZZ=1000000 is the long mode. */
const inputs = Number(process.env['LOCALD_FUZZ'] ?? 15_000)
const seed = Number(process.env['LOCALD_FUZZ_SEED'] ?? Date.now() % 2 ** 31)

/** Returns a generator of numbers from 0 to n, the same for the same seed (mulberry32). */
function random(start: number): (n: number) => number {
  let state = start
  return n => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n
  }
}

const requests = [
  'GET / HTTP/1.1\r\nHost: shop.localhost\r\n\r\n',
  'HEAD /a?b=%20 HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n',
  'GET /x HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nUser-Agent: x\r\nCookie: a=b; c\r\nUpgrade-Insecure-Requests: 1\r\n\r\n',
  'GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Empty:\r\nX-Tab:\t v \t\r\nX-Latin: caf\xe9\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: b\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nUpgrade: h2c\r\nExpect: 100-continue\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n',
]

const responses = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\nhelloHTTP/1.1 200 OK\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n5\r\nhello\r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b;c\r\nhello\r\n00;x\r\nX-Sum: 1\r\nY: 2\r\n\r\n',
  'HTTP/1.0 200 OK\r\nServer: x\r\n\r\nto the end',
  'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 5\r\n\r\n',
  'HTTP/1.1 104 Early\r\nContent-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nConnection: close, x-hop\r\nX-Hop: 1\r\n\r\nbody',
]

// Words on which parsers disagree.
const words = [
  ...[
    '\r\n',
    '\n',
    '\r',
    '\r\n\r\n',
    '\n\n',
    ' ',
    '\t',
    ':',
    ' :',
    ';',
    ',',
    '\0',
    '\x7f',
    '\xff',
    '\x0b',
    '-',
    '+',
    '_',
  ],
  ...['Content-Length: 5\r\n', 'Content-Length: 0\r\n', 'content-length:5\r\n', 'Content-Length: 5, 5\r\n'],
  ...['Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: gzip, chunked\r\n', 'transfer-encoding:\tchunked \r\n'],
  ...['Transfer-Encoding: identity\r\n', 'Transfer-Encoding: chunked, chunked\r\n', 'Transfer-Encoding : chunked\r\n'],
  ...['Host: b\r\n', 'Host:\r\n', ' folded\r\n', 'Connection: upgrade\r\n', 'Upgrade: x\r\n', 'Connection: close\r\n'],
  ...[
    '0\r\n\r\n',
    '5\r\nhello\r\n',
    'ffffffffffffffff\r\n',
    '0x5\r\n',
    '5 \r\n',
    ';a="b"\r\n',
    '00000000000000005\r\n',
  ],
  ...[
    'HTTP/1.0',
    'HTTP/1.1',
    'HTTP/2.0',
    ' 101 ',
    ' 204 ',
    ' 304 ',
    ' 100 ',
    ' 099 ',
    ' 999 ',
    'GET ',
    'POST ',
    '0',
    '9',
  ],
]

function mutate(text: string, pick: (n: number) => number): string {
  let out = text
  for (let left = pick(4); left >= 0; left--) {
    const at = pick(out.length + 1)
    const word = words[pick(words.length)] ?? ''
    const kind = pick(7)
    if (kind === 0) out = out.slice(0, at) + word + out.slice(at)
    else if (kind === 1) out = out.slice(0, at) + word + out.slice(at + word.length)
    else if (kind === 2) out = out.slice(0, at) + out.slice(at + 1 + pick(3))
    else if (kind === 3) out = out.slice(0, at) + String.fromCharCode(pick(256)) + out.slice(at + 1)
    else if (kind === 4) out = out.slice(0, at)
    else {
      // Most meaning begins at a line.
      const lines = out.split('\r\n')
      const line = pick(lines.length)
      if (kind === 5) lines.splice(line, 0, word.trimEnd())
      else lines.splice(line, pick(2), lines[pick(lines.length)] ?? '')
      out = lines.join('\r\n')
    }
  }
  return out
}

/** Returns names and values without those of the connection. */
function pairsOf(fields: readonly string[], dropped: ReadonlySet<string>): string[] {
  const pairs: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? ''
    if (!dropped.has(name) && !name.startsWith('proxy-')) pairs.push(`${name}:${(fields[i + 1] ?? '').trim()}`)
  }
  return pairs
}

function linesOf(fields: readonly string[]): string[] {
  return fields.map(line => {
    const colon = line.indexOf(':')
    return `${line.slice(0, colon).toLowerCase()}:${line.slice(colon + 1).trim()}`
  })
}

const ofRequests = new Set(['connection', 'keep-alive'])
const ofResponses = new Set([
  ...['connection', 'keep-alive', 'te', 'upgrade', 'trailer', 'transfer-encoding', 'http2-settings'],
])

/**
 * Returns how the fast path reads a request differently from llhttp; undefined when it does not, or rejects the
 * request.
 */
function requestFault(bytes: Buffer): string | undefined {
  const fast = fastRequest(bytes)
  if (fast === undefined) return undefined
  const { messages, refused } = llhttp('request', [bytes.subarray(0, fast.end)])
  const [first] = messages
  if (refused || first === undefined || messages.length !== 1) return `llhttp: ${JSON.stringify(messages)} ${refused}`
  if (!first.whole || first.body !== '') return 'llhttp sees a body'
  if (first.line !== fast.line) return `${first.line} is not ${fast.line}`
  const [theirs, ours] = [pairsOf(first.fields, ofRequests), linesOf(fast.fields)]
  return theirs.join('\n') === ours.join('\n') ? undefined : `${theirs} is not ${ours}`
}

function responseFault(bytes: Buffer, bodyless: boolean, cut: number): string | undefined {
  const fast = fastResponse(bytes, bodyless, cut)
  const { messages } = llhttp('response', [bytes], bodyless)
  for (const [i, ours] of fast.messages.entries()) {
    const theirs = messages[i]
    if (theirs === undefined) return `llhttp has no message ${i}`
    const fault = describeDifference(ours, theirs, fast.refused)
    if (fault !== undefined) return `message ${i}: ${fault}`
  }
  return undefined
}

/** Returns what is wrong with a corrected head; undefined when it can be forwarded. */
function repairFault(bytes: Buffer): string | undefined {
  const head = readAnyResponse(bytes, false)
  if (typeof head !== 'object') return undefined
  const lines = head.fields.split('\r\n')
  if (lines.pop() !== '') return 'the fields have no end'
  const bad = lines.find(line => !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*$/.test(line))
  if (bad !== undefined) return `${JSON.stringify(bad)} is no field`
  const lengths = lines.filter(line => /^content-length:/i.test(line)).length
  const codings = lines.filter(line => /^transfer-encoding:/i.test(line)).length
  if (codings > 0 || lengths > 1 || (lengths > 0 && head.ending.by === 'chunks')) return 'framed twice'
  return typeof readResponse(bytes, false) === 'object' || !head.keep ? undefined : 'its connection is used again'
}

function describeDifference(ours: Message, theirs: Message, refused: boolean): string | undefined {
  if (ours.line !== theirs.line) return `${ours.line} is not ${theirs.line}`
  if (ours.whole && !theirs.whole) return 'llhttp sees no end'
  if (!refused && theirs.whole !== ours.whole) return 'only llhttp sees its end'
  // A body rejected in the middle was forwarded up to there.
  if (refused ? !theirs.body.startsWith(ours.body) : ours.body !== theirs.body) {
    return `body ${JSON.stringify(ours.body)} is not ${JSON.stringify(theirs.body)}`
  }
  const listed = theirs.fields.flatMap((it, i) =>
    i % 2 === 1 && theirs.fields[i - 1] === 'connection' ? it.split(',') : [],
  )
  const kept = ['host', 'content-length', 'trailer', 'keep-alive', 'close', '']
  const hops = listed.map(name => name.trim().toLowerCase()).filter(name => !kept.includes(name))
  const dropped = new Set([...ofResponses, ...hops, ...(ours.line === '204' ? ['content-length'] : [])])
  const [a, b] = [pairsOf(theirs.fields, dropped).join('\n'), linesOf(ours.fields).join('\n')]
  return a === b ? undefined : `${JSON.stringify(a)} is not ${JSON.stringify(b)}`
}

t.setTimeout(3_600_000)

t.test(`requests: both parsers agree (LOCALD_FUZZ_SEED=${seed})`, { timeout: 3_600_000 }, async t => {
  const pick = random(seed)
  let taken = 0
  for (let i = 0; i < inputs; i++) {
    const text = requests[pick(requests.length)] ?? ''
    const bytes = Buffer.from(i < requests.length ? (requests[i] ?? '') : mutate(text, pick), 'latin1')
    const fault = requestFault(bytes)
    if (fault !== undefined) return void t.fail(`${JSON.stringify(bytes.toString('latin1'))}: ${fault}`)
    if (fastRequest(bytes) !== undefined) taken++
  }
  t.ok(taken > inputs / 20, `${taken} of ${inputs} were accepted by the fast path`)
})

t.test(`responses: both parsers agree (LOCALD_FUZZ_SEED=${seed})`, { timeout: 3_600_000 }, async t => {
  const pick = random(seed + 1)
  let whole = 0
  for (let i = 0; i < inputs; i++) {
    const text = responses[pick(responses.length)] ?? ''
    const bytes = Buffer.from(i < responses.length ? (responses[i] ?? '') : mutate(text, pick), 'latin1')
    const fault = responseFault(bytes, pick(8) === 0, pick(bytes.length + 1)) ?? repairFault(bytes)
    if (fault !== undefined) return void t.fail(`${JSON.stringify(bytes.toString('latin1'))}: ${fault}`)
    if (fastResponse(bytes, false, 0).messages.at(-1)?.whole === true) whole++
  }
  t.ok(whole > inputs / 20, `${whole} of ${inputs} were read to their end`)
})

t.test('finds a fault', async t => {
  // The bytes after a head with a length, read as if there were none.
  const [body] = llhttp('request', [Buffer.from(requests[4] ?? '')]).messages
  t.equal(body?.body, 'hello')
  t.equal(fastRequest(Buffer.from(requests[4] ?? '')), undefined)
  const split = llhttp('response', [Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel'), Buffer.from('lo')])
  t.match(split.messages, [{ body: 'hello', whole: true }])
})
