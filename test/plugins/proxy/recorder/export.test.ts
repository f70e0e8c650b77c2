import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import t from 'tap'
import { mask } from '../../../../kernel/lib/secrets.ts'
import { Masker } from '../../../../plugins/proxy/recorder/view/mask.ts'
import { get } from '../lib/client.ts'
import { at, serve } from '../lib/services.ts'
import { inspected } from './harness.ts'

const secrets = ['sk_live_0123456789', 'p@ss word/1']

t.test('masks headers, parameters, fields, and values of .env files', async t => {
  const masker = new Masker(secrets)
  t.equal(masker.header('Authorization', 'Bearer abc'), `Bearer ${mask}`)
  t.equal(masker.header('authorization', 'abc'), mask)
  t.equal(masker.header('Cookie', 'a=1; b=2'), `a=${mask}; b=${mask}`)
  t.equal(masker.header('Set-Cookie', 'a=1; Path=/'), `a=${mask}; Path=/`)
  t.equal(masker.header('X-Api-Key', 'abc'), mask)
  t.equal(masker.header('Accept', 'text/html;q=0.9'), 'text/html;q=0.9')
  t.equal(masker.header('Referer', 'http://a/?token=b&c=d'), `http://a/?token=${mask}&c=d`)
  t.equal(masker.path('/a?access_token=x&page=2&apiKey=y'), `/a?access_token=${mask}&page=2&apiKey=${mask}`)
  t.equal(masker.text('{"password": "a\\"b", "name": "ann"}'), `{"password": "${mask}", "name": "ann"}`)
  t.equal(masker.text('user=ann&password=b'), `user=ann&password=${mask}`)
  t.equal(masker.text('{"url":"redis://:word@db","code":"E1"}'), `{"url":"redis://:${mask}@db","code":"E1"}`)
  t.equal(masker.path('/login?code=abc&user%5Bpassword%5D=x'), `/login?code=${mask}&user%5Bpassword%5D=${mask}`)
  t.equal(masker.text('key sk_live_0123456789, p%40ss%20word%2F1'), `key ${mask}, ${mask}`)
  t.equal(new Masker(secrets, { isOff: true }).text('sk_live_0123456789'), 'sk_live_0123456789')
})

t.test('exports valid HAR, without secrets unless asked', async t => {
  const proxy = await inspected(t, { options: { record: 'full' } })
  proxy.catalog.secretValues.push(...secrets)
  const { port } = await serve(t, (req, res) => {
    req.resume()
    res.setHeader('set-cookie', ['session=hidden-cookie; Path=/', 'b=hidden-two'])
    if (req.url === '/png') res.writeHead(200, { 'content-type': 'image/png' }).end(Buffer.from([137, 80, 0, 255]))
    else if (req.url === '/sse')
      res.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: sk_live_0123456789\n\n')
    else
      res
        .writeHead(200, { 'content-type': 'application/json' })
        .end('{"apiKey":"hidden-field","env":"sk_live_0123456789"}')
  })
  proxy.catalog.project('shop')
  proxy.catalog.set('shop:web', at(port))
  const hidden = ['hidden-', ...secrets, 'p%40ss%20word%2F1', 'cF9hdXRo']
  const headers = { authorization: 'Basic cF9hdXRo', cookie: 'id=hidden-id', 'x-auth-token': 'hidden-token' }
  const host = 'shop.localhost'
  await get(proxy.port, host, '/page?token=hidden-query', { headers: { ...headers, 'sec-fetch-dest': 'document' } })
  await get(proxy.port, host, '/png', { headers: { referer: `http://${host}/page?token=hidden-query` } })
  await get(proxy.port, host, '/sse', { headers })
  await get(proxy.port, host, '/form', { method: 'POST', headers, body: 'password=hidden-form&x=p%40ss%20word%2F1' })
  await get(proxy.port, 'nobody.localhost', '/')
  await proxy.row(({ host: name }) => name === 'nobody.localhost')
  const rows = await proxy.list()
  const texts = await Promise.all([
    ...['/requests', '/requests/har'].map(async path => (await proxy.get(path)).text),
    ...rows.map(async ({ id }) => (await proxy.get(`/requests/${id}`)).text),
    ...['curl', 'fetch', 'httpie'].flatMap(as =>
      rows.map(async ({ id }) => (await proxy.get(`/requests/${id}/snippet?as=${as}`)).text),
    ),
  ])
  for (const text of texts) for (const secret of hidden) t.notOk(text.includes(secret), `${secret} in ${text}`)
  const har = JSON.parse(texts[1] ?? '')
  t.match(har.log.pages, [{ id: rows[0]?.id }])
  t.match(har.log.entries, [
    { pageref: rows[0]?.id },
    { pageref: rows[0]?.id, response: { content: { encoding: 'base64' } } },
  ])
  t.match(har.log.entries[2], { _webSocketMessages: [{ type: 'receive', data: 'data: masked' }] })
  const revealed = (await proxy.get('/requests/har?reveal=true')).text
  for (const secret of ['hidden-id', 'hidden-query', 'hidden-form', 'hidden-field', 'sk_live_0123456789', 'cF9hdXRo'])
    t.ok(revealed.includes(secret), secret)
  const validate = harValidator()
  for (const text of [texts[1] ?? '', revealed]) t.ok(validate(JSON.parse(text)), JSON.stringify(validate.errors))
  t.notOk(validate({ log: { version: '1.2' } }), 'the schema can fail')
})

