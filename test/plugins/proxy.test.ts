import { spawn } from 'node:child_process'
import { once } from 'node:events'
import http, { type IncomingMessage, type RequestListener, type RequestOptions } from 'node:http'
import net, { type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { AsyncSeriesHook, AsyncSeriesWaterfallHook } from 'tapable'
import { WebSocket, WebSocketServer } from 'ws'
import type {
  Catalog,
  CatalogEntry,
  CatalogProject,
  Check,
  FeatureName,
  Hooks,
  Host,
  LocaldEvent,
  ProcessTable,
  Route,
  Web,
} from '../../kernel/plugin.ts'
import proxyPlugin, { proxy } from '../../plugins/proxy/index.ts'
import { defaultLimits, type Limits } from '../../plugins/proxy/limits.ts'

/** No test waits longer for anything, ms. */
const deadline = 10_000

class FakeCatalog implements Catalog {
  readonly entries = new Map<string, CatalogEntry>()
  readonly tails = new Map<string, string[]>()
  readonly listeners = new Set<(event: LocaldEvent) => void>()
  list: CatalogProject[] = []
  waiting = 0
  scans = 0

  project(name: string, routes: Route[] = [], domain = `${name}.localhost`): void {
    this.list.push({ name, path: `/home/me/${name}`, domain, routes })
    this.emit({ event: 'project', project: name, path: `/home/me/${name}`, domain })
  }

  /** Adds or changes `project:service`. */
  set(key: string, changes: Partial<CatalogEntry> = {}): CatalogEntry {
    const [project = '', name = ''] = key.split(':')
    const fresh: CatalogEntry = {
      key,
      project,
      name,
      path: `/home/me/${project}`,
      type: 'exec',
      status: 'running',
      health: 'healthy',
      port: null,
      url: null,
      pid: 1,
      startedAt: null,
      restarts: 0,
      cpu: null,
      memory: null,
      reason: null,
      hosts: name === 'web' ? [`${project}.localhost`, `web.${project}.localhost`] : [`${name}.${project}.localhost`],
      upstream: null,
    }
    const entry = { ...fresh, ...this.entries.get(key), ...changes }
    this.entries.set(key, entry)
    this.emit({ event: 'service', service: entry })
    return entry
  }

  remove(key: string): void {
    this.entries.delete(key)
    this.emit({ event: 'removed', key })
  }

  emit(event: LocaldEvent): void {
    for (const listener of [...this.listeners]) listener(event)
  }

  projects(): readonly CatalogProject[] {
    return this.list
  }

  services(): readonly CatalogEntry[] {
    this.scans++
    return [...this.entries.values()]
  }

  get(key: string): CatalogEntry | undefined {
    return this.entries.get(key)
  }

  settled(key: string, signal: AbortSignal): Promise<CatalogEntry | undefined> {
    return new Promise((resolve, reject) => {
      this.waiting++
      const end = (): void => {
        off()
        this.waiting--
      }
      const look = (): void => {
        const entry = this.entries.get(key)
        if (entry !== undefined && ['waiting', 'starting', 'restarting'].includes(entry.status)) return
        end()
        resolve(entry)
      }
      const off = this.on(look)
      signal.addEventListener('abort', () => {
        end()
        reject(new Error('aborted'))
      })
      look()
    })
  }

  async tail(key: string, lines: number): Promise<readonly string[]> {
    return (this.tails.get(key) ?? []).slice(-lines)
  }

  on(listener: (event: LocaldEvent) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }
}

interface Running {
  readonly catalog: FakeCatalog
  readonly web: Web
  readonly port: number
  readonly checks: Map<string, Check>
  readonly log: string[]
  close(): Promise<void>
}

interface Wish {
  readonly limits?: Partial<Limits>
  readonly env?: string | undefined
  readonly features?: readonly FeatureName[]
  readonly holder?: string
}

/** Boots the plugin as the daemon would; `LOCALD_HTTP_PORT` is 0 unless told. */
async function boot(t: Test, wish: Wish = {}): Promise<Running> {
  const catalog = new FakeCatalog()
  const log: string[] = []
  const checks = new Map<string, Check>()
  const closers: (() => Promise<void> | void)[] = []
  const provided: { web?: Web } = {}
  const hooks: Hooks = {
    booted: new AsyncSeriesHook<[]>([]),
    project: new AsyncSeriesWaterfallHook(['plan']),
    env: new AsyncSeriesWaterfallHook(['env', 'service']),
    starting: new AsyncSeriesHook(['service']),
    ready: new AsyncSeriesHook(['service']),
    gone: new AsyncSeriesHook(['service']),
    down: new AsyncSeriesHook(['project']),
    closing: new AsyncSeriesHook<[]>([]),
  }
  const missing = (name: string) => (): never => {
    throw new Error(`${name} is not there`)
  }
  const processTable: ProcessTable = {
    orphansReturn: false,
    start: missing('start'),
    members: missing('members'),
    usage: missing('usage'),
    listeners: missing('listeners'),
    holder: async () => wish.holder,
    sweep: missing('sweep'),
  }
  const use = {
    catalog,
    processTable,
    get web(): Web {
      return provided.web ?? missing('web')()
    },
    get processes() {
      return missing('processes')()
    },
    get desktop() {
      return missing('desktop')()
    },
  }
  const host: Host = {
    options: {},
    platform: { os: 'linux', arch: 'x64', uid: 1000 },
    folders: { data: '/nowhere', config: '/nowhere', runtime: '/nowhere', native: '/nowhere' },
    hooks,
    log: {
      info: text => void log.push(`info ${text}`),
      warn: text => void log.push(`warn ${text}`),
      error: text => void log.push(`error ${text}`),
    },
    use,
    service: missing('service'),
    source: missing('source'),
    feature: missing('feature'),
    command: missing('command'),
    routes: missing('routes'),
    has: name => wish.features?.includes(name) ?? false,
    check: check => void checks.set(check.id, check),
    provide: (_name, make) => void Object.assign(provided, { web: make(use) }),
    onClose: close => void closers.push(close),
  }
  await proxy({ ...defaultLimits, ...wish.limits }).setup(host)
  const before = process.env['LOCALD_HTTP_PORT']
  const env = 'env' in wish ? wish.env : '0'
  if (env === undefined) delete process.env['LOCALD_HTTP_PORT']
  else process.env['LOCALD_HTTP_PORT'] = env
  await hooks.booted.promise()
  if (before === undefined) delete process.env['LOCALD_HTTP_PORT']
  else process.env['LOCALD_HTTP_PORT'] = before
  let closed = false
  const close = async (): Promise<void> => {
    if (closed) return
    closed = true
    for (const closer of closers.reverse()) await closer()
  }
  t.teardown(close)
  const web = use.web
  return { catalog, web, port: web.http ?? -1, checks, log, close }
}

/** A service on a free port of 127.0.0.1 that ends with the test. */
async function serve(t: Test, listener: RequestListener, host = '127.0.0.1'): Promise<http.Server & { port: number }> {
  return listening(t, http.createServer(listener), host)
}

async function raw(t: Test, listener: (socket: Socket) => void): Promise<net.Server & { port: number }> {
  return listening(
    t,
    net.createServer({ allowHalfOpen: true }, socket => {
      socket.on('error', () => undefined)
      listener(socket)
    }),
  )
}

async function listening<S extends net.Server>(t: Test, server: S, host = '127.0.0.1'): Promise<S & { port: number }> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, host)
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return Object.assign(server, { port: addressOf(server).port })
}

