import { messageOf } from '../../kernel/errors.ts'
import type { CheckResult, Host, Plugin, Web } from '../../kernel/plugin.ts'
import { Gate } from './gate.ts'
import { Lane } from './lane.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { type Listening, listen, portWish } from './listen.ts'

/** What came of listening; undefined before the daemon has booted. */
type State = { readonly is: Listening } | { readonly invalid: string } | undefined

/** The proxy as a plugin; tests give it smaller limits. */
export function proxy(limits: Limits = defaultLimits): Plugin {
  return {
    name: 'proxy',
    api: 1,
    setup(host) {
      let state: State
      let lane: Lane | undefined
      const web: Web = {
        url: name => `http://${name}${suffix(portOf(state))}`,
        get http() {
          return portOf(state)
        },
        https: null,
      }
      host.provide('web', () => web)
      host.hooks.booted.tapPromise('proxy', async () => {
        const wish = portWish(process.env['LOCALD_HTTP_PORT'], host.has('privileged-ports'))
        if (typeof wish === 'string') state = { invalid: wish }
        else {
          const made = new Lane(new Gate(host.use.catalog, web, limits), limits, host.log)
          lane = made
          state = { is: await listen(wish, () => made.server()) }
        }
        report(host, state)
      })
      host.onClose(() => lane?.close())
      host.check({ id: 'proxy-http', title: 'Proxy', run: async () => listens(host, state) })
      host.check({ id: 'proxy-port', title: 'Port of the proxy', run: async () => prefers(host, state) })
    },
  }
}

export default proxy()

function report(host: Host, state: State): void {
  if (state === undefined) return
  if ('invalid' in state) {
    host.log.error(`the proxy does not run: ${state.invalid}`)
    return
  }
  const { is } = state
  if (is.port === null) host.log.error(`the proxy does not run: port ${is.wanted} cannot be used (${is.code})`)
  else host.log.info(`the proxy listens on ${is.addresses.map(address => at(address, is.port)).join(' and ')}`)
}

async function listens(host: Host, state: State): Promise<CheckResult> {
  if (state === undefined) return { status: 'skip', severity: 'important', summary: 'the daemon is not running' }
  const fail = { status: 'fail', severity: 'important' } as const
  if ('invalid' in state)
    return {
      ...fail,
      summary: state.invalid,
      fix: 'Set LOCALD_HTTP_PORT to a port, or unset it, and run `locald server restart`.',
    }
  const { is } = state
  if (is.port !== null) {
    return {
      status: 'pass',
      severity: 'important',
      summary: `listens on ${is.addresses.map(address => at(address, is.port)).join(' and ')}`,
    }
  }
  const summary = `port ${is.wanted} ${await taken(host, is.wanted, is.code)}, so no service has a URL`
  return { ...fail, summary, fix: 'Free it or set LOCALD_HTTP_PORT to another port, and run `locald server restart`.' }
}

async function prefers(host: Host, state: State): Promise<CheckResult> {
  if (state === undefined || 'invalid' in state || state.is.port === null) {
    return { status: 'skip', severity: 'optional', summary: 'the proxy does not run' }
  }
  const { port, missed } = state.is
  if (missed === undefined) return { status: 'pass', severity: 'optional', summary: `${port}, as wished` }
  const summary = `${port}, because ${missed.port} ${await taken(host, missed.port, missed.code)}`
  return {
    status: 'warn',
    severity: 'optional',
    summary,
    fix: `Free port ${missed.port} and run \`locald server restart\`.`,
  }
}

async function taken(host: Host, port: number, code: string): Promise<string> {
  if (code === 'EACCES') return 'needs a privilege the daemon does not have'
  if (code !== 'EADDRINUSE') return `cannot be used (${code})`
  try {
    const holder = await host.use.processTable.holder(port)
    return holder === undefined ? 'is taken' : `is taken by ${holder}`
  } catch (error) {
    // Without a platform plugin nobody knows.
    host.log.info(`who holds port ${port} cannot be told: ${messageOf(error)}`)
    return 'is taken'
  }
}

function portOf(state: State): number | null {
  return state !== undefined && 'is' in state ? state.is.port : null
}

function suffix(port: number | null): string {
  return port === null || port === 80 ? '' : `:${port}`
}

function at(address: string, port: number | null): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`
}
