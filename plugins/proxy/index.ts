import type { Host, Plugin } from '../../kernel/contract/plugin.ts'
import { type ShapeOf, shape } from '../../kernel/contract/shape.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Certificates } from '../https/provides.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { maxDescriptors } from './listen/descriptor-limit.ts'
import { SchemePort } from './listen/scheme-port.ts'
import type { Web } from './provides.ts'
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
  },
  additionalProperties: false,
})

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
      host.provide('web', () => web)
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
        const redirect = (name: string): boolean => readRedirect(host) && isSecure(name)
        const dashboard = () => host.optional('dashboard')
        const descriptors = Math.min(limits.descriptors, maxDescriptors(host.platform.os))
        const created = new ProxyServer(new Router(host.use.catalog, web, limits, { redirect, dashboard }), {
          limits: { ...limits, descriptors },
          log: host.log,
          memory: host.use.memory,
        })
        server = created
        await http.listen(() => created.createPlain())
        const contexts = certificatesOf(host)
        if (contexts !== undefined) await https.listen(() => created.createSecure(contexts))
        certificates = contexts
        urlsChanged()
      })
      host.hooks.stopping.tapPromise('proxy', async ({ key }) => server?.drain(key))
      host.onClose(() => server?.close())
      host.check({ id: 'proxy-http', title: 'Proxy', run: () => http.checkListening() })
      host.check({ id: 'proxy-port', title: 'Proxy port', run: () => http.checkPort() })
      host.check({ id: 'proxy-https', title: 'HTTPS proxy', run: () => https.checkListening() })
      host.check({ id: 'proxy-https-port', title: 'HTTPS proxy port', run: () => https.checkPort() })
    },
  }
}

export default proxy()

function readRedirect({ options: given }: Host): boolean {
  return isOptions(given) && given.redirect
}

// The kernel has validated them by the shape.
function isOptions(value: unknown): value is ShapeOf<typeof options> {
  return typeof value === 'object' && value !== null && 'redirect' in value
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
