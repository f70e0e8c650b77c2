import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { broken, degraded } from '../failures.ts'
import { type AgentEvent, AgentLog } from './agent-log.ts'
import type { InstanceInfo } from './instance-info.ts'
import { SharedTask } from './shared-task.ts'
import type { VmVerbs } from './vm-verbs.ts'

/** Where the VM is in its life. */
export type VmState = 'absent' | 'creating' | 'stopped' | 'starting' | 'running' | 'stopping' | 'broken'

/** Times that tests shorten: ms. */
export interface VmTimes {
  /** How long a host agent may take to answer after its start. */
  readonly settleMs: number
  readonly pollMs: number
}

const usualTimes: VmTimes = { settleMs: 30_000, pollMs: 500 }

/** What is done in the VM by its transitions. */
export interface VmWork {
  /** Runs at the end of each start, before its callers get on. */
  verify(): Promise<void>
  /** Runs before a VM that works is shut down. */
  quiet(): Promise<void>
}

/** locald's VM: one for all projects. Its transitions run one after the other; callers of the same one share it. */
export class Vm {
  readonly #verbs: VmVerbs
  readonly #times: VmTimes
  readonly #work: VmWork
  readonly #up = new SharedTask<void>()
  readonly #down = new SharedTask<void>()
  #turn: Promise<unknown> = Promise.resolve()
  #state: VmState = 'absent'
  #agentPid: number | undefined
  /** Whether `verify` has succeeded since it runs. */
  #isVerified = false
  readonly log: AgentLog

  constructor(verbs: VmVerbs, work: VmWork, times: VmTimes = usualTimes) {
    this.#verbs = verbs
    this.#work = work
    this.#times = times
    this.log = new AgentLog(verbs.dir)
  }

  /** The state as the last transition left it. */
  get state(): VmState {
    return this.#state
  }

  /** Whether it was brought up, and its host agent still runs. */
  get isUp(): boolean {
    return this.#isVerified && this.#state === 'running' && this.#agentPid !== undefined && isAlive(this.#agentPid)
  }