function addressOf(server: net.Server): AddressInfo {
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('not listening')
  return address
}

/** Points `project:service` at a port. */
function at(port: number, host = '127.0.0.1'): Partial<CatalogEntry> {
  return { port, upstream: { host, port }, status: 'running' }
}

interface Got {
  readonly status: number
  readonly res: IncomingMessage
  readonly body: string
  header(name: string): string | undefined
}

/** One request over a connection of its own. */
async function get(
  port: number,
  host: string,
  path = '/',
  options: RequestOptions & { body?: string | Buffer } = {},
): Promise<Got> {
  const req = http.request({
    host: '127.0.0.1',
    port,
    path,
    agent: false,
    ...options,
    headers: { host, ...options.headers },
    signal: AbortSignal.timeout(deadline),
  })
  req.end(options.body)
  const [res]: IncomingMessage[] = await once(req, 'response')
  if (res === undefined) throw new Error('no response')
  return { status: res.statusCode ?? 0, res, body: await textOf(res), header: name => headerOf(res, name) }
}

function headerOf(res: IncomingMessage, name: string): string | undefined {
  const value = res.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('latin1')
}

/** A client that writes bytes and sees bytes. */
class Wire {
  readonly socket: Socket
  text = ''
  ended = false
  closed = false
  error: Error | undefined

