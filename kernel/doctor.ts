import { constants } from 'node:fs'
import { access, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import type { Check, CheckResult } from './contract/plugin.ts'
import { messageOf, systemCode } from './errors.ts'
import type { Contributions } from './plugins/contributions.ts'
import type { CheckView, DoctorAnswer, FixCommand, PluginView } from './protocol.ts'
import { withTimeout } from './system/async.ts'
import type { Paths } from './system/paths.ts'

/** With less free space, writing logs and databases soon fails: bytes. */
const littleSpace = 500 * 1024 * 1024
const littleTemporary = 64 * 1024 * 1024

/** A check that takes longer counts as hung: ms. */
const checkLimit = 10_000

/** What `examine` runs and reports on. */
export interface DoctorInput {
  readonly contributions: Contributions
  readonly plugins: readonly PluginView[]
  /** The kernel's own checks. */
  readonly own: readonly Check[]
  /** Only the checks with these ids. */
  readonly only?: readonly string[] | undefined
  readonly limit?: number
}

/**
 * Runs checks side by side, by default all. A check that throws or hangs counts as failed; each fix is listed once, in
 * the checks' order.
 */
export async function runChecks(input: DoctorInput): Promise<DoctorAnswer> {
  const { contributions, plugins, own, only, limit = checkLimit } = input
  const listed = [
    ...own.map(check => ({ owner: 'kernel', check })),
    ...contributions.checks().map(({ owner, it }) => ({ owner, check: it })),
  ].filter(({ check }) => only === undefined || only.includes(check.id))
  const ran = await Promise.all(listed.map(({ owner, check }) => run(owner, check, limit)))
  const broken = only === undefined ? plugins.filter(({ state }) => state === 'broken') : []
  const checks = [...ran, ...broken.map(brokenCheck)]
  return { ok: checks.every(({ status }) => status !== 'fail'), checks, ...consolidate(checks) }
}

/**
 * Covers every check that did not pass. Of several fixes with the same command, keeps the shortest text: the others add
 * what concerns their check alone.
 */
function consolidate(checks: readonly CheckView[]): Pick<DoctorAnswer, 'fixes' | 'commands'> {
  const fixes = new Map<string, string>()
  const commands: FixCommand[] = []
  for (const { status, fix } of checks) {
    if (fix === null || status === 'pass' || status === 'skip') continue
    const command = commandIn(fix)
    const key = command ?? fix
    const known = fixes.get(key)
    if (known !== undefined) {
      if (fix.length < known.length) fixes.set(key, fix)
      continue
    }
    fixes.set(key, fix)
    if (command !== undefined) commands.push({ command, root: /\bsudo\b/.test(command) })
  }
  return { fixes: [...fixes.values()], commands }
}

/** Returns the command of a fix that consists of one: "Run `locald trust`." */
function commandIn(fix: string): string | undefined {
  return /^Run `([^`]+)`(?:[.:]|$)/.exec(fix)?.[1]
}

async function run(plugin: string, check: Check, limit: number): Promise<CheckView> {
  try {
    const { status, severity, summary, fix } = await withTimeout(
      limit,
      check.run(),
      () => new Error(`no result within ${limit / 1000} s`),
    )
    const isWell = status === 'pass' || status === 'skip'
    const advice = fix ?? (isWell ? null : `No fix is known; report it to the maintainers of ${plugin}.`)
    return { plugin, id: check.id, severity, status, summary, fix: advice }
  } catch (error) {
    const summary = `the check could not run: ${messageOf(error)}`
    const fix = `Run \`locald doctor\` again; if the check still fails, report it to the maintainers of ${plugin}.`
    return { plugin, id: check.id, severity: 'important', status: 'fail', summary, fix }
  }
}

function brokenCheck({ name, reason, from }: PluginView): CheckView {
  const fix =
    from === 'npm'
      ? `Remove it with \`locald plugins remove ${name}\`, or install another version.`
      : 'Install locald again.'
  return { plugin: name, id: 'plugin', severity: 'important', status: 'fail', summary: reason ?? 'failed to load', fix }
}

/** Returns the kernel's own checks of this machine. */
export function ownChecks(paths: Pick<Paths, 'data'>): readonly Check[] {
  return [
    {
      id: 'node',
      title: 'Version of Node',
      run: async () => ({ status: 'pass', severity: 'critical', summary: `Node ${process.versions.node}` }),
    },
    {
      id: 'data',
      title: 'Data folder',
      run: async () => {
        const { bavail, bsize } = await statfs(paths.data)
        const free = bavail * bsize
        const summary = `${paths.data} (${Math.floor(free / 1024 / 1024)} MB free)`
        if (free >= littleSpace) return { status: 'pass', severity: 'important', summary }
        return { status: 'warn', severity: 'important', summary, fix: `Free some space on the disk of ${paths.data}.` }
      },
    },
    { id: 'temporary-folder', title: 'Temporary folder', run: () => temporaryFolder(tmpdir()) },
  ]
}

async function temporaryFolder(folder: string): Promise<CheckResult> {
  const severity = 'important'
  try {
    await access(folder, constants.W_OK | constants.X_OK)
    const { bavail, bsize } = await statfs(folder)
    if (bavail * bsize >= littleTemporary) return { status: 'pass', severity, summary: `${folder} is writable` }
    return { status: 'warn', severity, summary: `${folder} is nearly full`, fix: `Free some space in ${folder}.` }
  } catch (error) {
    const summary = `${folder} is not writable (${systemCode(error) ?? 'unknown error'})`
    return { status: 'fail', severity, summary, fix: 'Set TMPDIR to a writable folder.' }
  }
}
