import { constants } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Check, CheckResult } from '../../kernel/contract/plugin.ts'
import { systemCode } from '../../kernel/errors.ts'
import { canAccess } from '../lib/files.ts'
import { type AgentMachine, agentOf, domainsOf } from './boot.ts'
import { failureIn, isDisabled, type Launchctl } from './launchctl.ts'
import { programsIn } from './plist.ts'

const severity = 'important'
/** The first macOS that stops what a quitting app started. */
const stopsWithAppRelease = 27
const allowTerminal =
  'Allow your terminal app in System Settings › General › Login Items, under "Allow in the Background", or run `locald server install` and restart the services.'
const reinstall = 'Run `locald server install`.'
const retry = 'Run `launchctl managername` in a terminal: it shows whether launchd responds.'
const allow =
  'Allow it in System Settings › General › Login Items, under "Allow in the Background", and run `locald server install`.'

/**
 * Returns the check of the agent that `locald server install` made: its programs may have moved since, and launchd may
 * have unloaded it.
 */
export function agentCheck(machine: AgentMachine): Check {
  return { id: 'launch-agent', title: 'Launch agent', run: () => checkAgent(machine) }
}

async function checkAgent({ uid, env, launchctl, release }: AgentMachine): Promise<CheckResult> {
  const { label, file } = agentOf(env, env['LOCALD_SANDBOX'] || undefined)
  const text = await readFile(file, 'utf8').catch(error => {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return withoutAgent(release, env['XPC_SERVICE_NAME'])
  const { programs, script } = programsIn(text)
  for (const program of programs) {
    if (!(await canAccess(program, constants.X_OK))) return reportMissing(program)
  }
  if (script === undefined || !(await canAccess(script, constants.R_OK))) return reportMissing(script ?? file)
  for (const domain of domainsOf(uid)) {
    const { code, text: job } = await launchctl('print', `${domain}/${label}`)
    if (code === null) return { status: 'warn', severity, summary: 'launchctl timed out', fix: retry }
    const failure = failureIn(job)
    if (code === 0 && failure !== undefined) {
      const summary = `the daemon that launchd started exited with ${failure}`
      return {
        status: 'warn',
        severity,
        summary,
        fix: "Check the end of the daemon's log for errors of dyld and Node.js.",
      }
    }
    if (code === 0) return { status: 'pass', severity, summary: `launchd has ${label} loaded (${domain})` }
  }
  return await reportNotLoaded(launchctl, label, uid)
}

/**
 * Since macOS 27 the system stops what an app started when it quits, in whatever group or session, with SIGTERM:
 * tmux/tmux#5465, nexu-io/open-design#8276. What launchd starts as a job of its own, as the CLI makes it do there,
 * keeps running.
 */
function withoutAgent(release: number, job: string | undefined): CheckResult {
  if (release < stopsWithAppRelease) return { status: 'skip', severity, summary: 'launchd does not start the daemon' }
  if (job?.startsWith('dev.locald') === true) {
    return { status: 'pass', severity, summary: `launchd has started the daemon as ${job}` }
  }
  const summary = `macOS ${release} stops the daemon and all services when the app that started them quits`
  return { status: 'warn', severity, summary, fix: allowTerminal }
}

async function reportNotLoaded(launchctl: Launchctl, label: string, uid: number): Promise<CheckResult> {
  for (const domain of domainsOf(uid)) {
    const { text } = await launchctl('print-disabled', domain)
    if (isDisabled(text, label)) {
      return { status: 'warn', severity, summary: `${label} is disabled in launchd`, fix: allow }
    }
  }
  return { status: 'warn', severity, summary: `launchd does not have ${label} loaded`, fix: reinstall }
}

function reportMissing(path: string): CheckResult {
  return { status: 'warn', severity, summary: `the launch agent starts ${path}, which cannot be run`, fix: reinstall }
}
