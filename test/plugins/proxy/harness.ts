import { once } from 'node:events'
import http, { type IncomingMessage, type RequestListener, type RequestOptions } from 'node:http'
import net, { type AddressInfo, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import type {
  Catalog,
  CatalogEntry,
  CatalogProject,
  Check,
  Fault,
  FeatureName,
  Host,
  LocaldEvent,
  ProcessTable,
  Route,
  Services,
  Warning,
} from '../../../kernel/contract/plugin.ts'
import { makeHooks } from '../../../kernel/plugins/hooks.ts'
import { StartingProjects } from '../../../kernel/projects/starting-projects.ts'
import { openAuthority } from '../../../plugins/https/ca/authority.ts'
import { LeafCertificates } from '../../../plugins/https/ca/leaf-certificates.ts'
import { proxy } from '../../../plugins/proxy/index.ts'
import { defaultLimits, type Limits } from '../../../plugins/proxy/limits.ts'
import type { Web } from '../../../plugins/proxy/service.ts'
import { fakeHost } from '../../lib/fake-host.ts'

const domains = ['internal', 'localhost', 'test']

/** No test waits longer for anything, ms. */
export const deadline = 10_000

export class FakeCatalog implements Catalog {
  readonly entries = new Map<string, CatalogEntry>()
  readonly tails = new Map<string, string[]>()
  readonly listeners = new Set<(event: LocaldEvent) => void>()
  readonly starting = new StartingProjects()
  list: CatalogProject[] = []
  readonly faults = new Map<string, Fault>()
  readonly standIns = new Set<string>()
  examined = 0
  waiting = 0
  scans = 0

  project(name: string, routes: Route[] = [], domain = `${name}.localhost`, wildcard = false): void {
    this.list.push({ name, path: `/home/me/${name}`, domain, routes, wildcard })
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
        if (off()) this.waiting--
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

  arriving(host: string): Promise<void> | undefined {
    return this.starting.find(host)
  }

  /** Finds what is in `faults`, as the kernel would, and shows it. */
  async examine(key: string): Promise<Fault | undefined> {
    this.examined++
    const fault = this.faults.get(key)
    const entry = this.entries.get(key)
    if (entry !== undefined && entry.fault !== fault) this.set(key, { fault })
    return fault
  }

  async hasStandIn(key: string): Promise<boolean> {
    return this.standIns.has(key)
  }

  async tail(key: string, lines: number): Promise<readonly string[]> {
    return (this.tails.get(key) ?? []).slice(-lines)
  }

  on(listener: (event: LocaldEvent) => void): () => boolean {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }
}

export interface Running {
  readonly catalog: FakeCatalog
  readonly web: Web
  readonly warnings: () => readonly Warning[]
  readonly port: number
  readonly securePort: number
  readonly ca: string
  /** Folder of the CA's files. */
  readonly caFolder: string
  readonly checks: Map<string, Check>
  readonly log: string[]
  readonly host: Host
  close(): Promise<void>
}

export interface Wish {
  readonly limits?: Partial<Limits>
  readonly env?: string | undefined
  readonly features?: readonly FeatureName[]
  readonly holder?: string
  /** Who listens on the proxy's port of all addresses, as macOS allows. */
  readonly overshadowed?: string
  /** With TLS on any port, by a CA of the test's own. */
  readonly https?: boolean
  readonly options?: { readonly redirect: boolean }
}

/** Boots the plugin as the daemon would; `LOCALD_HTTP_PORT` is 0 unless told. */
export async function boot(t: Test, wish: Wish = {}): Promise<Running> {
  const catalog = new FakeCatalog()
  const log: string[] = []
  const checks = new Map<string, Check>()
  const closers: (() => Promise<void> | void)[] = []
  const provided: { web?: Web } = {}
  const hooks = makeHooks(() => {})
  let warnings: () => readonly Warning[] = () => []
  const missing = (name: string) => (): never => {
    throw new Error(`${name} is not there`)
  }
  const processTable: ProcessTable = {
    orphansReturn: false,
    start: missing('start'),
    members: missing('members'),
    usage: missing('usage'),
    listeners: missing('listeners'),
    owns: missing('owns'),
    isStrangers: missing('isStrangers'),
    holder: async () => wish.holder,
    overshadowed: async () => wish.overshadowed,
    sweep: missing('sweep'),
  }
  const authority = wish.https === true ? openAuthority(join(t.testdir(), 'ca'), domains) : undefined
  const certificates = authority && new LeafCertificates(authority, domains)
  const offered: Partial<Services> = {
    catalog,
    memory: { rest: () => undefined, discarded: () => undefined },
    processTable,
    ...(certificates === undefined ? {} : { certificates }),
  }
  const use: Services = new Proxy(Object.create(null), {
    get: (_, name) => Reflect.get(offered, name) ?? Reflect.get(provided, name) ?? missing(String(name))(),
  })
  const host = fakeHost({
    options: wish.options ?? {},
    platform: { os: 'linux', release: 6, arch: 'x64', uid: 1000 },
    hooks,
    log: {
      info: text => void log.push(`info ${text}`),
      warn: text => void log.push(`warn ${text}`),
      error: text => void log.push(`error ${text}`),
    },
    use,
    has: name => wish.features?.includes(name) ?? false,
    check: check => void checks.set(check.id, check),
    warnings: list => {
      warnings = list
    },
    provide: (_name, make) => void Object.assign(provided, { web: make(use) }),
    onClose: close => void closers.push(close),
  })
  await proxy({ ...defaultLimits, ...wish.limits }).setup(host)
  const before = process.env['LOCALD_HTTP_PORT']
  const env = 'env' in wish ? wish.env : '0'
  if (env === undefined) delete process.env['LOCALD_HTTP_PORT']
  else process.env['LOCALD_HTTP_PORT'] = env
  process.env['LOCALD_HTTPS_PORT'] = '0'
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
  const ca = authority === undefined ? '' : authority.certificate.toString()
  const caFolder = authority === undefined ? '' : dirname(authority.file)
  return {
    catalog,
    web,
    warnings,
    caFolder,
    port: web.http ?? -1,
    securePort: web.https ?? -1,
    ca,
    checks,
    log,
    host,
    close,
  }
}

/** A service on a free port of 127.0.0.1 that ends with the test. */
export async function serve(
  t: Test,
  listener: RequestListener,
  host = '127.0.0.1',
): Promise<http.Server & { port: number }> {
  return listening(t, http.createServer(listener), host)
}

export async function raw(t: Test, listener: (socket: Socket) => void): Promise<net.Server & { port: number }> {
  return listening(
    t,
    net.createServer({ allowHalfOpen: true }, socket => {
      socket.on('error', () => undefined)
      listener(socket)
    }),
  )
}

export async function listening<S extends net.Server>(
  t: Test,
  server: S,
  host = '127.0.0.1',
): Promise<S & { port: number }> {
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

export function addressOf(server: net.Server): AddressInfo {
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('not listening')
  return address
}

/** Points `project:service` at a port. */
export function at(port: number, host = '127.0.0.1'): Partial<CatalogEntry> {
  return { port, upstream: { host, port }, status: 'running' }
}

export interface Got {
  readonly status: number
  readonly res: IncomingMessage
  readonly body: string
  header(name: string): string | undefined
}

/** One request over a connection of its own. */
export async function get(
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

export function headerOf(res: IncomingMessage, name: string): string | undefined {
  const value = res.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

export async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('latin1')
}

/** A client that writes bytes and sees bytes. */
export class Wire {
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
    if (fits(this)) return this.text
    await new Promise<void>((resolve, reject) => {
      const state = (): string =>
        `${JSON.stringify(this.text.slice(-2000))}, ended ${this.ended}, closed ${this.closed}`
      const timer = setTimeout(() => end(), deadline)
      const end = (): void => {
        clearTimeout(timer)
        this.socket.off('look', look)
        if (fits(this)) resolve()
        else reject(new Error(`${what}; got ${state()}`))
      }
      const look = (): void => {
        if (fits(this) || this.closed) end()
      }
      this.socket.on('look', look)
    })
    return this.text
  }

  async has(part: string): Promise<string> {
    return this.until(wire => wire.text.includes(part), `waited for ${JSON.stringify(part)}`)
  }

  async end(): Promise<string> {
    return this.until(wire => wire.ended || wire.closed, 'waited for the end')
  }
}

export function wire(t: Test, port: number): Wire {
  const made = new Wire(port)
  t.teardown(() => made.socket.destroy())
  return made
}

/** Waits for a condition that some event makes true. */
export async function eventually(fits: () => boolean, what: string): Promise<void> {
  const end = performance.now() + deadline
  while (!fits()) {
    if (performance.now() > end) throw new Error(`never: ${what}`)
    await new Promise(resolve => setImmediate(resolve))
  }
}

export function gate(): { readonly promise: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined
  const promise = new Promise<void>(resolve => {
    open = resolve
  })
  return { promise, open }
}

/** A service that takes each connection's bytes and writes what it is told, so that nothing is hidden by a parser. */
export async function scripted(t: Test, answer: string): Promise<{ readonly port: number; readonly seen: string[] }> {
  const seen: string[] = []
  const server = await raw(t, socket => {
    let text = ''
    socket.setEncoding('latin1')
    socket.on('data', (data: string) => {
      text += data
      if (!text.includes('\r\n\r\n')) return
      seen.push(text)
      text = ''
      socket.end(Buffer.from(answer, 'latin1'))
    })
  })
  return { port: server.port, seen }
}

/** A port that was free a moment ago. */
export async function unused(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = addressOf(server)
  server.close()
  await once(server, 'close')
  return port
}

export function openFiles(): number {
  const report: unknown = process.report.getReport()
  const text = JSON.stringify(report)
  return Number(/"open_files":\{"soft":"?(\d+)/.exec(text)?.[1] ?? 0)
}