  constructor(port: number, host = '127.0.0.1') {
    this.socket = net.connect({ host, port, allowHalfOpen: true })
    this.socket.setNoDelay(true)
    this.socket.setEncoding('latin1')
    this.socket.on('data', (data: string) => {
      this.text += data
      this.socket.emit('look')
    })
    this.socket.on('end', () => {
      this.ended = true
      this.socket.emit('look')
    })
    this.socket.on('error', error => {
      this.error = error
    })
    this.socket.on('close', () => {
      this.closed = true
      this.socket.emit('look')
    })
  }

  send(text: string): this {
    this.socket.write(Buffer.from(text, 'latin1'))
    return this
  }

  /** Waits until what was seen fits. */
  async until(fits: (wire: Wire) => boolean, what: string): Promise<string> {
    const timeout = AbortSignal.timeout(deadline)
    while (!fits(this)) {
      await once(this.socket, 'look', { signal: timeout }).catch(() => {
        throw new Error(
          `${what}; got ${JSON.stringify(this.text.slice(-2000))}, ended ${this.ended}, closed ${this.closed}`,
        )
      })
    }
    return this.text
  }

  async has(part: string): Promise<string> {
    return this.until(wire => wire.text.includes(part), `waited for ${JSON.stringify(part)}`)
  }

  async end(): Promise<string> {
    return this.until(wire => wire.ended || wire.closed, 'waited for the end')
  }
}

function wire(t: Test, port: number): Wire {
  const made = new Wire(port)
  t.teardown(() => made.socket.destroy())
  return made
}

/** Waits for a condition that some event makes true. */
async function eventually(fits: () => boolean, what: string): Promise<void> {
  const end = performance.now() + deadline
  while (!fits()) {
    if (performance.now() > end) throw new Error(`never: ${what}`)
    await new Promise(resolve => setImmediate(resolve))
  }
}

function gate(): { readonly promise: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined
  const promise = new Promise<void>(resolve => {
    open = resolve
  })
  return { promise, open }
}

t.test('what it is', async t => {
  t.equal(proxyPlugin.name, 'proxy')
  t.equal(proxyPlugin.api, 1)
})

