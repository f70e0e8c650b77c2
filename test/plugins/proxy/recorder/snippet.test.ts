import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import type { ExchangeDetail } from '../../../../plugins/proxy/provides.ts'
import { snippetOf as makeSnippet } from '../../../../plugins/proxy/recorder/view/snippet.ts'
import { get } from '../lib/client.ts'
import { at, serve } from '../lib/services.ts'
import { type Inspected, inspected } from './harness.ts'

const run = promisify(execFile)
/** For one command, ms. */
const limitMs = 20_000

/** What the service received. */
interface Received {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

/** A proxy, and a service that keeps what it receives. */
async function start(t: Parameters<typeof serve>[0]) {
  const proxy = await inspected(t, { options: { record: 'full' } })
  const received: Received[] = []
  const { port } = await serve(t, async (req, res) => {
    const pieces: Buffer[] = []
    for await (const piece of req) pieces.push(piece)
    const { method, url, headers } = req
    received.push({ method, url, headers, body: Buffer.concat(pieces) })
    res.end('ok')
  })
  proxy.catalog.project('shop')
  proxy.catalog.set('shop:web', at(port))
  return { proxy, received, port }
}

async function snippetOf(proxy: Inspected, id: string, query: string): Promise<string> {
  return JSON.parse((await proxy.get(`/requests/${id}/snippet?${query}`)).text).text
}

t.test('copies a request as commands that repeat it', async t => {
  const { proxy } = await start(t)
  const headers = { 'x-a': "d'e", 'x-b': '@b', 'x-c': '', cookie: 'a=1' }
  await get(proxy.port, 'shop.localhost', "/a?b='c'", { method: 'POST', body: "it's", headers })
  const { id } = await proxy.row(({ durationMs }) => durationMs !== null)
  t.equal(
    await snippetOf(proxy, id, 'as=curl'),
    `# without secret headers: cookie
curl -X POST \\
  'http://shop.localhost/a?b='\\''c'\\''' \\
  -H 'x-a: d'\\''e' \\
  -H 'x-b: @b' \\
  -H 'x-c;' \\
  -H 'Content-Type:' \\
  --data-raw 'it'\\''s'`,
  )
  t.match(await snippetOf(proxy, id, 'as=curl&reveal=true'), "-H 'cookie: a=1'")
  t.equal(
    await snippetOf(proxy, id, 'as=httpie'),
    `# without secret headers: cookie
http --raw='it'\\''s' \\
  POST \\
  'http://shop.localhost/a?b='\\''c'\\''' \\
  'x-a:d'\\''e' \\
  'x-b:\\@b' \\
  'x-c;'`,
  )
  t.match(
    await snippetOf(proxy, id, 'as=fetch'),
    /await fetch\("http:\/\/shop\.localhost\/a\?b='c'", \{\n {2}"method": "POST"/,
  )
})

t.test('quotes a method that a shell would run', async t => {
  const { proxy } = await start(t)
  await get(proxy.port, 'shop.localhost', '/')
  const { id } = await proxy.row(({ durationMs }) => durationMs !== null)
  const detail: ExchangeDetail = JSON.parse((await proxy.get(`/requests/${id}`)).text)
  for (const method of ['a|b', '`a`', "$a&'b"]) {
    const word = `'${method.replace("'", "'\\''")}'`
    t.match(makeSnippet({ ...detail, method }, 'curl'), `curl -X ${word} \\\n`)
    t.match(makeSnippet({ ...detail, method }, 'httpie'), `http ${word} \\\n`)
  }
})

const text = { 'content-type': 'text/plain' }
const cases: Readonly<
  Record<
    string,
    { readonly path: string; readonly body?: string | Buffer; readonly headers?: Readonly<Record<string, string>> }
  >
> = {
  'a GET': { path: '/plain?a=b&c=%20d' },
  "a URL with ' and $": { path: "/it's/$HOME/`id`/!?b='c'" },
  'a URL with brackets': { path: '/list?id[]=1&x={a,b}&r=[1-3]' },
  'a URL with dots': { path: '/a/../b/./c' },
  quotes: { path: '/quotes', body: `it's "so" \\ $HOME \`id\` !! %s`, headers: text },
  newlines: { path: '/newlines', body: '\r\none\n\ntwo\r\n\n', headers: text },
  'a body that names a file': { path: '/at', body: '@/etc/hostname', headers: text },
  'a body like a flag': { path: '/dash', body: '--help', headers: text },
  'characters of Unicode': { path: '/unicode', body: 'hällo €🙂\u2028', headers: text },
  'every byte': { path: '/binary', body: Buffer.from(Array.from({ length: 256 }, (_, i) => i)), headers: text },
  'a binary body without a type': { path: '/typeless', body: Buffer.from([0, 255, 10]) },
  'a compressed body': {
    path: '/gzip',
    body: gzipSync(`{"a":"it's"}`),
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
  },
  'odd headers': {
    path: '/headers',
    headers: { 'x-empty': '', 'x-quote': `d'e "f" $HOME`, 'x-at': '@a', 'x-eq': '=b' },
  },
}

/** Headers that must be the same. */
const compared = /^(?:content-type|content-encoding|x-(?:empty|quote|at|eq))$/

function essenceOf({ method, url, headers, body }: Received) {
  const kept = Object.entries(headers).filter(([name]) => compared.test(name))
  return { method, url, body: body.toString('latin1'), headers: Object.fromEntries(kept) }
}

t.test('the commands for curl and fetch send the same', async t => {
  const { proxy, received, port } = await start(t)
  for (const [what, { path, body, headers = {} }] of Object.entries(cases)) {
    const sent = body === undefined ? { headers } : { method: 'PUT', headers, body }
    await get(proxy.port, 'shop.localhost', path, sent)
    const { id } = await proxy.row(row => row.path === path && row.durationMs !== null)
    const first = received.at(-1)
    if (first === undefined) throw new Error('nothing received')
    const essence = essenceOf(first)
    const { 'content-encoding': coding, ...plain } = essence.headers
    // What is compressed is sent as the text that was shown.
    const expected = coding === undefined ? essence : { ...essence, headers: plain, body: `{"a":"it's"}` }
    const snippet = async (as: string) =>
      (await snippetOf(proxy, id, `as=${as}`)).replace('http://shop.localhost', `http://127.0.0.1:${port}`)
    const curl = (await snippet('curl')).replace('curl', 'curl -sS')
    await run('sh', ['-c', curl], { timeout: limitMs })
    t.strictSame(essenceOf(received.at(-1) ?? first), expected, `curl, ${what}`)
    const code = await snippet('fetch')
    await run(process.execPath, ['--input-type=module', '-e', code], { timeout: limitMs })
    // The URL Standard encodes some characters and resolves dots.
    const { pathname, search } = new URL(path, 'http://a')
    t.strictSame(essenceOf(received.at(-1) ?? first), { ...expected, url: pathname + search }, `fetch, ${what}`)
  }
  t.equal(received.length, 3 * Object.keys(cases).length)
})
