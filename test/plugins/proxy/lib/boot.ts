import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { FastifyPluginAsync } from 'fastify'
import type { Test } from 'tap'
import type {
  Check,
  FeatureName,
  Host,
  ProcessTable,
  Services,
  Topic,
  Traffic,
  Warning,
} from '../../../../kernel/contract/plugin.ts'
import { makeHooks } from '../../../../kernel/plugins/hooks.ts'
import { openAuthority } from '../../../../plugins/https/ca/authority.ts'
import { LeafCertificates } from '../../../../plugins/https/ca/leaf-certificates.ts'
import { proxy } from '../../../../plugins/proxy/index.ts'
import { defaultLimits, type Limits } from '../../../../plugins/proxy/limits.ts'
import type { Web } from '../../../../plugins/proxy/provides.ts'
import { fakeHost } from '../../../lib/fake-host.ts'
import { FakeCatalog } from './catalog.ts'

const domains = ['internal', 'localhost', 'test']

/** The proxy, booted for a test. */
export interface Running {
  readonly catalog: FakeCatalog
  readonly web: Web
  readonly traffic: Traffic
  readonly warnings: () => readonly Warning[]
  readonly port: number
  readonly securePort: number
  readonly ca: string
  /** The folder of the CA's files. */
  readonly caFolder: string
  readonly checks: Map<string, Check>
  readonly log: string[]
  readonly host: Host
  /** The routes that the plugin adds to the API, by prefix. */
  readonly routes: ReadonlyMap<string, FastifyPluginAsync>
  readonly topics: readonly Topic[]
  /** The daemon's data folder. */
  readonly data: string
  close(): Promise<void>
}

export interface BootOptions {
  readonly limits?: Partial<Limits>
  readonly env?: string | undefined
  readonly features?: readonly FeatureName[]
  readonly holder?: string
  /** The program that listens on the proxy's port of all addresses, as macOS allows. */
  readonly overshadowed?: string
  /** With TLS on any port, by a CA of the test. */
  readonly https?: boolean
  /** Starts a service that was stopped because it was not used. */
  readonly wake?: (key: string) => Promise<void>
  readonly options?: { readonly redirect?: boolean; readonly record?: 'off' | 'metadata' | 'full' }
}

/** Boots the plugin as the daemon does, with `LOCALD_HTTP_PORT=0` by default. */
export async function boot(t: Test, options: BootOptions = {}): Promise<Running> {
  const catalog = new FakeCatalog()
  const log: string[] = []
  const checks = new Map<string, Check>()
  const data = mkdtempSync(join(tmpdir(), 'locald-proxy-'))
  t.teardown(() => rmSync(data, { recursive: true, force: true }))
  const routes = new Map<string, FastifyPluginAsync>()
  const topics: Topic[] = []
  const closers: (() => Promise<void> | void)[] = []
  const provided: { web?: Web; traffic?: Traffic } = {}
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
    reachesOtherUser: missing('reachesOtherUser'),
    holder: async () => options.holder,
    overshadowed: async () => options.overshadowed,
    sweep: missing('sweep'),
  }
  const authority = options.https === true ? openAuthority(join(t.testdir(), 'ca'), domains) : undefined
  const certificates = authority && new LeafCertificates(authority, domains)
  const offered: Partial<Services> = {
    catalog,
    memory: { rest: () => undefined, discarded: () => undefined },
    processTable,
    control: {
      paused: (_key, work) => work(),
      ...{ stop: missing('stop'), wake: options.wake ?? missing('wake'), warn: missing('warn'), note: missing('note') },
    },
    ...(certificates === undefined ? {} : { certificates }),
  }
  const use: Services = new Proxy(Object.create(null), {
    get: (_, name) => Reflect.get(offered, name) ?? Reflect.get(provided, name) ?? missing(String(name))(),
  })
  const host = fakeHost({
    options: { redirect: false, record: 'metadata', ...options.options },
    platform: { os: 'linux', release: 6, arch: 'x64', uid: 1000 },
    hooks,
    log: {
      info: text => void log.push(`info ${text}`),
      warn: text => void log.push(`warn ${text}`),
      error: text => void log.push(`error ${text}`),
    },
    use,
    optional: name => offered[name],
    has: name => options.features?.includes(name) ?? false,
    folders: { data, config: '/c', runtime: '/r', sockets: '/r', native: '/n' },
    routes: (prefix, plugin) => void routes.set(prefix, plugin),
    topic: topic => void topics.push(topic),
    check: check => void checks.set(check.id, check),
    warnings: list => {
      warnings = list
    },
    provide: (name, make) => void Object.assign(provided, { [name]: make(use) }),
    onClose: close => void closers.push(close),
  })
  await proxy({ ...defaultLimits, ...options.limits }).setup(host)
  const before = process.env['LOCALD_HTTP_PORT']
  const env = 'env' in options ? options.env : '0'
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
    traffic: use.traffic,
    warnings,
    caFolder,
    port: web.http ?? -1,
    securePort: web.https ?? -1,
    ca,
    checks,
    log,
    host,
    routes,
    topics,
    data,
    close,
  }
}
