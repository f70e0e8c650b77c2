import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { LocaldError } from '../../kernel/errors.ts'
import type { CommandAnswer, CommandBody } from '../../kernel/protocol.ts'
import { type HelperPaths, helperPaths } from '../../shim/paths.ts'
import { planSetup, planUninstall, type Step, selfTest } from '../admin/steps.ts'
import type { Context } from '../context.ts'
import { requireDaemon } from '../daemon/client.ts'
import { printAnswer } from '../output/command-answer.ts'
import { print, printJson, printStderr } from '../output/terminal.ts'

/** `locald admin setup`, as root: installs the privileged helper and lets the person who called sudo use it. */
export async function adminSetup(context: Context): Promise<number> {
  const { paths, args } = context
  if (process.getuid?.() !== 0) return runWithSudo('setup')
  const uid = readCaller()
  const source = join(paths.native, 'locald-shim')
  const helper = helperPaths(paths.platform)
  const steps = planSetup(helper, { source, uid, capabilities: args.flags.has('capabilities') })
  runSteps(context, steps, 'Already set up')
  const failure = selfTest(helper, uid)
  if (failure === undefined) {
    if (steps.length > 0 && !context.json) printStderr('Run `locald server restart` to apply.')
    return 0
  }
  throw new LocaldError('SHIM_FAILED', `locald-shim is installed, but the self-test failed: ${failure}`, {
    hint: `Remount the file system of ${helper.shims[0]} without nosuid if it has that option; else run \`locald doctor\`.`,
  })
}

/** `locald admin uninstall`, as root: removes the helper and all that it has changed, for all users. */
export async function adminUninstall(
  context: Context,
  helper: HelperPaths = helperPaths(context.paths.platform),
): Promise<number> {
  if (process.getuid?.() !== 0) return runWithSudo('uninstall')
  const left = runSteps(context, planUninstall(helper), 'Nothing is installed')
  // On macOS only the user can change what that user trusts.
  if (helper.keychain !== undefined && !context.json) {
    printStderr('CAs in users’ own keychains remain: each user runs `locald untrust`.')
  }
  return left.length === 0 ? 0 : 1
}

/** `locald admin sync-hosts`: the daemon rewrites its entries in the hosts file. */
export async function adminSyncHosts(context: Context): Promise<number> {
  if (process.getuid?.() === 0 && process.env['SUDO_UID'] !== undefined) {
    throw new LocaldError('USAGE', '`locald admin sync-hosts` needs your own daemon, not that of root', {
      hint: 'Run `locald admin sync-hosts` without sudo.',
    })
  }
  const daemon = await requireDaemon(context.paths)
  const body: CommandBody = { argv: [], cwd: context.cwd }
  const answer = await daemon.post<CommandAnswer>('/v1/commands/sync-hosts', body, null)
  return printAnswer(answer, context.json)
}

/** Lists the steps and runs them; returns the errors of optional ones. */
function runSteps(context: Context, steps: readonly Step[], nothingToDo: string): readonly LocaldError[] {
  const log = context.json ? () => {} : printStderr
  log(steps.length === 0 ? nothingToDo : 'As root, this will:')
  for (const { text } of steps) log(`  ${text}`)
  const done: string[] = []
  const left: LocaldError[] = []
  for (const step of steps) {
    const error = runStep(step)
    if (error === undefined) done.push(step.text)
    else left.push(error)
  }
  for (const { message, hint } of left) log(`! ${message}\n  ${hint}`)
  if (context.json) printJson({ done, left: left.map(({ message, hint }) => ({ message, hint })) })
  else if (steps.length > 0) print(left.length === 0 ? 'Done' : 'Done, except for the steps marked with !')
  return left
}

/** Runs a step; returns the error of one that is optional, throws that of any other. */
function runStep(step: Step): LocaldError | undefined {
  try {
    step.run()
    return undefined
  } catch (error) {
    if (step.isOptional === true && LocaldError.is(error)) return error
    throw error
  }
}

/** Runs the same command by sudo(8), with this very Node: root's PATH may have another, or none. */
function runWithSudo(verb: string): number {
  const words = process.argv.slice(1)
  printStderr(`Root is required, running: sudo locald admin ${verb}`)
  const ran = spawnSync('sudo', [process.execPath, ...words], { stdio: 'inherit' })
  if (ran.status !== null) return ran.status
  throw new LocaldError('NEEDS_ROOT', `\`locald admin ${verb}\` needs root, and sudo failed to start`, {
    hint: `Run as root: SUDO_UID=${process.getuid?.()} ${process.execPath} ${words[0]} admin ${verb}`,
  })
}

/** Returns the user who called sudo; root without sudo. */
function readCaller(): number {
  const text = process.env['SUDO_UID']
  if (text === undefined) return 0
  const uid = Number(text)
  if (/^\d{1,10}$/.test(text) && uid < 2 ** 32 - 1) return uid
  throw new LocaldError('USAGE', `SUDO_UID '${text}' is not a user id`, {
    hint: 'Run `sudo locald admin setup`.',
  })
}
