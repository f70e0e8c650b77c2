import type { Server } from 'node:net'
import type { CheckResult, Host, Warning } from '../../../kernel/contract/plugin.ts'
import { messageOf } from '../../../kernel/errors.ts'
import type { BoundSocket } from '../../privileges/provides.ts'
import { type Listening, listen, type PortPreference, requestedPort } from './bind.ts'

/** The result of listening; undefined before the daemon has booted. */
type State = { readonly is: Listening } | { readonly invalid: string } | undefined

/** Listens on the port of one scheme, and reports it to `locald doctor`. */
export class SchemePort {
  readonly scheme: 'http' | 'https'
  readonly #host: Host
  readonly #preference: PortPreference
  #state: State

  constructor(host: Host, scheme: 'http' | 'https', preference: PortPreference) {
    this.#host = host
    this.scheme = scheme
    this.#preference = preference
  }

  /** The port; null where it does not listen. */
  get port(): number | null {
    return this.#state !== undefined && 'is' in this.#state ? this.#state.is.port : null
  }

  /** Why it does not listen although it should. */
  get problem(): Warning | undefined {
    const state = this.#state
    if (state === undefined) return undefined
    let why: string
    if ('invalid' in state) why = state.invalid
    else if (state.is.port === null) why = `port ${state.is.wanted} ${faultOf(state.is.code)}`
    else return undefined
    return { message: `${this.#outage}: ${why}`, hint: 'Run `locald doctor` for details.' }
  }

  /** The part of a URL that follows the host name. */
  get suffix(): string {
    const { port } = this
    return port === null || port === this.#preference.best ? '' : `:${port}`
  }

  async listen(createServer: () => Server): Promise<void> {
    const { variable } = this.#preference
    const requested = requestedPort(this.#preference, process.env[variable], this.#host.has('privileged-ports'))
    this.#state =
      typeof requested === 'string'
        ? { invalid: requested }
        : { is: await listen(requested, { createServer, elevate: port => this.#elevated(port) }) }
    this.#report(this.#state)
  }

  /** Checks that it listens. */
  async checkListening(): Promise<CheckResult> {
    const state = this.#state
    if (state === undefined) return { status: 'skip', severity: 'important', summary: this.#skipReason }
    const fail = { status: 'fail', severity: 'important' } as const
    const { variable } = this.#preference
    if ('invalid' in state) {
      const fix = `Set ${variable} to a port, or unset it, and run \`locald server restart\`.`
      return { ...fail, summary: state.invalid, fix }
    }
    const { is } = state
    if (is.port !== null) return this.#checkSharing(is)
    const summary = `${this.#outage}: port ${is.wanted} ${await this.#conflict(is.wanted, is.code)}`
    return {
      ...fail,
      summary,
      fix: `Free the port or set ${variable} to another one, and run \`locald server restart\`.`,
    }
  }

  /** Checks whether another program listens on the same port of all addresses. */
  async #checkSharing(is: Extract<Listening, { readonly addresses: readonly string[] }>): Promise<CheckResult> {
    const summary = `listening on ${authorities(is)}`
    const other = await this.#overshadowed(is.port)
    if (other === undefined) return { status: 'pass', severity: 'important', summary }
    return {
      ...{ status: 'warn', severity: 'important' },
      summary: `${summary}; ${other} listens on the same port of all addresses and gets no loopback connections`,
      fix: `Change the port of ${other}, or set ${this.#preference.variable} and run \`locald server restart\`.`,
    }
  }

  async #overshadowed(port: number): Promise<string | undefined> {
    try {
      return await this.#host.use.processTable.overshadowed?.(port)
    } catch (error) {
      this.#host.log.info(`cannot check for other listeners on port ${port}: ${messageOf(error)}`)
      return undefined
    }
  }

  /** Checks that it is the preferred port. */
  async checkPort(): Promise<CheckResult> {
    const state = this.#state
    if (state === undefined || 'invalid' in state || state.is.port === null) {
      return { status: 'skip', severity: 'optional', summary: 'the proxy is not running' }
    }
    const { port, missed } = state.is
    if (missed === undefined) return { status: 'pass', severity: 'optional', summary: `listening on ${port}` }
    const summary = `listening on ${port}: port ${missed.port} ${await this.#conflict(missed.port, missed.code)}`
    return {
      ...{ status: 'warn', severity: 'optional', summary },
      fix: `Free port ${missed.port} and run \`locald server restart\`.`,
    }
  }

  /** Returns sockets of a privileged port, from the helper if that is installed. */
  async #elevated(port: number): Promise<readonly BoundSocket[] | undefined> {
    if ((port !== 80 && port !== 443) || !this.#host.has('shim')) return undefined
    try {
      return await this.#host.use.privileges.listen(port)
    } catch (error) {
      this.#host.log.warn(`port ${port}: ${messageOf(error)}`)
      return undefined
    }
  }

  get #outage(): string {
    return this.scheme === 'http' ? 'HTTP proxy is not running' : 'HTTPS proxy is not running'
  }

  get #skipReason(): string {
    return this.scheme === 'http' ? 'the daemon is not running' : 'the daemon is not running, or HTTPS is off'
  }

  #report(state: State): void {
    const { log } = this.#host
    if (state === undefined) return
    if ('invalid' in state) log.error(`${this.#outage}: ${state.invalid}`)
    else if (state.is.port === null) log.error(`${this.#outage}: port ${state.is.wanted} ${faultOf(state.is.code)}`)
    else log.info(`${this.scheme === 'http' ? 'HTTP' : 'HTTPS'} proxy is listening on ${authorities(state.is)}`)
  }

  async #conflict(port: number, code: string): Promise<string> {
    if (code !== 'EADDRINUSE') return faultOf(code)
    try {
      const holder = await this.#host.use.processTable.holder(port)
      return holder === undefined ? 'is in use' : `is in use by ${holder}`
    } catch (error) {
      // There may be no platform plugin.
      this.#host.log.info(`cannot find the process on port ${port}: ${messageOf(error)}`)
      return 'is in use'
    }
  }
}

function faultOf(code: string): string {
  if (code === 'EACCES') return 'needs privileges that the daemon lacks'
  return code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${code})`
}

function authorities(is: Extract<Listening, { readonly addresses: readonly string[] }>): string {
  return is.addresses.map(address => `${address.includes(':') ? `[${address}]` : address}:${is.port}`).join(' and ')
}
