import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { LocaldError } from '../../kernel/errors.ts'
import type { CommandAnswer, CommandBody } from '../../kernel/protocol.ts'
import { complaintOf, type Step, setupSteps, uninstallSteps } from '../admin/steps.ts'
import type { Context } from '../context.ts'
import { need } from '../daemon/client.ts'
import { print, printJson, say } from '../output/terminal.ts'

/** `locald admin setup`, as root: installs the privileged helper and lets the person who called sudo use it. */
export async function adminSetup(context: Context): Promise<number> {
  const { paths, words } = context
  if (process.getuid?.() !== 0) return throughSudo('setup')
  const uid = callerOf()
  const source = join(paths.native, 'locald-shim')
  const steps = setupSteps(paths.privileged, { source, uid, capabilities: words.flags.has('capabilities') })
  carryOut(context, steps, 'All is set up')
  const complaint = complaintOf(paths.privileged, uid)
  if (complaint === undefined) {
    if (steps.length > 0 && !context.json) say('Hint: `locald server restart` makes use of it.')
    return 0
  }
  throw new LocaldError('SHIM_FAILED', `it was installed but does not work: ${complaint}`, {
    hint: `Where ${paths.privileged.shims[0]} is on a file system mounted nosuid, remount it; else \`locald doctor\` says more.`,
  })
}

/** `locald admin uninstall`, as root: what setup and the helper have put anywhere is gone afterwards, for all users. */
export async function adminUninstall(context: Context): Promise<number> {
  if (process.getuid?.() !== 0) return throughSudo('uninstall')
  const { privileged } = context.paths
  const left = carryOut(context, uninstallSteps(privileged), 'Nothing is installed')
  // What a user trusts is that user's, and macOS changes it for nobody else.
  if (privileged.keychain !== undefined && !context.json) {
    say('A CA in a user’s own keychain stays: each user removes their own by `locald untrust`.')
  }
  return left.length === 0 ? 0 : 1
}

/** `locald admin sync-hosts`: has the daemon write its names to the hosts file once more. */
export async function adminSyncHosts(context: Context): Promise<number> {
  if (process.getuid?.() === 0 && process.env['SUDO_UID'] !== undefined) {
    throw new LocaldError('USAGE', 'this asks your own daemon, not that of root', {
      hint: 'Run `locald admin sync-hosts` without sudo.',
    })
  }
  const daemon = await need(context.paths)
  const body: CommandBody = { argv: [], cwd: context.cwd }
  const answer = await daemon.post<CommandAnswer>('/v1/commands/sync-hosts', body, null)
  if (context.json) printJson(answer.data ?? { text: answer.text })
  else print(answer.text.trimEnd())
  return answer.exitCode
}

/** Does the steps, after they were listed; the errors of those that are optional. */
function carryOut(context: Context, steps: readonly Step[], nothing: string): readonly LocaldError[] {
  const tell = context.json ? () => {} : say
  tell(steps.length === 0 ? nothing : 'As root, this will:')
  for (const { text } of steps) tell(`  ${text}`)
  const done: string[] = []
  const left: LocaldError[] = []
  for (const step of steps) {
    const error = attempt(step)
    if (error === undefined) done.push(step.text)
    else left.push(error)
  }
  for (const { message, hint } of left) tell(`! ${message}\n  ${hint}`)
  if (context.json) printJson({ done, left: left.map(({ message, hint }) => ({ message, hint })) })
  else if (steps.length > 0) print(left.length === 0 ? 'Done' : 'Done, but for what is marked with !')
  return left
}

/** Does a step; the error of one that is optional. */
function attempt(step: Step): LocaldError | undefined {
  try {
    step.run()
    return undefined
  } catch (error) {
    if (step.isOptional === true && LocaldError.is(error)) return error
    throw error
  }
}

/** The same command again by sudo(8), with this very Node: root's PATH may have another, or none. */
function throughSudo(verb: string): number {
  const words = process.argv.slice(1)
  say(`This needs root: sudo locald admin ${verb}`)
  const ran = spawnSync('sudo', [process.execPath, ...words], { stdio: 'inherit' })
  if (ran.status !== null) return ran.status
  throw new LocaldError('NEEDS_ROOT', `\`locald admin ${verb}\` must be run as root, and sudo cannot be run`, {
    hint: `Run as root: SUDO_UID=${process.getuid?.()} ${process.execPath} ${words[0]} admin ${verb}`,
  })
}

/** Whom sudo was called by; root itself otherwise. */
function callerOf(): number {
  const told = process.env['SUDO_UID']
  if (told === undefined) return 0
  const uid = Number(told)
  if (/^\d{1,10}$/.test(told) && uid < 2 ** 32 - 1) return uid
  throw new LocaldError('USAGE', `SUDO_UID is '${told}', which is no user id`, {
    hint: 'Run `sudo locald admin setup`.',
  })
}
