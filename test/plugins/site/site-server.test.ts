import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { LiveReload } from '../../../plugins/site/server/live-reload.ts'
import { SiteServer, type SiteServerInput } from '../../../plugins/site/server/site-server.ts'

interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

interface Site {
  readonly root: string
  get(path: string, headers?: Readonly<Record<string, string>>, method?: string): Promise<Reply>
}

const page = '<!doctype html><title>t</title><body>HOME</body>'

/** Resolves the character references of a page. */
function decodeReferences(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
}

/** Serves a folder with these files, beside a secret one. */
async function serve(
  t: Test,
  files: Readonly<Record<string, string>>,
  options: Partial<SiteServerInput> = {},
): Promise<Site> {
  const above = mkdtempSync(join(tmpdir(), 'locald-site-'))
  t.teardown(() => rmSync(above, { recursive: true, force: true }))
  const root = join(above, 'dist')
  for (const [name, text] of Object.entries({ '../outside/secret.txt': 'OUTSIDE', ...files })) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  const site = new SiteServer({ output: root, domain: 'shop.test', spa: false, reload: undefined, ...options })
  const server = createServer((asked, answer) => void site.respond(asked, answer)).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const get: Site['get'] = (path, headers = {}, method = 'GET') =>
    new Promise((resolve, reject) => {
      const asking = request({ host: '127.0.0.1', port, path, method, headers, agent: false, timeout: 10_000 })
      asking.once('error', reject)
      asking.once('timeout', () => asking.destroy(new Error(`no answer to ${path}`)))
      asking.once('response', answer => {
        const parts: Buffer[] = []
        answer.on('data', (part: Buffer) => parts.push(part))
        answer.once('error', reject)
        answer.once('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts).toString() }),
        )
      })
      asking.end()
    })
  return { root, get }
}

t.test('no path leads outside of the folder, or to a hidden file', async t => {
  const { root, get } = await serve(t, {
    'index.html': page,
    'sub/a.txt': 'INSIDE',
    '.env': 'HIDDEN',
    '.git/config': 'HIDDEN',
    'sub/.htpasswd': 'HIDDEN',
    '.well-known/security.txt': 'KNOWN',
  })
  symlinkSync('../outside', join(root, 'way-out'))
  symlinkSync('../outside/secret.txt', join(root, 'secret.txt'))
  symlinkSync('../outside/secret.txt', join(root, 'secret.html'))
  symlinkSync('/', join(root, 'sub/system'))
  symlinkSync('../.env', join(root, 'sub/env.txt'))
  symlinkSync('sub', join(root, 'way-in'))
  symlinkSync('loop', join(root, 'loop'))
  t.equal((await get('/way-in/a.txt')).body, 'INSIDE', 'a link within the folder')
  t.equal((await get('/.well-known/security.txt')).body, 'KNOWN')
  const outside = join(dirname(root), 'outside/secret.txt')
  for (const path of [
    ...['/secret.txt', '/secret', '/way-out/secret.txt', '/way-out/', `/sub/system${outside}`, '/sub/env.txt'],
    ...[
      '/../outside/secret.txt',
      '/sub/../../outside/secret.txt',
      '/..%2foutside%2fsecret.txt',
      '/.env',
      '/.git/config',
    ],
    ...['/%2e%2e/outside/secret.txt', '/%2e%2e%2foutside%2fsecret.txt', '/sub/%2ehtpasswd', '/sub%2f.htpasswd'],
    ...[
      '/..%5coutside%5csecret.txt',
      '/.env%00.txt',
      '/sub/a.txt%00',
      '/loop',
      '/%',
      '/%c0%ae%c0%ae/outside/secret.txt',
    ],
    ...['//outside/secret.txt', `/${outside}`, '/sub//a.txt', '/./sub/a.txt', '/sub/a.txt/', '/.'],
  ])
    t.equal((await get(path)).status, 404, path)

  const part = fc.constantFrom(
    ...[
      '..',
      '.',
      '%2e%2e',
      '%2E.',
      '',
      'sub',
      'outside',
      'secret.txt',
      'secret',
      'way-out',
      'way-in',
      'a.txt',
      '.env',
    ],
    ...[
      '.git',
      'config',
      '.htpasswd',
      'system',
      'tmp',
      'env.txt',
      '%00',
      '%2f',
      '%5c',
      '\\',
      '%25',
      '?',
      '#',
      ';',
      '%ff',
    ],
    ...['.well-known', 'index.html', 'etc', 'passwd', dirname(root).slice(1), 'dist', '..%2f', '%252e%252e'],
  )
  const separator = fc.constantFrom('/', '//', '%2f', '\\', '%5c')
  const path = fc
    .array(fc.tuple(separator, part), { minLength: 1, maxLength: 8 })
    .map(parts => `/${parts.flat().join('')}`)
  await fc.assert(
    fc.asyncProperty(path, async path => {
      const { status, body, headers } = await get(path)
      const leak = /OUTSIDE|HIDDEN|root:x:/.test(body)
      const isElsewhere = headers.location !== undefined && !/^\/(?!\/)/.test(headers.location)
      if (leak || isElsewhere || ![200, 302, 404].includes(status)) throw new Error(`${status} ${body.slice(0, 80)}`)
    }),
    { numRuns: 1500 },
  )
})

