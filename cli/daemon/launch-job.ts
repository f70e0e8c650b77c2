import { randomBytes } from 'node:crypto'
import { readdirSync, rmSync, statSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { messageOf } from '../../kernel/errors.ts'
import type { Argv } from '../../kernel/protocol.ts'
import { writeAtomic } from '../../kernel/system/files.ts'
import type { Paths } from '../../kernel/system/paths.ts'
import { reportWhenSlow } from '../output/slow-step.ts'
import { printStderr } from '../output/terminal.ts'
import { wakeDaemon } from './connect.ts'
import { daemonEnvironment } from './environment.ts'
import { runProgram } from './run-program.ts'

/** launchctl answers from launchd's memory, ms. */
const answerMs = 5000
/** Between two checks for the daemon, ms. */
const stepMs = 20
/** Between two checks whether the job has exited, ms. */
const lookMs = 500
/** After this time without its socket, the holder of the lock may have been a daemon that was stopping, ms. */
const patienceMs = 1000
/** After this time a start in another way is reported, ms. */
const quietMs = 1000
/** An older file was left by a command that was killed, ms. */
const staleMs = 600_000
/** launchd of macOS 26.5 refuses a file that others cannot read (openclaw/openclaw#104228); its folder is private. */
const readableByAll = 0o644

/** The job that launchd runs. */
export interface LaunchJob {
  readonly run: Argv
  readonly paths: Paths
  /** How long the daemon may take until it listens, ms. */
  readonly limitMs: number
}

/** Connects to the daemon, if it is there. */
type FindDaemon = () => Promise<Socket | undefined>

/**
 * Makes launchd start the daemon as a separate job: since macOS 27, quitting an app stops all that descends from it,
 * but not what launchd started (tmux/tmux#5465). Undefined where launchd does not: over ssh without a login at the
 * screen there is no such domain, and it takes no jobs from a sandboxed program (Homebrew/brew#23895).
 *
 * Nothing is ever booted out: that stops all that the job has started (NousResearch/hermes-agent#79868), which are the
 * services that the next daemon adopts. A job whose program has exited stays in launchd's memory until the log-out,
 * "state = not running" (kurrent-io/kcap-cli#837), and what left its process group lives on (launchd-842.92.1 core.c,
 * job_reap; screenpipe/screenpipe#5260). So each has another label. Written by these sources; it has not run on a Mac.
 */
export async function startAsJob(job: LaunchJob, find: FindDaemon): Promise<Socket | undefined> {
  const began = performance.now()
  const { socket, why } = await reportWhenSlow('Waiting for launchd to start the daemon', () => startJob(job, find))
  if (socket === undefined && performance.now() - began > quietMs) {
    printStderr(
      `Warning: launchd did not start the daemon: ${why}; started without launchd, it stops with the app it was called from`,
    )
  }
  return socket
}

interface Outcome {
  readonly socket?: Socket
  /** Empty where there is a socket. */
  readonly why: string
  /** Whether another daemon has the lock. */
  readonly isHeld?: boolean
}

async function startJob(job: LaunchJob, find: FindDaemon): Promise<Outcome> {
  const deadline = performance.now() + job.limitMs
  for (;;) {
    const outcome = await tryJob(job, deadline, find)
    if (outcome.isHeld !== true) return outcome
    wakeDaemon(job.paths)
    const end = Math.min(deadline, performance.now() + patienceMs)
    for (; performance.now() < end; await setTimeout(stepMs)) {
      const socket = await find()
      if (socket !== undefined) return { socket, why: '' }
    }
    if (performance.now() >= deadline) return outcome
  }
}

/** Starts one job; its file is not needed any more once launchd has read it. */
async function tryJob(job: LaunchJob, deadline: number, find: FindDaemon): Promise<Outcome> {
  const { data, sandbox } = job.paths
  // Property lists are here while launchd reads them.
  const folder = join(data, 'launch-jobs')
  // The system's own, whatever is on PATH; in a sandbox, which a test may give another, the first on PATH.
  const launchctl = sandbox === undefined ? '/bin/launchctl' : 'launchctl'
  const label = ['dev.locald.run', sandbox, randomBytes(4).toString('hex')].filter(Boolean).join('.')
  const file = join(folder, `${label}.plist`)
  const domain = `gui/${process.getuid?.() ?? 0}`
  try {
    writeAtomic(file, plistText(label, job), { mode: readableByAll })
    const loaded = await runProgram([launchctl, 'bootstrap', domain, file], answerMs)
    if (loaded.code !== 0) return { why: loaded.why }
    return await waitForJob(launchctl, `${domain}/${label}`, deadline, find)
  } catch (error) {
    return { why: messageOf(error) }
  } finally {
    removeStaleFiles(folder, file)
  }
}

async function waitForJob(launchctl: string, target: string, deadline: number, find: FindDaemon): Promise<Outcome> {
  for (let looked = performance.now(); performance.now() < deadline; await setTimeout(stepMs)) {
    const isDue = performance.now() - looked >= lookMs
    // First this: where the job exited because another daemon runs, that daemon is found now.
    const end = isDue ? await readExit(launchctl, target) : undefined
    if (isDue) looked = performance.now()
    const socket = await find()
    if (socket !== undefined) return { socket, why: '' }
    if (end !== undefined) return end
  }
  return { why: 'does not listen' }
}

/**
 * Returns how the job's program, which runs once, exited; undefined while it runs, or where launchctl gives no answer.
 * Starts one that has not run yet: during a login launchd leaves RunAtLoad pending, "domain in on-demand-only mode".
 */
async function readExit(launchctl: string, target: string): Promise<Outcome | undefined> {
  const { code: answer, output } = await runProgram([launchctl, 'print', target], answerMs)
  if (answer !== 0) return answer === null ? undefined : { why: 'exited with an unknown code' }
  const [, code, signal] = /^\s*last (?:exit code = (\d+)|terminating signal = (.*))/m.exec(output) ?? []
  if (code !== undefined) return { why: `exited with code ${code}`, isHeld: code === '0' }
  if (signal !== undefined) return { why: `killed by ${signal}` }
  if (!/^\s*state = running$/m.test(output)) await runProgram([launchctl, 'kickstart', target], answerMs)
  return undefined
}

/** Removes a file, and files that killed commands have left. Never throws. */
function removeStaleFiles(folder: string, file: string): void {
  try {
    rmSync(file, { force: true })
    for (const other of readdirSync(folder).map(name => join(folder, name))) {
      if (Date.now() - statSync(other).mtimeMs > staleMs) rmSync(other, { force: true })
    }
  } catch {
    // Another command removes them at the same time.
  }
}

/**
 * Returns the job's property list (launchd.plist(5)). It is not in ~/Library/LaunchAgents, whose jobs are started at a
 * login and listed in System Settings. Throws where a control character cannot be written down.
 */
function plistText(label: string, { run, paths }: LaunchJob): string {
  const set = Object.entries(daemonEnvironment(paths)).flatMap(([name, value]) =>
    value === undefined ? [] : [`<key>${escapeXml(name)}</key>${string(value)}`],
  )
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
<key>Label</key>${string(label)}
<key>ProgramArguments</key>
<array>
${run.map(string).join('\n')}
</array>
<key>EnvironmentVariables</key>
<dict>
${set.join('\n')}
</dict>
<key>WorkingDirectory</key><string>/</string>
<key>Umask</key><integer>${process.umask()}</integer>
<key>RunAtLoad</key><true/>
<key>AbandonProcessGroup</key><true/>
<key>ProcessType</key><string>Interactive</string>
<key>StandardOutPath</key>${string(paths.daemonLog)}
<key>StandardErrorPath</key>${string(paths.daemonLog)}
</dict>
</plist>
`
}

function string(text: string): string {
  return `<string>${escapeXml(text)}</string>`
}

/** Escapes a text for XML 1.0, which cannot represent most control characters. */
function escapeXml(text: string): string {
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(text)) {
    throw new Error(`a control character is in ${JSON.stringify(text)}`)
  }
  return text.replace(/[&<>\r]/g, letter => `&#${letter.charCodeAt(0)};`)
}