t.test('hides what is no text and has secrets', async t => {
  const proxy = await inspected(t, { options: { record: 'full' } })
  proxy.catalog.secretValues.push(...secrets)
  const { port } = await serve(t, (req, res) => req.pipe(res))
  proxy.catalog.project('shop')
  proxy.catalog.set('shop:web', at(port))
  const part = (name: string, value: string) =>
    `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
  const text = `${part('user', 'ann')}${part('password', 'hidden-form')}--x--\r\n`
  const bodies = [text, Buffer.from(`\0${text}`), Buffer.from('\0a=sk_live_0123456789'), Buffer.from('\0user=ann')]
  for (const body of bodies) await get(proxy.port, 'shop.localhost', '/', { method: 'POST', body })
  await proxy.row(({ durationMs, id }) => durationMs !== null && id.endsWith('4'))
  const rows = await proxy.list()
  const details = await Promise.all(rows.map(({ id }) => proxy.detail(id)))
  t.match(details[0]?.requestBody.text, 'ann')
  t.notMatch(details[0]?.requestBody.text, 'hidden-form')
  for (const detail of details.slice(1, 3))
    t.match(detail.responseBody, { text: null, base64: null, note: 'Not text, and with secrets in it' })
  t.match(details[3]?.requestBody, { base64: Buffer.from('\0user=ann').toString('base64'), note: null })
  const revealed = await proxy.detail(rows[1]?.id ?? '', '?reveal=true')
  t.equal(Buffer.from(revealed.requestBody.base64 ?? '', 'base64').toString(), `\0${text}`)
})

t.test('exports no more than has room, however small the bodies were on the wire', async t => {
  const proxy = await inspected(t, { options: { record: 'full' } })
  const body = gzipSync(Buffer.alloc(8 * 1024 * 1024, 'a'))
  const { port } = await serve(t, (_, res) => res.writeHead(200, { 'content-encoding': 'gzip' }).end(body))
  proxy.catalog.project('shop')
  proxy.catalog.set('shop:web', at(port))
  for (let i = 0; i < 8; i++) await get(proxy.port, 'shop.localhost', '/')
  await proxy.row(({ durationMs, id }) => durationMs !== null && id.endsWith('8'))
  const { log } = JSON.parse((await proxy.get('/requests/har')).text)
  t.equal(log.entries.length, 8)
  t.equal(log.entries[0].response.content.text.length, 8 * 1024 * 1024)
  t.match(log.entries[7].response.content, { text: undefined, comment: 'Left out' })
})

function harValidator() {
  const folder = join(dirname(createRequire(import.meta.url).resolve('har-schema/package.json')), 'lib')
  const ajv = new Ajv({ strict: false })
  addFormats.default(ajv)
  ajv.addMetaSchema(
    JSON.parse(readFileSync(createRequire(import.meta.url).resolve('ajv/lib/refs/json-schema-draft-06.json'), 'utf8')),
  )
  for (const file of readdirSync(folder).filter(name => name.endsWith('.json')))
    ajv.addSchema(JSON.parse(readFileSync(join(folder, file), 'utf8')))
  const validate = ajv.getSchema('har.json#')
  if (validate === undefined) throw new Error('no schema')
  return validate
}
