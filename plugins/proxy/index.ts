import type { Host, Plugin, PortTraffic } from '../../kernel/contract/plugin.ts'
import { type ShapeOf, shape } from '../../kernel/contract/shape.ts'
import { LocaldError, messageOf } from '../../kernel/errors.ts'
import type { Certificates } from '../https/provides.ts'
import { readFrontArrival } from './front/arrival.ts'
import { FrontRouter } from './front/router.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { maxDescriptors } from './listen/descriptor-limit.ts'
import { SchemePort } from './listen/scheme-port.ts'
import type { Web } from './provides.ts'
import { Inspector } from './recorder/inspector.ts'
import { Recorder } from './recorder/recorder.ts'
import { type Recorded, requestRoutes } from './recorder/routes.ts'
import { requestTopic } from './recorder/topic.ts'
import { RequestWatch } from './request-watch.ts'
import { Router } from './routing/router.ts'
import { ProxyServer } from './server.ts'

/** How to free a port of the proxy for a service. */
const moveHint = 'move the proxy: set LOCALD_HTTP_PORT or LOCALD_HTTPS_PORT and run `locald server restart`'

const options = shape({
  type: 'object',
  properties: {
    redirect: {
      type: 'boolean',
      default: false,
      description: 'Redirect plain HTTP requests to HTTPS where HTTPS serves the name.',
    },
    record: {
      enum: ['off', 'metadata', 'full'],
      default: 'metadata',
      description: 'What is recorded of the latest requests: nothing, no bodies unless someone looks, or bodies, too.',
    },
  },
  additionalProperties: false,
})

/** How many requests are in a report of the session, without their bodies. */
const maxReported = 500

/** Creates the proxy plugin; tests pass smaller limits. */
export function proxy(limits: Limits = defaultLimits): Plugin {
  return {
    name: 'proxy',
    api: 1,
    after: ['https'],
    options,
    setup(host) {
      const http = new SchemePort(host, 'http', { variable: 'LOCALD_HTTP_PORT', best: 80, from: 8080 })
      const https = new SchemePort(host, 'https', { variable: 'LOCALD_HTTPS_PORT', best: 443, from: 8443 })
      let certificates: Certificates | undefined
      const isSecure = (name: string): boolean => https.port !== null && certificates?.covers(name) === true
      const web: Web = {
        url: name => (isSecure(name) ? `https://${name}${https.suffix}` : `http://${name}${http.suffix}`),
        get http() {
          return http.port
        },
        get https() {
          return https.port
        },
      }
      let server: ProxyServer | undefined
      let recorded: Recorded | undefined
      host.provide('web', () => web)
      const none: PortTraffic = { open: 0, connections: 0, usedAt: undefined }
      const requestWatch = new RequestWatch()
      host.provide('traffic', () => ({
        of: port => server?.pool.trafficOf(port) ?? none,
        watch: listener => requestWatch.add(listener),
      }))
      host.provide('fronts', () => ({
        open(spec) {
          if (server === undefined) throw starting()
          const router = new Router(
            host.use.catalog,
            web,
            { ...limits, lines: 0 },
            { wake: key => host.use.control.wake(key) },
          )
          const own = () => host.use.catalog.get(spec.key)?.hosts[0]
          return server.openFront(
            new FrontRouter(router, spec.key),
            readFrontArrival(spec, () => authorityOf(web, own())),
          )
        },
      }))
      const urlsChanged = host.urls(web.url)
      host.variable({
        ...{ name: 'LOCALD_URL', rank: 'override' },
        value: ({ hosts: [name] }) => (name === undefined ? undefined : web.url(name)),
      })
      host.status(() => ({ http: web.http, https: web.https }))
      host.warnings(() => [http, https].flatMap(each => each.problem ?? []))
      host.reserve({ host: 'locald.localhost', what: 'dashboard' })
      for (const scheme of [http, https])
        host.port({ name: "locald's own proxy", port: () => scheme.port, hint: moveHint })
      host.hooks.booted.tapPromise('proxy', async () => {
        const redirect = (name: string): boolean => optionsOf(host).redirect && isSecure(name)
        const descriptors = Math.min(limits.descriptors, maxDescriptors(host.platform.os))
        const recorder = new Recorder(optionsOf(host).record, host.folders.data)
        const dashboard = () => host.optional('dashboard')
        const wake = (key: string) => host.use.control.wake(key)
        const router = new Router(host.use.catalog, web, limits, { redirect, dashboard, wake })
        const created = new ProxyServer(router, {
          limits: { ...limits, descriptors },
          log: host.log,
          memory: host.use.memory,
          recorder: recorder.mode === 'off' ? undefined : recorder,
          requestWatch,
        })
        server = created
        const inspector = new Inspector(recorder, host.use.catalog, () => ({
          recorder,
          router,
          web,
          pool: created.pool,
        }))
        recorded = { recorder, inspector }
        await http.listen(() => created.createPlain())
        const contexts = certificatesOf(host)
        if (contexts !== undefined) await https.listen(() => created.createSecure(contexts))
        certificates = contexts
        urlsChanged()
      })
      const readRecorded = (): Recorded => {
        if (recorded === undefined) throw starting()
        return recorded
      }
      host.routes('/requests', requestRoutes(readRecorded))
      host.topic(requestTopic(readRecorded))
      host.report('requests', async () => await readRecorded().inspector.list({ tail: maxReported }))
      host.hooks.stopping.tapPromise('proxy', async ({ key }) => server?.drain(key))
      host.onClose(async () => {
        await server?.close()
        recorded?.recorder.close()
      })
      host.check({ id: 'proxy-http', title: 'Proxy', run: () => http.checkListening() })
      host.check({ id: 'proxy-port', title: 'Proxy port', run: () => http.checkPort() })
      host.check({ id: 'proxy-https', title: 'HTTPS proxy', run: () => https.checkListening() })
      host.check({ id: 'proxy-https-port', title: 'HTTPS proxy port', run: () => https.checkPort() })
    },
  }
}

export default proxy()

type Options = ShapeOf<typeof options>

function optionsOf({ options: given }: Host): Options {
  return isOptions(given) ? given : { redirect: false, record: 'metadata' }
}

// The kernel has validated them by the shape.
function isOptions(value: unknown): value is Options {
  return typeof value === 'object' && value !== null && 'redirect' in value && 'record' in value
}

function starting(): LocaldError {
  return new LocaldError('DAEMON_BUSY', 'the proxy is starting')
}

/** Returns the authority in the URL of a name. */
function authorityOf(web: Web, name: string | undefined): string | undefined {
  return name === undefined ? undefined : new URL(web.url(name)).host
}

/** Returns the certificates; undefined where their plugin is off or failed. */
function certificatesOf(host: Host): Certificates | undefined {
  try {
    return host.use.certificates
  } catch (error) {
    host.log.info(`HTTPS is off: ${messageOf(error)}`)
    return undefined
  }
}