  /** Brings it up: creates it, starts it, adopts it or repairs it. Ten callers make one VM. */
  async up(step: (text: string) => void, signal?: AbortSignal): Promise<void> {
    if (this.isUp && !this.#down.isRunning) return
    await this.#up.run(report => this.#inTurn(() => this.#bringUp(report)), step, signal)
  }

  /** Stops it, unless `isWanted` says at that moment that it is in use. */
  async down(isWanted: () => boolean = () => false): Promise<void> {
    await this.#down.run(
      () =>
        this.#inTurn(async () => {
          if (!isWanted()) await this.#bringDown()
        }),
      () => {},
    )
  }

  /** Removes it with all that is in it. */
  remove(): Promise<void> {
    return this.#inTurn(async () => {
      const info = await this.#verbs.look()
      if (info !== undefined) await (info.hasConfig ? this.#verbs.remove() : this.#verbs.removeRemains())
      this.#enter('absent')
    })
  }

  /** Asks Lima for the state, unless a transition is under way. */
  async look(): Promise<InstanceInfo | undefined> {
    const info = await this.#verbs.look()
    if (!this.#up.isRunning && !this.#down.isRunning) this.#enter(stateOf(info), info)
    return info
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => {})
    return result
  }

  async #bringUp(report: (text: string) => void): Promise<void> {
    try {
      await this.#verbs.version()
      const info = await this.#repair(await this.#verbs.look(), report)
      if (info === undefined) await this.#create(report)
      if (info?.status === 'Running' ? await this.#adopt(info, report) : true) await this.#start(report)
      await this.#work.verify()
      this.#enter('running', await this.#verbs.look())
      this.#isVerified = true
    } catch (error) {
      await this.#afterFailure()
      throw error
    }
  }

  async #create(report: (text: string) => void): Promise<void> {
    this.#enter('creating')
    report('creating the VM, once; the download of its image can take minutes')
    await this.#verbs.create(report)
  }

  async #start(report: (text: string) => void): Promise<void> {
    this.#enter('starting')
    report('starting the VM')
    try {
      await this.#verbs.start(report)
    } catch (error) {
      const last = await this.#lastEvent()
      if (last?.isDegraded === true) throw degraded(last.errors, this.#verbs.dir)
      if (last?.isRunning !== true || !this.log.isGuestAgentLate) throw error
    }
  }

  /** Returns the last event of a failed start; it waits a while for a guest agent where only that was missing. */
  async #lastEvent(): Promise<AgentEvent | undefined> {
    const end = Date.now() + this.#times.settleMs
    for (;;) {
      await this.log.read()
      const { last } = this.log
      const isWaiting = last?.isDegraded === true && this.log.isGuestAgentLate
      if (!isWaiting || Date.now() > end) return last
      await pause(this.#times.pollMs)
    }
  }

  /** Makes a broken VM startable; returns what is there then. */
  async #repair(info: InstanceInfo | undefined, report: (text: string) => void): Promise<InstanceInfo | undefined> {
    if (info?.status !== 'Broken') return info
    if (!info.hasConfig) {
      report('removing an incomplete VM')
      await this.#verbs.removeRemains()
      return undefined
    }
    this.#enter('broken', info)
    const settled = await this.#waitForAgent(info)
    if (settled?.status !== 'Broken') return settled
    // A host agent or a machine that lost the other one, or a host agent that does not answer.
    const isCrashed = settled.agentPid !== undefined || settled.driverPid !== undefined
    if (!isCrashed) throw broken(settled.errors)
    report('stopping the rest of a VM that has crashed')
    await this.#verbs.forceStop()
    const repaired = await this.#verbs.look()
    if (repaired?.status === 'Broken') throw broken(repaired.errors)
    return repaired
  }

  /** Broken is also what Lima calls a VM whose host agent has just started. */
  async #waitForAgent(info: InstanceInfo): Promise<InstanceInfo | undefined> {
    let current: InstanceInfo | undefined = info
    while (current?.status === 'Broken' && current.agentPid !== undefined) {
      const started = await stat(join(this.#verbs.dir, 'ha.pid')).catch(() => undefined)
      if (started === undefined || Date.now() - started.mtimeMs > this.#times.settleMs) break
      await pause(this.#times.pollMs)
      current = await this.#verbs.look()
    }
    return current
  }

  /** Waits until a VM that runs already is usable; returns whether it was stopped instead, to be started again. */
  async #adopt(info: InstanceInfo, report: (text: string) => void): Promise<boolean> {
    this.#enter('starting', info)
    const end = Date.now() + this.#times.settleMs
    for (;;) {
      for (const event of await this.log.read())
        if (event.cloudInit !== undefined) report(`setting up the VM: ${event.cloudInit}`)
      const { last } = this.log
      // Without its events, the engine in it decides.
      if (last === undefined || (last.isRunning && !last.isDegraded)) return false
      if (last.isDegraded || last.isExiting || Date.now() > end) break
      report('waiting for the VM, which is starting')
      await pause(this.#times.pollMs)
    }
    report('restarting the VM, whose last start failed')
    await (this.log.last?.isRunning === true ? this.#verbs.stop() : this.#verbs.forceStop())
    return true
  }

  async #bringDown(): Promise<void> {
    const info = await this.#verbs.look()
    if (info === undefined || info.status === 'Stopped') return this.#enter(stateOf(info), info)
    const isUsable = this.isUp
    this.#enter('stopping', info)
    try {
      if (isUsable) await this.#work.quiet()
      await (info.status === 'Running' ? this.#verbs.stop() : this.#verbs.forceStop())
      this.#enter('stopped')
    } catch (error) {
      await this.#afterFailure()
      throw error
    }
  }

  async #afterFailure(): Promise<void> {
    const info = await this.#verbs.look().catch(() => undefined)
    this.#enter(info?.status === 'Running' ? 'starting' : stateOf(info), info)
  }

  #enter(state: VmState, info?: InstanceInfo): void {
    if (state !== 'running') this.#isVerified = false
    this.#state = state
    this.#agentPid = info?.agentPid
  }
}

function stateOf(info: InstanceInfo | undefined): VmState {
  if (info === undefined) return 'absent'
  return info.status === 'Running' ? 'running' : info.status === 'Broken' ? 'broken' : 'stopped'
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
