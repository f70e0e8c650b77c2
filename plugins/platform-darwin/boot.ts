import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Argv, BootPlan, BootUnit } from '../../kernel/contract/plugin.ts'
import { LocaldError } from '../../kernel/errors.ts'
import { type Launchctl, launchctlProgram } from './launchctl.ts'
import { plistText } from './plist.ts'

/** launchd starts a job at most once in this time (launchd.plist(5), ThrottleInterval), plus a reserve. ms */
const throttleMs = 10_000
const spareMs = 2000
/**
 * `kickstart` of a running job: "Operation already in progress". It is needed nevertheless: during a login launchd
 * leaves RunAtLoad pending ("domain in on-demand-only mode", developer.apple.com/forums/thread/706985).
 */
const alreadyRuns = [37]
/**
 * `bootstrap` while launchd removes the job of the same label, which takes some 5 s after the process got SIGTERM
 * (headroomlabs-ai/headroom#1289, Layr-Labs/d-inference#1102).
 */
const beingRemoved = [5, 37]

const approval =
  'Leave it allowed in System Settings › General › Login Items, where macOS lists it as a background item.'
const background =
  'No one is logged in at the screen of this Mac: the daemon runs in the background session, and restarts at a login there.'

/** The machine's launchd. */
export interface AgentMachine {
  readonly uid: number
  readonly env: NodeJS.ProcessEnv
  readonly launchctl: Launchctl
  /** The major release of Darwin, since 27 the version of macOS; 0 when unknown. */
  readonly release: number
}

/** Returns an agent's label and file. */
export function agentOf(env: NodeJS.ProcessEnv, sandbox: string | undefined): { label: string; file: string } {
  const label = sandbox === undefined ? 'dev.locald' : `dev.locald.${sandbox}`
  return { label, file: join(env['HOME'] || homedir(), 'Library', 'LaunchAgents', `${label}.plist`) }
}

/**
 * Returns the domains that an agent may be in: the login session, and the session of every login, by ssh too
 * (launchctl(1)).
 */
export function domainsOf(uid: number): readonly [gui: string, user: string] {
  return [`gui/${uid}`, `user/${uid}`]
}

/**
 * Plans a launchd agent in the domain of the user's login session. Over ssh to a Mac without a login at its screen that
 * domain is missing (`125: Domain does not support specified action`, nix-community/home-manager#9629): then in the
 * user's domain, which accepts only agents that declare it. launchd does not load that domain from the folder of agents
 * when the Mac starts (home-manager#9656), but it loads the login session. Rejects with STEP_FAILED when launchctl
 * times out.
 */
export async function bootPlan({ uid, env, launchctl }: AgentMachine, unit: BootUnit): Promise<BootPlan> {
  const { label, file } = agentOf(env, unit.sandbox)
  const [gui, user] = domainsOf(uid)
  const program = launchctlProgram(unit.sandbox)
  const { code } = await launchctl('print', gui)
  if (code === null) {
    throw new LocaldError('STEP_FAILED', `\`launchctl print ${gui}\` timed out`, {
      hint: 'Try again; run `launchctl managername` in a terminal to see whether launchd responds.',
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
      // A disabled agent cannot be loaded.
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