t.test('finds pages by their clean URLs, and folders by a slash', async t => {
  const { get } = await serve(t, {
    'index.html': page,
    'about.html': 'ABOUT',
    'docs/index.html': 'DOCS',
    'both.html': 'PAGE',
    'both/index.html': 'FOLDER',
    'both/x.txt': 'X',
    'list.html': 'LIST',
    'list/x.txt': 'X',
    exact: 'EXACT',
    'exact.html': 'OTHER',
  })
  for (const [path, body] of Object.entries({
    '/': page,
    '/index.html': page,
    '/?q=1': page,
    '/about': 'ABOUT',
    '/about.html': 'ABOUT',
    '/docs/': 'DOCS',
    '/both.html': 'PAGE',
    '/both/': 'FOLDER',
    '/list': 'LIST',
    '/exact': 'EXACT',
  }))
    t.match(await get(path), { status: 200, body }, path)
  for (const [path, location] of Object.entries({
    '/docs': '/docs/',
    '/docs?a=1?b': '/docs/?a=1?b',
    '/both': '/both/',
    '/about/': '/about',
  }))
    t.match(await get(path), { status: 302, headers: { location } }, path)
})

t.test('serves names of any kind, and lists them escaped', async t => {
  const names = [
    'a b.txt',
    'ä.txt',
    '100%.txt',
    '%41.txt',
    'a#b?c.txt',
    '<img src=x onerror=alert(1)>.txt',
    `it's "q".txt`,
  ]
  const { root, get } = await serve(
    t,
    Object.fromEntries([...names, 'javascript:alert(1)', 'a\\b'].map(name => [name, name])),
  )
  const list = await get('/')
  t.match(list.headers['content-security-policy'], /default-src 'none'/)
  t.notMatch(list.body, '<img')
  const links = [...decodeReferences(list.body).matchAll(/href="(\.\/[^"]*)"/g)].map(
    ([, href = '']) => new URL(href, 'http://x/').pathname,
  )
  t.equal(links.length, names.length + 2)
  for (const link of links) {
    const name = decodeURIComponent(link.slice(1))
    t.match(await get(link), { status: 200, body: readFileSync(join(root, name), 'utf8') }, name)
  }
})

