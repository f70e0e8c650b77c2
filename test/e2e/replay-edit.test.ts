import { readdirSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import { resolvePaths } from '../../kernel/system/paths.ts'
import type { ExchangeDetail, ExchangesAnswer, ExchangeView } from '../../plugins/proxy/provides.ts'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'

/** Sends back what it received, as JSON. */
const server = `import { createServer } from 'node:http'
createServer(async (req, res) => {
  const pieces = []
  for await (const piece of req) pieces.push(piece)
  const { method, url, rawHeaders } = req
  res.end(JSON.stringify({ method, url, rawHeaders, body: Buffer.concat(pieces).toString('latin1') }))
}).listen(process.env.PORT, '127.0.0.1')
`

/** What the service received; the body with one character for each byte. */
interface Received {
  readonly method: string
  readonly url: string
  readonly rawHeaders: readonly string[]
  readonly body: string
}

/** Every value of a byte, and no text. */
const binary = Buffer.from(Array.from({ length: 256 }, (_, i) => i))

t.test('edits a request in $EDITOR and sends it again', async t => {
  const sandbox = new Sandbox(t)
  sandbox.write(join(resolvePaths({ env: sandbox.env }).config, 'config.toml'), '[proxy]\nrecord = "full"\n')
  const project = sandbox.project('shop', {
    'locald.toml': '[project]\nname = "shop"\n[services.web]\ncommand = "node server.mjs"\n',
    'server.mjs': server,
  })
  await sandbox.up(project)
  const port = await sandbox.http()

  const list = async (): Promise<readonly ExchangeView[]> => {
    const { stdout } = await sandbox.ok(['requests', '--json', '-n', '500'])
    const requests: ExchangesAnswer['requests'] = stdout
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line))
    return requests
  }
  /** Sends a request to the service; returns its id. */
  const send = async (path: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<string> => {
    await new Promise<void>((resolve, reject) => {
      const sent = { host: '127.0.0.1', port, path, method: 'POST', agent: false }
      const asking = request({ ...sent, headers: { host: 'shop.localhost', ...headers } }, response =>
        response.resume().once('end', resolve),
      )
      asking.once('error', reject)
      asking.end(body)
    })
    const row = await until(path, async () =>
      (await list()).find(each => each.path.split('?')[0] === path.split('?')[0] && each.durationMs !== null),
    )
    return row.id
  }
  /** Runs `replay --edit` with an editor: a program of Node.js that has `text`, one character for each byte, and sets it. */
  const edit = async (id: string, change: string, args: readonly string[] = [], editor = 'EDITOR') => {
    const script = join(sandbox.home, 'editor.mjs')
    sandbox.write(
      script,
      `import { readFileSync, statSync, writeFileSync } from 'node:fs'
      const file = process.argv.at(-1)
      if ((statSync(file).mode & 0o077) !== 0) process.exit(9)
      let text = readFileSync(file, 'latin1')
      ${change}
      writeFileSync(file, text, 'latin1')`,
    )
    const env = { [editor]: `${process.execPath} ${script}`, ...(editor === 'VISUAL' ? { EDITOR: 'false' } : {}) }
    return await sandbox.run(['replay', id, '--edit', '--json', ...args], { cwd: project, env })
  }
  const receivedBy = async (ran: { readonly stdout: string; readonly stderr: string }): Promise<Received> => {
    if (ran.stdout === '') throw new Error(ran.stderr)
    const { id }: ExchangeView = JSON.parse(ran.stdout)
    const detail: ExchangeDetail = JSON.parse((await sandbox.ok(['requests', 'show', id, '--json', '--reveal'])).stdout)
    return JSON.parse(detail.responseBody.text ?? '')
  }
  /** How many were sent so far. */
  const count = async () => (await list()).length

  await t.test('method, path, headers and body, secrets included', async t => {
    const id = await send('/orders?token=hidden', 'one\ntwo', {
      'X-A': '1',
      'X-B': '2',
      Authorization: 'Bearer hidden',
    })
    const ran = await edit(
      id,
      `if (!text.includes('Bearer hidden') || !text.includes('/orders?token=hidden')) process.exit(8)
      text = text.replace('POST /orders?token=hidden', 'PUT /b?c=1').replace('X-A: 1', 'X-A: drei \\xe2\\x82\\xac')
        .replace('X-B: 2\\n', '').replace('one\\ntwo', 'three\\n\\nfour') + '\\n'`,
    )
    t.equal(ran.code, 0, ran.stderr)
    const got = await receivedBy(ran)
    t.match(got, { method: 'PUT', url: '/b?c=1', body: 'three\n\nfour' })
    const headers = got.rawHeaders.join('\n')
    t.match(headers, `X-A\n${Buffer.from('drei €').toString('latin1')}`)
    t.match(headers, 'Authorization\nBearer hidden')
    t.match(headers, /Content-Length\n11\b/i)
    t.notMatch(headers, /X-B/)
  })

  await t.test('by $VISUAL first, with what -H and -d say on top', async t => {
    const id = await send('/visual', 'body')
    const ran = await edit(id, `text = text.replace('/visual', '/seen')`, ['-H', 'X-C: 3', '-d', 'own'], 'VISUAL')
    t.equal(ran.code, 0, ran.stderr)
    const got = await receivedBy(ran)
    t.match(got, { method: 'POST', url: '/seen', body: 'own' })
    t.match(got.rawHeaders.join('\n'), 'X-C\n3')
  })

  await t.test('keeps the newline that a body had, and no other', async t => {
    const id = await send('/newline', 'with\n')
    t.match(await receivedBy(await edit(id, `text = text.replace('with', 'still')`)), { body: 'still\n' })
    const without = await send('/no-newline', 'without')
    const ran = await edit(without, `text = text.replace('POST', 'PUT') + '\\n'`)
    t.match(await receivedBy(ran), { method: 'PUT', body: 'without' })
    t.match(await receivedBy(await edit(id, `text = text.slice(0, text.indexOf('\\n\\n'))`)), { body: '' })
  })

  await t.test('reads a file with CRLF, as on Windows', async t => {
    const id = await send('/windows', 'body', { 'X-A': '1' })
    const ran = await edit(id, `text = text.replace('X-A: 1', 'X-A: 2').replaceAll('\\n', '\\r\\n')`)
    const got = await receivedBy(ran)
    t.match(got, { url: '/windows', body: 'body' })
    t.match(got.rawHeaders.join('\n'), /X-A\n2\n/)
  })

  await t.test('encodes a path that is no ASCII', async t => {
    const id = await send('/plain', '')
    const ran = await edit(id, `text = text.replace('/plain', '/\\xc3\\xa4?b=\\xe2\\x82\\xac')`)
    t.match(await receivedBy(ran), { url: '/%C3%A4?b=%E2%82%AC' })
  })

  await t.test('sends a binary body as it was, or the one that was written', async t => {
    const id = await send('/binary', binary)
    const ran = await edit(id, `text = text.replace('/binary', '/again')`)
    t.match(ran.stderr, 'The body of 256 bytes is binary: it is sent as it was, unless you write another.')
    t.match(await receivedBy(ran), { url: '/again', body: binary.toString('latin1') })
    const written = await edit(id, `text += '\\x00\\xff\\x80'`)
    t.match(await receivedBy(written), { body: '\x00\xff\x80' })
  })

  await t.test('sends nothing when nothing was changed, or all was deleted', async t => {
    const id = await send('/aborted', 'body')
    const before = await count()
    const unchanged = await edit(id, '')
    t.match(unchanged, { code: 1, stdout: '', stderr: /^Nothing was changed, so nothing was sent\.\nHint: / })
    const empty = await edit(id, `text = '\\n'`)
    t.equal(empty.code, 2)
    t.match(`${empty.stderr}${empty.stdout}`, 'the text is empty: nothing was sent')
    t.equal(await count(), before)
    t.match(await receivedBy(await edit(id, '', ['-d', 'own'])), { url: '/aborted', body: 'own' })
  })

  await t.test('sends nothing when the editor fails, or writes no request', async t => {
    const id = await send('/fails', 'body')
    const before = await count()
    for (const [change, words] of [
      ['process.exit(3)', 'the editor exited with code 3: nothing was sent'],
      [`process.kill(process.pid, 'SIGTERM'); await new Promise(() => {})`, 'the editor exited with code 143'],
      [`text = text.replace('POST /fails', 'POST')`, "'POST' is not a method and a path"],
      [`text = text.replace('\\n\\n', '\\nno header\\n\\n')`, "'no header' is not a header"],
    ] as const) {
      const ran = await edit(id, change)
      t.equal(ran.code, 2, words)
      t.match(`${ran.stderr}${ran.stdout}`, words)
    }
    const missing = await sandbox.run(['replay', id, '--edit'], { cwd: project, env: { EDITOR: 'no-such-editor' } })
    t.match(missing, { code: 2, stderr: /exited with code 127: nothing was sent[\s\S]*\nHint: .*no-such-editor/ })
    t.equal(await count(), before)
  })

  await t.test('names the host that an edited header names', async t => {
    const id = await send('/host', 'body')
    const ran = await edit(id, `text = text.replace(/^host: .*$/im, 'Host: unknown.localhost')`)
    t.match(JSON.parse(ran.stdout), { host: 'unknown.localhost', status: 404, service: null })
  })

  t.strictSame(
    readdirSync(sandbox.home).filter(name => name.startsWith('locald-replay-')),
    [],
    'no file is left',
  )
})
