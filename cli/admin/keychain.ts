import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { messageOf } from '../../kernel/errors.ts'
import type { TrustOutcome, TrustStep } from '../../kernel/protocol.ts'
import type { HelperPaths } from '../../shim/paths.ts'
import { Interrupt } from '../follow/keys.ts'
import { printStderr } from '../output/terminal.ts'

/** Both programs exit automatically after 10 minutes: a person has to find a password. */
const limitMs = 605_000
const discardMs = 5000
/** The helper's exit code when macOS refused; it prints the OSStatus last. */
const refused = 46
/** Its exit code, without output, on timeout. */
const outOfTime = 19

/** Where the programs are that change a keychain. */
export interface KeychainPrograms {
  /** Folder of locald-keychain. */
  readonly native: string
  readonly helper: HelperPaths
}

/**
 * The texts are this command's own: a step has none, so that a plugin cannot choose what a password is requested for.
 */
const announcements: Readonly<Record<TrustStep['domain'], string>> = {
  user: 'macOS asks for your password or Touch ID now, to let locald-keychain change your certificate trust settings',
  admin:
    'macOS asks for an administrator’s name and password now, to let locald-shim change the trust settings of all users',
}

/**
 * Makes changes of the macOS keychain, one after the other, in the login session of the person who typed the command:
 * the daemon may have been started where no dialog can be shown. Stops after the first that fails; undefined when it
 * was interrupted.
 */
export async function runKeychainSteps(
  programs: KeychainPrograms,
  steps: readonly TrustStep[],
): Promise<readonly TrustOutcome[] | undefined> {
  const outcomes: TrustOutcome[] = []
  const interrupt = new Interrupt()
  try {
    for (const [at, step] of steps.entries()) {
      const count = steps.length === 1 ? '' : `, ${at + 1} of ${steps.length}`
      printStderr(`${announcements[step.domain]} (Ctrl-C cancels${count})`)
      const ran = await run(programOf(programs, step), step, interrupt)
      if (interrupt.isPressed) return undefined
      const outcome = { ...step, ...(step.domain === 'user' ? readJsonStatus(ran) : readExitStatus(ran)) }
      outcomes.push(outcome)
      if (outcome.status !== 0) break
    }
    return outcomes
  } finally {
    interrupt.close()
  }
}

interface Ran {
  /** null: it was killed by a signal, or could not be run. */
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

function programOf({ native, helper }: KeychainPrograms, { domain }: TrustStep): string {
  if (domain === 'user') return join(native, 'locald-keychain')
  return helper.shims.find(path => existsSync(path)) ?? helper.shims[0] ?? 'locald-shim'
}

async function run(program: string, step: TrustStep, interrupt: Interrupt): Promise<Ran> {
  const { act, certificate } = step
  const child = spawn(program, [act], { cwd: '/', stdio: ['pipe', 'pipe', 'pipe'] })
  const texts = { output: '', errors: '' }
  child.stdout.on('data', data => {
    texts.output += data
  })
  child.stderr.on('data', data => {
    texts.errors += data
  })
  // It may exit without having read its input.
  child.stdin.on('error', () => {})
  child.stdin.end(certificate)
  // On a terminal it has received it already; root's helper accepts a signal from there only.
  interrupt.onFirst = () => child.kill('SIGINT')
  const close = exitWithDialog(child, () => discardCertificate(program, step))
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs)
  const code = await new Promise<number | null>(resolve => {
    child.once('error', error => {
      texts.errors ||= `${program}: ${messageOf(error)}`
      resolve(null)
    })
    child.once('close', resolve)
  })
  clearTimeout(timer)
  interrupt.onFirst = () => {}
  close()
  if (code === null) discardCertificate(program, step)
  return { code, ...texts }
}

/** Removes what a killed program has left: the certificate, which is in the keychain before the dialog appears. */
function discardCertificate(program: string, { act, domain, certificate }: TrustStep): void {
  if (act !== 'trust' || domain !== 'user') return
  spawnSync(program, ['discard'], { input: certificate, stdio: ['pipe', 'ignore', 'ignore'], timeout: discardMs })
}

/** Closes a dialog when the command that opened it is killed; until the result is called. */
function exitWithDialog(child: ChildProcess, discard: () => void): () => void {
  const handlers = (['SIGTERM', 'SIGHUP'] as const).map(signal => {
    const end = (): void => {
      child.kill(signal)
      discard()
      process.exit(128 + constants.signals[signal])
    }
    process.once(signal, end)
    return () => process.off(signal, end)
  })
  return () => {
    for (const off of handlers) off()
  }
}

type StepResult = Pick<TrustOutcome, 'status' | 'says'>

function readJsonStatus({ code, output, errors }: Ran): StepResult {
  const status = /"status":(-?\d+)/.exec(output)?.[1]
  return status === undefined ? failed(code, errors) : { status: Number(status), says: errors.trim() }
}

function readExitStatus({ code, errors }: Ran): StepResult {
  const status = code === 0 ? '0' : code === refused ? /(-?\d+)\s*$/.exec(errors)?.[1] : undefined
  return status === undefined ? failed(code, errors) : { status: Number(status), says: errors.trim() }
}

function failed(code: number | null, errors: string): StepResult {
  const says = errors.trim().replace(/^locald-(?:shim|keychain): /, '')
  if (says !== '') return { status: null, says }
  if (code === null || code === outOfTime) return { status: null, says: 'the dialog timed out after 10 minutes' }
  return { status: null, says: `exited with code ${code}` }
}
