import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Argv, BootPlan, BootUnit } from '../../kernel/contract/plugin.ts'
import { LocaldError } from '../../kernel/errors.ts'
import { type Launchctl, launchctlProgram } from './launchctl.ts'
import { plistText } from './plist.ts'

/** launchd starts a job at most once in this time (launchd.plist(5), ThrottleInterval); with some to spare. ms */
const throttleMs = 10_000
const spareMs = 2000
/**
 * `kickstart` of a job that runs: "Operation already in progress". It is needed all the same: while the login is under way launchd leaves
 * RunAtLoad pending ("domain in on-demand-only mode", developer.apple.com/forums/thread/706985).
 */
const alreadyRuns = [37]
/**
 * `bootstrap` while the job of the same label is being removed, which takes launchd some 5 s after the process got SIGTERM
 * (headroomlabs-ai/headroom#1289, Layr-Labs/d-inference#1102).
 */
const beingRemoved = [5, 37]

const approval =
  'Leave it allowed in System Settings › General › Login Items, where macOS lists it as a background item.'
const background =
  'No one is logged in at the screen of this Mac: the daemon runs in the background session, and is started again at a login there.'

/** Where agents are. */
export interface AgentMachine {
  readonly uid: number
  readonly env: NodeJS.ProcessEnv
  readonly launchctl: Launchctl
  /** The major release of Darwin, since 27 the version of macOS; 0 where it is not known. */
  readonly release: number
}

/** What an agent is called, and where its file is. */
export function agentOf(env: NodeJS.ProcessEnv, sandbox: string | undefined): { label: string; file: string } {
  const label = sandbox === undefined ? 'dev.locald' : `dev.locald.${sandbox}`
  return { label, file: join(env['HOME'] || homedir(), 'Library', 'LaunchAgents', `${label}.plist`) }
}

/** The domains an agent may be in: the login session, and the session that every login has, by ssh too (launchctl(1)). */
export function domainsOf(uid: number): readonly [gui: string, user: string] {
  return [`gui/${uid}`, `user/${uid}`]
}

/**
 * A launchd agent, in the domain of the user's login session. Over ssh to a Mac at which the user is not logged in there is none (`125:
 * Domain does not support specified action`, nix-community/home-manager#9629): then in the user's, which takes only agents that say so. That
 * domain is not read from the folder of agents when the Mac starts (home-manager#9656), but the login session is. Rejects with STEP_FAILED
 * when launchctl gives no answer.
 */
export async function bootPlan({ uid, env, launchctl }: AgentMachine, unit: BootUnit): Promise<BootPlan> {
  const { label, file } = agentOf(env, unit.sandbox)
  const [gui, user] = domainsOf(uid)
  const program = launchctlProgram(unit.sandbox)
  const { code } = await launchctl('print', gui)
  if (code === null) {
    throw new LocaldError('STEP_FAILED', `\`launchctl print ${gui}\` gave no answer`, {
      hint: 'Try again; `launchctl managername` in a terminal shows whether launchd answers at all.',
    })
  }
  const domain = code === 0 ? gui : user
  const each = (...words: readonly string[]): readonly Argv[] =>
    [gui, user].map((at): Argv => [program, ...words, `${at}/${label}`])
  return {
    manager: 'launchd',
    file,
    text: plistText(label, unit, domain === gui ? undefined : ['Aqua', 'Background']),
    load: [
      // An agent that was once disabled cannot be loaded.
      { argv: [program, 'enable', `${domain}/${label}`] },
      { argv: [program, 'bootstrap', domain, file], retryCodes: beingRemoved },
    ],
    start: each('kickstart').map(argv => ({ argv, successCodes: alreadyRuns })),
    delayMs: throttleMs + spareMs,
    unload: each('bootout'),
    loaded: each('print'),
    removed: [],
    failureHint: `${approval} Run the command as yourself, not by \`su\` or \`sudo\`.`,
    hint: domain === gui ? approval : `${background} ${approval}`,
  }
}
