import type { Server } from 'node:net'
import type { CheckResult, Host, Warning } from '../../../kernel/contract/plugin.ts'
import { messageOf } from '../../../kernel/errors.ts'
import type { BoundSocket } from '../../privileges/service.ts'
import { type Listening, listen, type Preference, portWish } from './bind.ts'

/** What came of listening; undefined before the daemon has booted. */
type State = { readonly is: Listening } | { readonly invalid: string } | undefined

/** One scheme's port: listens on it, and tells `doctor` about it. */
export class SchemePort {
  readonly scheme: 'http' | 'https'
  readonly #host: Host
  readonly #preference: Preference
  #state: State

  constructor(host: Host, scheme: 'http' | 'https', preference: Preference) {
    this.#host = host
    this.scheme = scheme
    this.#preference = preference
  }

  /** Null where it does not listen. */
  get port(): number | null {
    return this.#state !== undefined && 'is' in this.#state ? this.#state.is.port : null
  }

  /** Why it does not listen, though it should. */
  get problem(): Warning | undefined {
    const state = this.#state
    if (state === undefined) return undefined
    let why: string
    if ('invalid' in state) why = state.invalid
    else if (state.is.port === null) why = `port ${state.is.wanted} ${faultOf(state.is.code)}`
    else return undefined
    return { message: `${this.#lack}: ${why}`, hint: '`locald doctor` says more, and what to do.' }
  }

  /** What follows the name in a URL. */
  get suffix(): string {
    const { port } = this
    return port === null || port === this.#preference.best ? '' : `:${port}`
  }

  async listen(make: () => Server): Promise<void> {
    const { variable } = this.#preference
    const wish = portWish(this.#preference, process.env[variable], this.#host.has('privileged-ports'))
    this.#state =
      typeof wish === 'string'
        ? { invalid: wish }
        : { is: await listen(wish, { make, elevate: port => this.#elevated(port) }) }
    this.#report(this.#state)
  }

  /** Whether it listens. */
  async listens(): Promise<CheckResult> {
    const state = this.#state
    if (state === undefined) return { status: 'skip', severity: 'important', summary: this.#absence }
    const fail = { status: 'fail', severity: 'important' } as const
    const { variable } = this.#preference
    if ('invalid' in state) {
      const fix = `Set ${variable} to a port, or unset it, and run \`locald server restart\`.`
      return { ...fail, summary: state.invalid, fix }
    }
    const { is } = state
    if (is.port !== null) return this.#shares(is)
    const summary = `port ${is.wanted} ${await this.#taken(is.wanted, is.code)}, so ${this.#lack}`
    return { ...fail, summary, fix: `Free it or set ${variable} to another port, and run \`locald server restart\`.` }
  }

  /** Whether another program believes that it has the port, too. */
  async #shares(is: Extract<Listening, { readonly addresses: readonly string[] }>): Promise<CheckResult> {
    const summary = `listens on ${places(is)}`
    const other = await this.#overshadowed(is.port)
    if (other === undefined) return { status: 'pass', severity: 'important', summary }
    return {
      ...{ status: 'warn', severity: 'important' },
      summary: `${summary}; ${other} listens on that port of all addresses, and gets no connection on loopback`,
      fix: `Give ${other} another port, or set ${this.#preference.variable} and run \`locald server restart\`.`,
    }
  }

  async #overshadowed(port: number): Promise<string | undefined> {
    try {
      return await this.#host.use.processTable.overshadowed?.(port)
    } catch (error) {
      this.#host.log.info(`cannot find out who else listens on port ${port}: ${messageOf(error)}`)
      return undefined
    }
  }

  /** Whether it is the port one would like best. */
  async prefers(): Promise<CheckResult> {
    const state = this.#state
    if (state === undefined || 'invalid' in state || state.is.port === null) {
      return { status: 'skip', severity: 'optional', summary: 'the proxy does not run' }
    }
    const { port, missed } = state.is
    if (missed === undefined) return { status: 'pass', severity: 'optional', summary: `${port}, as wished` }
    const summary = `${port}, because ${missed.port} ${await this.#taken(missed.port, missed.code)}`
    return {
      ...{ status: 'warn', severity: 'optional', summary },
      fix: `Free port ${missed.port} and run \`locald server restart\`.`,
    }
  }

  /** The port through the privileged helper, where that is installed. */
  async #elevated(port: number): Promise<readonly BoundSocket[] | undefined> {
    if ((port !== 80 && port !== 443) || !this.#host.has('shim')) return undefined
    try {
      return await this.#host.use.privileges.listen(port)
    } catch (error) {
      this.#host.log.warn(`port ${port}: ${messageOf(error)}`)
      return undefined
    }
  }

  get #lack(): string {
    return this.scheme === 'http' ? 'names are not served over HTTP' : 'names are not served over HTTPS'
  }

  get #absence(): string {
    return this.scheme === 'http' ? 'the daemon is not running' : 'the daemon is not running, or HTTPS is off'
  }

  #report(state: State): void {
    const { log } = this.#host
    if (state === undefined) return
    if ('invalid' in state) log.error(`${this.#lack}: ${state.invalid}`)
    else if (state.is.port === null)
      log.error(`${this.#lack}: port ${state.is.wanted} cannot be used (${state.is.code})`)
    else log.info(`the proxy listens on ${places(state.is)}${this.scheme === 'http' ? '' : ' with TLS'}`)
  }

  async #taken(port: number, code: string): Promise<string> {
    if (code !== 'EADDRINUSE') return faultOf(code)
    try {
      const holder = await this.#host.use.processTable.holder(port)
      return holder === undefined ? 'is taken' : `is taken by ${holder}`
    } catch (error) {
      // Without a platform plugin nobody knows.
      this.#host.log.info(`who holds port ${port} cannot be told: ${messageOf(error)}`)
      return 'is taken'
    }
  }
}

function faultOf(code: string): string {
  if (code === 'EACCES') return 'needs a privilege the daemon does not have'
  return code === 'EADDRINUSE' ? 'is taken' : `cannot be used (${code})`
}

function places(is: Extract<Listening, { readonly addresses: readonly string[] }>): string {
  return is.addresses.map(address => `${address.includes(':') ? `[${address}]` : address}:${is.port}`).join(' and ')
}
