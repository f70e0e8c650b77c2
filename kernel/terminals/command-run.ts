import { rm } from 'node:fs/promises'
import type { Argv, Exit, Instance } from '../contract/plugin.ts'
import type { ServiceLog } from '../logs/service-log.ts'
import type { RunView } from '../protocol.ts'
import { TerminalSession } from './session.ts'
import type { TerminalSource } from './source.ts'

/** A command that is closed gets SIGHUP, SIGTERM after so long, and is killed after the grace period: ms. */
const hangupMs = 1500
export const graceMs = 5000

/** What a command was started with. */
export interface CommandRunInput {
  readonly id: string
  /** The key of the service in whose place it runs. */
  readonly service: string
  readonly argv: Argv
  readonly instance: Instance
  /** Its own, in a folder of its own. */
  readonly log: ServiceLog
  /** The folder of the log, which is deleted with it. */
  readonly folder: string
  /** Reports an error of its terminal that is not expected. */
  readonly failed: (error: unknown) => void
}

/** A command on a terminal, which stays after its exit until it is closed. */
export class CommandRun {
  readonly session: TerminalSession
  readonly #input: CommandRunInput
  #exit: Exit | undefined

  constructor(input: CommandRunInput) {
    const { instance, service, log, failed } = input
    this.#input = input
    // What it leaves running in the background would outlive its terminal.
    instance.on?.(event => {
      if (event.event === 'main') instance.finish?.()
    })
    void instance.exited.then(exit => {
      this.#exit = exit
    })
    const source: TerminalSource = {
      ...{ key: service, log, instance },
      another: (last, signal) => (last === undefined ? Promise.resolve() : untilAborted(signal)),
    }
    this.session = new TerminalSession(source, failed)
  }

  /** The key of its service. */
  get service(): string {
    return this.#input.service
  }

  /** The pid of its first process. */
  get pid(): number | null {
    return this.#input.instance.pid
  }

  get hasExited(): boolean {
    return this.#exit !== undefined
  }

  /** Resolves with its exit. */
  get exited(): Promise<Exit> {
    return this.#input.instance.exited
  }

  view(): RunView {
    const { id, service, argv, instance } = this.#input
    const startedAt = new Date(instance.startedMs).toISOString()
    return { ...{ id, service, argv, startedAt }, exit: this.#exit ?? null }
  }

  /** Stops it as the closing of a terminal window does, with all that it started; and resolves when all have exited. */
  async stop(): Promise<void> {
    if (this.hasExited) return
    const { instance } = this.#input
    // A program may live through SIGHUP (nohup(1)).
    const timer = setTimeout(() => void instance.stop({ signal: 'SIGTERM', graceMs: graceMs - hangupMs }), hangupMs)
    await instance.stop({ signal: 'SIGHUP', graceMs })
    clearTimeout(timer)
  }

  /** Closes its terminal and deletes its output. */
  async close(): Promise<void> {
    this.session.close()
    await rm(this.#input.folder, { recursive: true, force: true })
  }
}

/** Rejects when the signal aborts. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
}
