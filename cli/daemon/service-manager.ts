import { existsSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { LocaldError } from '../../kernel/errors.ts'
import type { Argv, BootPlan, BootStart, BootStep } from '../../kernel/protocol.ts'
import { reportWhenSlow } from '../output/slow-step.ts'
import { say } from '../output/terminal.ts'
import { type Ran, runProgram } from './program.ts'

/** A service manager answers within a second; systemd waits for a unit that stops. ms */
const answerMs = 100_000
/** launchd reports a job as loaded some seconds longer than its process lives, ms. */
const unloadMs = 30_000
const pollMs = 100
/** As long is a step run again that the service manager is not ready for; at first soon, then every two seconds. ms */
const retryMs = 10_000
const firstPauseMs = 250
const longestPauseMs = 2000

/** Runs the steps in order. Throws STEP_FAILED at the first that fails. */
export async function load(plan: BootPlan): Promise<void> {
  for (const step of plan.load) {
    const { code, why } = await reportWhenSlow(`Waiting for ${plan.manager} to load the daemon`, () => retried(step))
    if (!isSuccess(step, code)) throw failed(plan, step.argv, why)
  }
}

/** Has the service manager start the daemon now, by the first step that succeeds. Throws STEP_FAILED where none does. */
export async function start(plan: BootPlan): Promise<void> {
  const failure = await asked(plan)
  if (failure !== undefined) throw failed(plan, failure.argv, failure.why)
}

/** As `start`, but with a warning where no step succeeds; whether one did. */
export async function tryStart(it: BootStart): Promise<boolean> {
  const failure = await asked(it)
  if (failure === undefined) return true
  say(`Warning: \`${failure.argv.join(' ')}\` failed${because(failure.why)}; the daemon is started without it`)
  return false
}

/** Has the service manager drop the daemon, and waits until it has. Throws STEP_FAILED when it takes too long. */
export async function unload(plan: BootPlan): Promise<void> {
  for (const argv of plan.unload) await runProgram(argv, answerMs)
  const deadline = performance.now() + unloadMs
  const isGone = async () => {
    while (await isLoaded(plan)) {
      if (performance.now() > deadline) return false
      await setTimeout(pollMs)
    }
    return true
  }
  if (await reportWhenSlow(`Waiting for ${plan.manager} to unload the daemon`, isGone)) return
  throw new LocaldError('STEP_FAILED', `${plan.manager} has not unloaded the daemon after ${unloadMs / 1000} s`, {
    hint: plan.failureHint,
  })
}

/** Whether the file is there, or the service manager has the daemon without it. */
export async function isInstalled(plan: BootPlan): Promise<boolean> {
  return existsSync(plan.file) || (await isLoaded(plan))
}

/** Runs what follows the removal of the file. */
export async function cleanUp({ removed }: BootPlan): Promise<void> {
  for (const argv of removed) await runProgram(argv, answerMs)
}

async function isLoaded({ loaded }: BootPlan): Promise<boolean> {
  const ran = await Promise.all(loaded.map(argv => runProgram(argv, answerMs)))
  return ran.some(({ code }) => code === 0)
}

/** Undefined where a step succeeded, else the first one and why it did not. */
async function asked({ start }: BootStart): Promise<{ readonly argv: Argv; readonly why: string } | undefined> {
  let first: { readonly argv: Argv; readonly why: string } | undefined
  for (const step of start) {
    const { code, why } = await runProgram(step.argv, answerMs)
    if (isSuccess(step, code)) return undefined
    first ??= { argv: step.argv, why }
  }
  return first
}

async function retried({ argv, retryCodes = [] }: BootStep): Promise<Ran> {
  const deadline = performance.now() + retryMs
  for (let pause = firstPauseMs; ; pause = Math.min(pause * 2, longestPauseMs)) {
    const ran = await runProgram(argv, answerMs)
    const isEarly = ran.code !== null && retryCodes.includes(ran.code)
    if (!isEarly || performance.now() + pause > deadline) return ran
    await setTimeout(pause)
  }
}

function isSuccess({ successCodes = [] }: BootStep, code: number | null): boolean {
  return code !== null && [0, ...successCodes].includes(code)
}

function failed({ failureHint }: BootPlan, argv: Argv, why: string): LocaldError {
  return new LocaldError('STEP_FAILED', `\`${argv.join(' ')}\` failed${because(why)}`, { hint: failureHint })
}

function because(why: string): string {
  return why === '' ? '' : `: ${why}`
}