t.test('conditional requests, ranges and HEAD follow RFC 9110', async t => {
  const { get } = await serve(t, {
    'a.txt': '0123456789',
    'empty.txt': '',
    'app.mjs': '1',
    'a.wasm': '1',
    'index.html': page,
  })
  const whole = await get('/a.txt')
  t.match(whole.headers, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': '10',
    'accept-ranges': 'bytes',
  })
  const { etag = '', 'last-modified': modified = '' } = whole.headers
  t.match(await get('/a.txt', { 'if-none-match': etag }), { status: 304, body: '' })
  t.match(await get('/a.txt', { 'if-modified-since': modified }), { status: 304, body: '' })
  t.match(await get('/a.txt', { 'if-none-match': '"other"', 'if-modified-since': modified }), { status: 200 })
  const ranges: Readonly<Record<string, readonly [number, string]>> = {
    'bytes=2-4': [206, '234'],
    'bytes=-3': [206, '789'],
    'bytes=7-': [206, '789'],
    'bytes=0-99': [206, '0123456789'],
    'bytes=10-': [416, ''],
    'bytes=0-1,4-5': [200, '0123456789'],
    'lines=1-2': [200, '0123456789'],
  }
  for (const [range, [status, body]] of Object.entries(ranges)) {
    const reply = await get('/a.txt', { range })
    if (status === 416) t.match(reply, { status, headers: { 'content-range': 'bytes */10' } }, range)
    else t.match(reply, { status, body }, range)
  }
  for (const validator of ['"other"', etag, etag.slice(2), 'Tue, 01 Jan 2199 00:00:00 GMT', 'yesterday'])
    t.match(await get('/a.txt', { range: 'bytes=2-4', 'if-range': validator }), { status: 200, body: '0123456789' })
  t.match(await get('/a.txt', { range: 'bytes=2-4', 'if-range': modified }), { status: 206, body: '234' })
  t.match(await get('/a.txt', { range: 'bytes=90-', 'if-range': etag }), { status: 200, body: '0123456789' })
  t.match(await get('/a.txt', {}, 'HEAD'), { status: 200, body: '', headers: { 'content-length': '10' } })
  t.match(await get('/empty.txt'), { status: 200, body: '', headers: { 'content-length': '0' } })
  t.match((await get('/app.mjs')).headers['content-type'], /^(?:text|application)\/javascript; charset=utf-8$/)
  t.equal((await get('/a.wasm')).headers['content-type'], 'application/wasm')
  t.match(await get('/a.txt', {}, 'POST'), { status: 405, headers: { allow: 'GET, HEAD' } })
  t.equal((await get('/a.txt', { host: 'evil.example' })).status, 421, 'a name that leads here')
  t.match(await get('/missing.txt', {}, 'HEAD'), { status: 404, body: '' })
})

t.test('an app that routes in the browser gets index.html, and only for navigations', async t => {
  const { get } = await serve(t, { 'index.html': page, 'a.js': '1' }, { spa: true })
  t.match(await get('/users/7'), { status: 200, body: page })
  t.match(await get('/users/7', { 'sec-fetch-dest': 'document' }), { status: 200, body: page })
  t.equal((await get('/users/7', { 'sec-fetch-dest': 'empty' })).status, 404)
  t.equal((await get('/users/7', { accept: 'application/json' })).status, 404)
  t.equal((await get('/missing.js')).status, 404)
  t.equal((await get('/.env')).status, 404)
})

t.test('a missing path gets 404.html, or a page that names the way out', async t => {
  const own = await serve(t, { 'index.html': page, '404.html': 'OWN', 'sub/a.txt': 'a' })
  for (const path of ['/nope', '/nope.png', '/sub/']) t.match(await own.get(path), { status: 404, body: 'OWN' }, path)
  const none = await serve(t, { 'index.html': page })
  t.match((await none.get('/users/7')).body, /spa = true/)
  t.notMatch((await none.get('/x.png')).body, /spa = true/)
})

t.test('pages get the script that reloads them, other files do not', async t => {
  const utf16 = '\ufeff<body></body>'
  const files = { 'index.html': page, 'bare.html': 'no body', 'a.txt': page, '404.html': '<BODY>OWN</BODY >' }
  const { root, get } = await serve(t, files, { reload: new LiveReload(() => false) })
  writeFileSync(join(root, 'utf16.html'), Buffer.from(utf16, 'utf16le'))
  const script = '<script src="/_locald/reload.js"></script>'
  const home = await get('/')
  t.equal(home.body, page.replace('</body>', `${script}</body>`))
  t.equal(home.headers['content-length'], String(home.body.length))
  t.match(await get('/', {}, 'HEAD'), { headers: { 'content-length': String(home.body.length) }, body: '' })
  t.match(await get('/', { range: 'bytes=0-3' }), { status: 200, body: home.body })
  t.match(await get('/', { 'if-none-match': home.headers.etag ?? '' }), { status: 304, body: '' })
  t.equal((await get('/bare')).body, `no body${script}`)
  t.match(await get('/nope'), { status: 404, body: `<BODY>OWN${script}</BODY >` })
  t.equal((await get('/a.txt')).body, page)
  t.notMatch((await get('/utf16')).body, 'script')
  t.match((await get('/', { 'x-forwarded-prefix': '/docs' })).body, 'src="/docs/_locald/reload.js"')
  t.notMatch((await get('/', { 'x-forwarded-prefix': '/"><b>' })).body, '<b>')
  t.match(await get('/_locald/reload.js'), { status: 200, body: 'EventSource' })
})
