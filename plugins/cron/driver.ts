import type { Instance, Processes, Run, ServiceType } from '../../kernel/contract/plugin.ts'
import { fieldOf } from '../lib/json.ts'
import { shellCommand } from '../lib/shell-command.ts'
import { requireFolder } from '../lib/working-folder.ts'
import { CronInstance } from './instance.ts'
import { type CronOptions, findProblems, options } from './options.ts'
import { scheduleOf } from './schedule.ts'
import { readState } from './state.ts'

/** Runs services of type `cron`. */
export class CronDriver implements ServiceType<CronOptions> {
  readonly type = 'cron'
  readonly shape = options
  readonly network = 'none'
  /** It is ready at once, stays until it is stopped, and no request reaches it. */
  readonly excludes = ['health_check', 'ready_timeout', 'restart', 'idle'] as const
  readonly #processes: () => Processes
  readonly #closing: AbortSignal

  /** @param closing aborts when the daemon exits: what is due then is left to the next one */
  constructor(processes: () => Processes, closing: AbortSignal) {
    this.#processes = processes
    this.#closing = closing
  }

  problems(cron: CronOptions): ReturnType<typeof findProblems> {
    return findProblems(cron)
  }

  /** Begins the schedule; runs the command at once where the service was started by its name. */
  async start(run: Run<CronOptions>): Promise<Instance> {
    const instance = this.#instance(run)
    if (run.isRequested) instance.runNow()
    return instance
  }

  /** Continues the schedule of an earlier daemon, and the run that it began. */
  async adopt(run: Run<CronOptions>, state: unknown): Promise<Instance> {
    const process = await this.#processes().adopt(state, run.log)
    return this.#instance(run, { ...readState(fieldOf(state, 'cron')), ...(process === undefined ? {} : { process }) })
  }

  #instance(run: Run<CronOptions>, earlier: ConstructorParameters<typeof CronInstance>[1] = {}): CronInstance {
    const { key, log, dir, stopSignal, stopTimeout, options: cron } = run
    const launch = async () => {
      await requireFolder(run)
      const command = shellCommand(cron.command, run.env)
      const how = { tty: false, port: undefined, stopSignal, stopTimeout }
      return await this.#processes().spawn({ key, ...command, dir, log, ...how })
    }
    return new CronInstance({ schedule: scheduleOf(cron), log, launch, closing: this.#closing }, earlier)
  }
}
