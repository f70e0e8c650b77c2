import type { Fault, Instance, Listener, Log, Protocol, ServiceRef } from '../../contract/plugin.ts'
import { messageOf } from '../../errors.ts'
import type { Container } from '../../plugins/container.ts'
import type { ServiceState } from '../state.ts'
import { findFault } from './unreachable.ts'

/** The service to examine. */
export interface ExaminedService {
  readonly ref: ServiceRef
  readonly state: ServiceState
  /** The protocol on its port, if its type says so. */
  readonly protocol: Protocol | undefined
  readonly supervisor: { readonly instance: Instance | undefined }
  warn(message: string, hint?: string): void
}

/** An examination reads the processes of the machine: it may take a tenth of the time at most. */
const restsPerLook = 9

/** Finds out why a service cannot be reached on its port. */
export class Reachability {
  readonly #service: ExaminedService
  readonly #parts: { readonly container: Container; readonly log: Log }
  /** The instance in which no fault was found. */
  #sound: Instance | undefined
  #examining: Promise<Fault | undefined> | undefined
  /** The result of the last examination, of which instance, and until when it is valid: ms of performance.now(). */
  #last:
    | { readonly instance: Instance | undefined; readonly fault: Fault | undefined; readonly untilMs: number }
    | undefined

  constructor(service: ExaminedService, parts: { readonly container: Container; readonly log: Log }) {
    this.#service = service
    this.#parts = parts
  }

  async reachesOtherUser({ tree }: Instance, address: string, port: number): Promise<boolean> {
    if (tree === undefined) return false
    return (await this.#parts.container.optional('processTable')?.reachesOtherUser({ address, port }, tree)) ?? false
  }

  faultOf(listeners: readonly Listener[], port: number, mayBeTls: boolean): Promise<Fault | undefined> {
    const { protocol, ref } = this.#service
    return findFault({ name: ref.name, port, protocol, listeners }, mayBeTls)
  }

  /**
   * Finds out why the running service cannot be reached; the fault is its reason until an examination finds none. One
   * examination serves all callers that come while it runs, and those that come soon after.
   */
  examine(): Promise<Fault | undefined> {
    const { instance } = this.#service.supervisor
    const last = this.#last
    if (last !== undefined && last.instance === instance && performance.now() < last.untilMs)
      return Promise.resolve(last.fault)
    const began = performance.now()
    this.#examining ??= this.#examine()
      .then(fault => {
        const now = performance.now()
        this.#last = { instance, fault, untilMs: now + (now - began) * restsPerLook }
        return fault
      })
      .finally(() => {
        this.#examining = undefined
      })
    return this.#examining
  }

  async #examine(): Promise<Fault | undefined> {
    const { supervisor, state } = this.#service
    const { instance } = supervisor
    const { port, fault: before } = state.now
    if (instance === undefined || port === null) return undefined
    // A handshake is noise in the log of a server that speaks plain HTTP: one for each start is enough.
    const fault = await this.faultOf(await this.listeners(instance), port, this.#sound !== instance)
    this.#sound = fault === undefined ? instance : undefined
    // An instance that exited meanwhile has another reason.
    if (this.#service.supervisor.instance !== instance || state.now.status !== 'running') return undefined
    if (fault !== undefined && fault.message !== before?.message) {
      this.#service.warn(fault.message, fault.hint)
      state.set({ health: 'unhealthy', reason: fault.message, fault })
    } else if (fault === undefined && before !== null && state.now.reason === before.message) {
      state.set({ health: 'healthy', reason: null })
    }
    return fault
  }

  /** Returns where the processes of an instance listen; none where that is not visible. */
  async listeners(instance: Instance): Promise<readonly Listener[]> {
    const table = this.#parts.container.optional('processTable')
    if (table === undefined || instance.tree === undefined) return []
    try {
      return await table.listeners((await table.members(instance.tree)).map(({ pid }) => pid))
    } catch (error) {
      this.#parts.log.warn(`could not read the listeners of ${this.#service.ref.key}: ${messageOf(error)}`)
      return []
    }
  }
}
