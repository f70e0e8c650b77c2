import { existsSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { LocaldError } from '../../kernel/errors.ts'
import type { Argv, BootPlan, BootStart, BootStep } from '../../kernel/protocol.ts'
import { reportWhenSlow } from '../output/slow-step.ts'
import { printStderr } from '../output/terminal.ts'
import { type ProgramResult, runProgram } from './run-program.ts'

/** A service manager answers within a second; systemd waits for a unit that stops. ms */
const answerMs = 100_000
/** launchd reports a job as loaded some seconds longer than its process lives, ms. */
const unloadMs = 30_000
const pollMs = 100
/**
 * For this long a step is retried that the service manager is not ready for; at first soon, then every two seconds. ms
 */
const retryMs = 10_000
const firstPauseMs = 250
const longestPauseMs = 2000

/** Runs the steps in order. Throws STEP_FAILED at the first that fails. */
export async function load(plan: BootPlan): Promise<void> {
  for (const step of plan.load) {
    const { code, why } = await reportWhenSlow(`Waiting for ${plan.manager} to load the daemon`, () =>
      runWithRetry(step),
    )
    if (!isSuccess(step, code)) throw stepFailed(plan, step.argv, why)
  }
}

/**
 * Makes the service manager start the daemon now, by the first step that succeeds. Throws STEP_FAILED where none does.
 */
export async function start(plan: BootPlan): Promise<void> {
  const failure = await runStartSteps(plan)
  if (failure !== undefined) throw stepFailed(plan, failure.argv, failure.why)
}

/** Does the same, but warns where no step succeeds; whether one did. */
export async function tryStart(it: BootStart): Promise<boolean> {
  const failure = await runStartSteps(it)
  if (failure === undefined) return true
  printStderr(
    `Warning: \`${failure.argv.join(' ')}\` failed${formatReason(failure.why)}; starting the daemon without it`,
  )
  return false
}

/** Makes the service manager unload the daemon, and waits for it. Throws STEP_FAILED when it takes too long. */
export async function unload(plan: BootPlan): Promise<void> {
  for (const argv of plan.unload) await runProgram(argv, answerMs)
  const deadline = performance.now() + unloadMs
  const waitUntilUnloaded = async () => {
    while (await isLoaded(plan)) {
      if (performance.now() > deadline) return false
      await setTimeout(pollMs)
    }
    return true
  }
  if (await reportWhenSlow(`Waiting for ${plan.manager} to unload the daemon`, waitUntilUnloaded)) return
  throw new LocaldError('STEP_FAILED', `${plan.manager} did not unload the daemon within ${unloadMs / 1000} s`, {
    hint: plan.failureHint,
  })
}

/** Whether the file is there, or the service manager has the daemon without it. */
export async function isInstalled(plan: BootPlan): Promise<boolean> {
  return existsSync(plan.file) || (await isLoaded(plan))
}

/** Runs the steps after the removal of the file. */
export async function cleanUp({ removed }: BootPlan): Promise<void> {
  for (const argv of removed) await runProgram(argv, answerMs)
}

async function isLoaded({ loaded }: BootPlan): Promise<boolean> {
  const ran = await Promise.all(loaded.map(argv => runProgram(argv, answerMs)))
  return ran.some(({ code }) => code === 0)
}

/** Runs the steps until one succeeds; returns the first one and why it failed where none does. */
async function runStartSteps({ start }: BootStart): Promise<{ readonly argv: Argv; readonly why: string } | undefined> {
  let first: { readonly argv: Argv; readonly why: string } | undefined
  for (const step of start) {
    const { code, why } = await runProgram(step.argv, answerMs)
    if (isSuccess(step, code)) return undefined
    first ??= { argv: step.argv, why }
  }
  return first
}

async function runWithRetry({ argv, retryCodes = [] }: BootStep): Promise<ProgramResult> {
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

function stepFailed({ failureHint }: BootPlan, argv: Argv, why: string): LocaldError {
  return new LocaldError('STEP_FAILED', `\`${argv.join(' ')}\` failed${formatReason(why)}`, { hint: failureHint })
}

function formatReason(why: string): string {
  return why === '' ? '' : `: ${why}`
}
