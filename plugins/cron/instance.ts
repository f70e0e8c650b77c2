import type { Exit, Instance, InstanceEvent, LogSink, ProcessTree, TerminalSize } from '../../kernel/contract/plugin.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Schedule } from './schedule.ts'
import { type CronState, formatTime } from './state.ts'

/** The clock is read this often at least, as timers stand still while the machine sleeps, and clocks are set: ms. */
const lookMs = 30_000
/** An adopted run that has exited meanwhile is known as such after this long: ms. */
const adoptMs = 1000

/** What a schedule needs. */
export interface CronInput {
  readonly schedule: Schedule
  readonly log: LogSink
  /** Starts the command. */
  launch(): Promise<Instance>
  /** Aborts when no more runs may begin. */
  readonly closing: AbortSignal
}

/** What an earlier daemon left: its schedule, and the run that it began. */
export interface Earlier extends Partial<CronState> {
  readonly process?: Instance
}

type Listener = (event: InstanceEvent) => void

/** A schedule that is followed: runs the command when it is due, one run at a time, until it is stopped. */
export class CronInstance implements Instance {
  readonly exited: Promise<Exit>
  readonly #input: CronInput
  readonly #beganMs: number
  readonly #listeners = new Set<Listener>()
  #resolveExit: (exit: Exit) => void = () => {}
  #nextMs: number
  #failure: string | undefined
  #timer: NodeJS.Timeout | undefined
  #process: Instance | undefined
  /** The present run, from its start to its exit. */
  #run: Promise<void> | undefined
  /** Runs that were due during the present one. */
  #skipped = 0
  #isStopped = false

  constructor(input: CronInput, { beganMs = Date.now(), nextMs, failure, process }: Earlier = {}) {
    this.#input = input
    this.#beganMs = beganMs
    this.#nextMs = nextMs ?? input.schedule.next(beganMs)
    this.#failure = failure
    this.exited = new Promise(resolve => {
      this.#resolveExit = resolve
    })
    if (process !== undefined) this.#run = this.#follow(process)
    this.#arm(process === undefined ? 0 : adoptMs)
  }

  get pid(): number | null {
    return this.#process?.pid ?? null
  }

  get startedMs(): number {
    return this.#process?.startedMs ?? this.#beganMs
  }

  get tree(): ProcessTree | undefined {
    return this.#process?.tree
  }

  get state(): unknown {
    const cron: CronState = { beganMs: this.#beganMs, nextMs: this.#nextMs, failure: this.#failure }
    return { ...Object(this.#process?.state), cron }
  }

  on(listener: Listener): () => void {
    this.#listeners.add(listener)
    listener(this.#note())
    return () => this.#listeners.delete(listener)
  }

  /** Runs the command, besides its schedule. */
  runNow(): void {
    this.#run ??= this.#begin()
  }

  async stop(how: { readonly signal: string; readonly graceMs: number }): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    await this.#process?.stop(how)
    await this.#run
    this.#resolveExit({ code: 0, signal: null })
  }

  finish(): void {
    this.#process?.finish?.()
  }

  async openTerminal(size: TerminalSize): ReturnType<NonNullable<Instance['openTerminal']>> {
    return await this.#process?.openTerminal?.(size)
  }

  #arm(leastMs = 0): void {
    clearTimeout(this.#timer)
    if (this.#isStopped) return
    const leftMs = Math.max(leastMs, this.#nextMs - Date.now())
    this.#timer = setTimeout(() => this.#look(), Math.min(leftMs, lookMs)).unref()
  }

  #look(): void {
    const { schedule, closing } = this.#input
    if (closing.aborted) return
    const now = Date.now()
    if (now >= this.#nextMs) {
      const dueMs = this.#nextMs
      // Runs that were missed meanwhile, as the machine slept, are one.
      this.#nextMs = schedule.next(now, dueMs)
      if (this.#run === undefined) this.#run = this.#begin()
      else this.#skip(dueMs)
    } else if (schedule.next(now) < this.#nextMs) {
      // The clock was set back.
      this.#nextMs = schedule.next(now)
      this.#report()
    }
    this.#arm()
  }

  #skip(dueMs: number): void {
    this.#skipped++
    if (this.#skipped === 1)
      this.#input.log.write('locald', `skipped the run of ${formatTime(dueMs)}: the one before still runs`)
    this.#report()
  }

  async #begin(): Promise<void> {
    try {
      const process = await this.#input.launch()
      if (this.#isStopped) await process.stop({ signal: 'SIGKILL', graceMs: 0 })
      await this.#follow(process)
    } catch (error) {
      this.#input.log.write('locald', messageOf(error))
      this.#finishRun(`failed to start at ${formatTime(Date.now())}: ${messageOf(error)}`)
    }
  }

  /** Waits for the exit of a run. */
  async #follow(process: Instance): Promise<void> {
    this.#process = process
    this.#report()
    const off = process.on?.(event => {
      // What a command leaves running is not part of any run.
      if (event.event === 'main') process.finish?.()
    })
    const exit = await process.exited
    off?.()
    const tookS = Math.max(0, Date.now() - process.startedMs) / 1000
    const how = exit.signal === null ? `exited with code ${exit.code ?? 'unknown'}` : `terminated by ${exit.signal}`
    const skipped = this.#skipped > 1 ? `; ${this.#skipped} runs were due meanwhile` : ''
    this.#input.log.write('locald', `${how} after ${tookS.toFixed(1)} s${skipped}`)
    for (const listener of [...this.#listeners]) listener({ event: 'run', exit })
    this.#finishRun(exit.code === 0 ? undefined : `${how} at ${formatTime(Date.now())}`)
  }

  #finishRun(failure: string | undefined): void {
    this.#failure = failure
    this.#process = undefined
    this.#run = undefined
    this.#skipped = 0
    this.#report()
  }

  /** Reports which process runs, and what there is to know of the schedule. */
  #report(): void {
    if (this.#isStopped) return
    for (const event of [{ event: 'process' } as const, this.#note()])
      for (const listener of [...this.#listeners]) listener(event)
  }

  #note(): InstanceEvent {
    const next = this.#run === undefined ? [`next run at ${formatTime(this.#nextMs)}`] : []
    const last = this.#failure === undefined ? [] : [`last run ${this.#failure}`]
    const text = [...last, ...next].join('; ')
    return { event: 'note', text: text === '' ? null : text }
  }
}