t.test('routing', async t => {
  const { port, catalog } = await boot(t)
  const name =
    (text: string): RequestListener =>
    (req, res) =>
      res.end(`${text} ${req.url} ${req.headers['x-forwarded-prefix'] ?? ''}`)
  const [web, api, old, blog] = await Promise.all(['web', 'api', 'old', 'blog'].map(text => serve(t, name(text))))
  catalog.project('shop', [
    { prefix: '/api', service: 'api', stripPrefix: false },
    { prefix: '/api/v0/', service: 'old', stripPrefix: true },
    { prefix: '/old', service: 'old', stripPrefix: true },
    { prefix: '/gone', service: 'gone', stripPrefix: false },
  ])
  catalog.project('blog', [], 'my.blog.test')
  catalog.set('shop:web', at(web?.port ?? 0))
  catalog.set('shop:api', at(api?.port ?? 0))
  catalog.set('shop:old', at(old?.port ?? 0))
  catalog.set('shop:queue', { hosts: [] })
  catalog.set('blog:site', { ...at(blog?.port ?? 0), hosts: ['my.blog.test'] })
  const cases: [host: string, path: string, body: string][] = [
    ['shop.localhost', '/x?y=1', 'web /x?y=1 '],
    ['SHOP.LocalHost:1234', '/', 'web / '],
    ['shop.localhost.', '/', 'web / '],
    ['shop.localhost.:80', '/', 'web / '],
    ['web.shop.localhost', '/api', 'web /api '],
    ['shop.localhost', '/api', 'api /api '],
    ['shop.localhost', '/api/', 'api /api/ '],
    ['shop.localhost', '/api/x?/apix', 'api /api/x?/apix '],
    ['shop.localhost', '/api?q', 'api /api?q '],
    ['shop.localhost', '/apix', 'web /apix '],
    ['shop.localhost', '/API', 'web /API '],
    ['shop.localhost', '/api/v0', 'old / /api/v0'],
    ['shop.localhost', '/api/v0/a', 'old /a /api/v0'],
    ['shop.localhost', '/api/v00', 'api /api/v00 '],
    ['shop.localhost', '/old', 'old / /old'],
    ['shop.localhost', '/old?a=b', 'old /?a=b /old'],
    ['shop.localhost', '/old/', 'old / /old'],
    ['shop.localhost', '/old/x/y?z', 'old /x/y?z /old'],
    ['api.shop.localhost', '/old', 'api /old '],
    ['tenant.web.shop.localhost', '/api', 'web /api '],
    ['a.b.api.shop.localhost', '/', 'api / '],
    ['tenant.shop.localhost', '/', 'web / '],
    ['queue.shop.localhost', '/', 'web / '],
    ['my.blog.test', '/', 'blog / '],
    ['x.my.blog.test', '/', 'blog / '],
  ]
  for (const [host, path, body] of cases) {
    const got = await get(port, host, path)
    t.equal(got.body, body, `${host}${path}`)
  }

  await t.test('an absolute target outranks the Host header', async t => {
    const text = await wire(t, port)
      .send('GET http://api.shop.localhost:9/p?q HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n')
      .end()
    t.match(text, /api \/p\?q/)
  })

  await t.test('a route to a service that was never started', async t => {
    const got = await get(port, 'shop.localhost', '/gone/x')
    t.equal(got.status, 503)
    t.match(got.body, /shop:gone, which was not started/)
    catalog.project('empty')
    const nobody = await get(port, 'empty.localhost', '/')
    t.equal(nobody.status, 404)
    t.match(nobody.body, /No service of empty owns empty.localhost/)
  })

  await t.test('changes are seen at once, without a scan for each request', async t => {
    const scans = catalog.scans
    for (let i = 0; i < 20; i++) await get(port, 'shop.localhost')
    t.equal(catalog.scans, scans, 'no scan while nothing changes')
    catalog.emit({ event: 'step', key: 'shop:web', text: 'x' })
    await get(port, 'shop.localhost')
    t.equal(catalog.scans, scans, 'a step is no change')
    catalog.set('shop:web', at(api?.port ?? 0))
    t.match((await get(port, 'shop.localhost')).body, /^api/)
    t.equal(catalog.scans, scans + 1)
    catalog.remove('shop:api')
    t.match((await get(port, 'shop.localhost', '/api')).body, /not started/)
  })

  await t.test('a Host that is none', async t => {
    const heads = [
      'GET / HTTP/1.1\r\n\r\n',
      'GET / HTTP/1.0\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: \r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a b\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: shop.localhost/\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a..localhost\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: shop.localhost:99999\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: me@shop.localhost\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: shöp.localhost\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: shop.localhost\r\nHost: api.shop.localhost\r\n\r\n',
      'GET shop.localhost HTTP/1.1\r\nHost: shop.localhost\r\n\r\n',
      'GET * HTTP/1.1\r\nHost: shop.localhost\r\n\r\n',
    ]
    for (const head of heads) {
      const text = await wire(t, port).send(head).end()
      t.match(text, /^HTTP\/1.1 400 [^]*(X-Locald: bad-request)/, head)
    }
  })
})
