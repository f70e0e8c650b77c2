import { rmSync } from 'node:fs'
import { userInfo } from 'node:os'
import type { Log, ProjectRef } from '../../../kernel/contract/plugin.ts'
import { LocaldError, messageOf } from '../../../kernel/errors.ts'
import { hostAlias } from '../names.ts'
import type { AccessRequest, Forwarder } from './contract.ts'
import { FolderRemoval } from './folder-removal.ts'
import { forwarderOutput, forwarderUsers, removeForwarder, startForwarder } from './forwarder.ts'
import { forwarderId, readRecord, writeRecord } from './forwarder-record.ts'
import type { TunnelImage } from './image.ts'
import { Listener } from './listener.ts'
import { Refusals } from './refusals.ts'

/** What a project's access is made of. */
export interface ProjectAccessInput {
  readonly project: ProjectRef
  /** Returns the socket's folder: another one when the runtime folder had to be replaced. */
  readonly folder: () => string
  readonly image: () => Promise<TunnelImage>
  readonly log: Log
}

/** A forwarder that runs connects again at least once a second: ms. */
const adoptMs = 1500
/** A forwarder that was started connects at once, also on a busy machine: ms. */
const connectMs = 5000
/** Pauses before a forwarder that has exited is started again: ms. */
const restartMs = { first: 200, most: 30_000 } as const

/** One project's way to this machine's loopback: its socket, the ports it may reach and its forwarder. */
export class ProjectAccess {
  readonly #input: ProjectAccessInput
  readonly #listener: Listener
  readonly #removal = new FolderRemoval(() => this.#recover())
  readonly #needs = new Map<string, readonly number[]>()
  readonly #waiting = new Set<() => void>()
  #queue: Promise<unknown> = Promise.resolve()
  #current: { readonly id: string; readonly request: AccessRequest; readonly address: string | undefined } | undefined
  #restart: NodeJS.Timeout | undefined
  #pause: number = restartMs.first
  #abort = new AbortController()

  constructor(input: ProjectAccessInput) {
    this.#input = input
    const refusals = new Refusals(text => this.#warn(text))
    this.#listener = new Listener(refusals, () => this.#changed())
  }

  /** See `HostAccess.ensure`. */
  async ensure(request: AccessRequest, signal: AbortSignal | undefined): Promise<readonly string[]> {
    this.#need(request.service, request.ports)
    if (request.ports.length === 0) return []
    await this.#next(() => this.#provide(request, signal))
    const address = this.#current?.address
    return address === undefined ? [] : ['--add-host', `${hostAlias}:${address}`]
  }

  withdraw(service: string): void {
    this.#need(service, [])
  }

  /** Removes the forwarder and the socket. */
  async release(forwarder: Forwarder): Promise<void> {
    this.#needs.clear()
    this.#abort.abort()
    await this.#next(async () => {
      this.close()
      await removeForwarder(forwarder)
      rmSync(this.#input.folder(), { recursive: true, force: true })
    })
  }

  /** Closes the socket; the forwarder keeps running. */
  close(): void {
    this.#abort.abort()
    this.#abort = new AbortController()
    this.#current = undefined
    clearTimeout(this.#restart)
    this.#restart = undefined
    this.#removal.close()
    this.#listener.close()
  }

  #need(service: string, ports: readonly number[]): void {
    if (ports.length === 0) this.#needs.delete(service)
    else this.#needs.set(service, ports)
    const all = new Set([...this.#needs.values()].flat())
    this.#listener.setPorts([...all].filter(port => port > 0 && port < 65_536).sort((one, other) => one - other))
  }

  /** Runs one step after the other. */
  #next<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(step)
    this.#queue = done.catch(() => {})
    return done
  }

  async #provide(request: AccessRequest, given: AbortSignal | undefined): Promise<void> {
    const signal = given === undefined ? this.#abort.signal : AbortSignal.any([given, this.#abort.signal])
    const folder = this.#input.folder()
    if (!this.#listener.isIn(folder)) {
      await this.#listener.open(folder)
      this.#removal.follow(folder)
    }
    const image = await this.#input.image()
    const id = forwarderId(request, image, folder)
    if (this.#listener.forwarder(id) === undefined) {
      const address = (await this.#adopt(id, folder)) ?? (await this.#start(request, image, folder, id, signal))
      this.#current = { id, request, ...address }
    }
    if (!(await this.#isSettled(id, connectMs))) throw this.#error(request, 'no answer')
    const failure = this.#listener.forwarder(id)?.failure
    if (failure !== undefined) throw this.#error(request, failure)
    this.#pause = restartMs.first
  }

  /** Waits for a forwarder that an earlier daemon started; its address. */
  async #adopt(id: string, folder: string): Promise<{ readonly address: string | undefined } | undefined> {
    const record = await readRecord(folder)
    const isKnown = record?.id === id && this.#current?.id !== id
    return isKnown && (await this.#isSettled(id, adoptMs)) ? { address: record.address } : undefined
  }

  async #start(
    request: AccessRequest,
    image: TunnelImage,
    folder: string,
    id: string,
    signal: AbortSignal,
  ): Promise<{ readonly address: string | undefined }> {
    const { uid, gid } = userInfo()
    for (const user of forwarderUsers(request.engine, uid, gid)) {
      const address = await startForwarder({ request, image, folder, id }, user, signal)
      writeRecord(folder, { id, address })
      if (await this.#isSettled(id, connectMs)) return { address }
      signal.throwIfAborted()
    }
    const output = await forwarderOutput(request)
    await removeForwarder(request)
    throw this.#error(request, output || 'the socket of locald cannot be reached from the container')
  }

  /** Waits until the forwarder listens on what it was sent last; false when it does not in time. */
  async #isSettled(id: string, limitMs: number): Promise<boolean> {
    const isSettled = (): boolean => this.#listener.forwarder(id)?.isSettled === true
    for (const end = Date.now() + limitMs; !isSettled() && Date.now() < end; ) {
      await new Promise<void>(resolve => {
        const wake = (): void => {
          clearTimeout(timer)
          this.#waiting.delete(wake)
          resolve()
        }
        const timer = setTimeout(wake, end - Date.now())
        this.#waiting.add(wake)
      })
    }
    return isSettled()
  }

  #changed(): void {
    for (const wake of this.#waiting) wake()
    const isLost = this.#current !== undefined && this.#listener.forwarder(this.#current.id) === undefined
    if (isLost && this.#needs.size > 0) this.#recover()
  }

  /** Starts the forwarder again after it has exited, and binds the socket again after its folder was removed. */
  #recover(): void {
    this.#restart ??= setTimeout(() => {
      this.#restart = undefined
      void this.#next(async () => {
        const { request } = this.#current ?? {}
        if (request !== undefined && this.#needs.size > 0) await this.#provide(request, undefined)
      }).catch(error => {
        if (this.#current === undefined) return
        this.#pause = Math.min(this.#pause * 2, restartMs.most)
        this.#warn(messageOf(error))
        this.#recover()
      })
    }, this.#pause).unref()
  }

  #warn(text: string): void {
    this.#input.log.warn(`${hostAlias} of project '${this.#input.project.name}': ${text}`)
  }

  #error({ name, project }: AccessRequest, cause: string): LocaldError {
    return new LocaldError('ENGINE_FAILED', `${hostAlias} of project '${project.name}': ${name}: ${cause}`, {
      hint: 'Run `locald doctor`, which tries the engine out.',
    })
  }
}
