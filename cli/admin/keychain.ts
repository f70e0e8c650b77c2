import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { messageOf } from '../../kernel/errors.ts'
import type { KeychainOutcome, KeychainStep } from '../../kernel/protocol.ts'
import type { Paths } from '../../kernel/system/paths.ts'
import { Interrupt } from '../follow/keys.ts'
import { say } from '../output/terminal.ts'

/** Both programs end by themselves after 10 minutes: a person has to find a password. */
const limitMs = 605_000
const tidyMs = 5000
/** The helper's exit code when macOS refused; its OSStatus is the last word it says. */
const refused = 46
/** Its exit code, without a word, when it took too long. */
const outOfTime = 19

/** The words are this command's own: a step has none, so that a plugin cannot say what a password is asked for. */
const announcements: Readonly<Record<KeychainStep['domain'], string>> = {
  user: 'macOS asks for your password or Touch ID now, to let locald-keychain change your certificate trust settings',
  admin:
    'macOS asks for an administrator’s name and password now, to let locald-shim change the trust settings of all users',
}

/**
 * Makes changes of the macOS keychain, one after the other, in the login session of the person who typed the command: the daemon may have
 * been started where no dialog can be shown. Ends after the first that fails; undefined when it was interrupted.
 */
export async function carryOut(
  paths: Pick<Paths, 'native' | 'privileged'>,
  steps: readonly KeychainStep[],
): Promise<readonly KeychainOutcome[] | undefined> {
  const outcomes: KeychainOutcome[] = []
  const interrupt = new Interrupt()
  try {
    for (const [at, step] of steps.entries()) {
      const count = steps.length === 1 ? '' : `, ${at + 1} of ${steps.length}`
      say(`${announcements[step.domain]} (Ctrl-C cancels${count})`)
      const ran = await run(programOf(paths, step), step, interrupt)
      if (interrupt.isPressed) return undefined
      const outcome = { ...step, ...(step.domain === 'user' ? byJson(ran) : byCode(ran)) }
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

function programOf({ native, privileged }: Pick<Paths, 'native' | 'privileged'>, { domain }: KeychainStep): string {
  if (domain === 'user') return join(native, 'locald-keychain')
  return privileged.shims.find(path => existsSync(path)) ?? privileged.shims[0] ?? 'locald-shim'
}

async function run(program: string, step: KeychainStep, interrupt: Interrupt): Promise<Ran> {
  const { act, certificate } = step
  const child = spawn(program, [act], { cwd: '/', stdio: ['pipe', 'pipe', 'pipe'] })
  const texts = { output: '', errors: '' }
  child.stdout.on('data', data => {
    texts.output += data
  })
  child.stderr.on('data', data => {
    texts.errors += data
  })
  // It may end without having read its input.
  child.stdin.on('error', () => {})
  child.stdin.end(certificate)
  // A terminal has told it already; root's helper takes a signal from nobody else.
  interrupt.onFirst = () => child.kill('SIGINT')
  const close = endsWith(child, () => tidy(program, step))
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
  if (code === null) tidy(program, step)
  return { code, ...texts }
}

/** Takes away what a program that was ended has left: the certificate, which is in the keychain before anybody is asked. */
function tidy(program: string, { act, domain, certificate }: KeychainStep): void {
  if (act !== 'trust' || domain !== 'user') return
  spawnSync(program, ['discard'], { input: certificate, stdio: ['pipe', 'ignore', 'ignore'], timeout: tidyMs })
}

/** Has a dialog go with the command that asked for it, however that is ended; until the result is called. */
function endsWith(child: ChildProcess, tidy: () => void): () => void {
  const handlers = (['SIGTERM', 'SIGHUP'] as const).map(signal => {
    const end = (): void => {
      child.kill(signal)
      tidy()
      process.exit(128 + constants.signals[signal])
    }
    process.once(signal, end)
    return () => process.off(signal, end)
  })
  return () => {
    for (const off of handlers) off()
  }
}

type Told = Pick<KeychainOutcome, 'status' | 'says'>

function byJson({ code, output, errors }: Ran): Told {
  const status = /"status":(-?\d+)/.exec(output)?.[1]
  return status === undefined ? failed(code, errors) : { status: Number(status), says: errors.trim() }
}

function byCode({ code, errors }: Ran): Told {
  const status = code === 0 ? '0' : code === refused ? /(-?\d+)\s*$/.exec(errors)?.[1] : undefined
  return status === undefined ? failed(code, errors) : { status: Number(status), says: errors.trim() }
}

function failed(code: number | null, errors: string): Told {
  const says = errors.trim().replace(/^locald-(?:shim|keychain): /, '')
  if (says !== '') return { status: null, says }
  if (code === null || code === outOfTime) return { status: null, says: 'no one answered the dialog in 10 minutes' }
  return { status: null, says: `it exited with ${code}` }
}
