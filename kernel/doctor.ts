import type { Check } from './contract/plugin.ts'
import { messageOf } from './errors.ts'
import type { Contributions } from './plugins/contributions.ts'
import type { CheckView, DoctorAnswer, FixCommand, PluginView } from './protocol.ts'
import { within } from './system/async.ts'

/** A check that takes longer has hung: ms. */
const checkLimit = 10_000

/** What doctor looks at. */
export interface DoctorInput {
  readonly contributions: Contributions
  readonly plugins: readonly PluginView[]
  /** The kernel's own checks. */
  readonly own: readonly Check[]
  /** Only the checks with these ids. */
  readonly only?: readonly string[] | undefined
  readonly limit?: number
}

/** Runs checks side by side, by default all. A check that throws or hangs is a failed one; fixes are told once each, in the checks' order. */
export async function examine(input: DoctorInput): Promise<DoctorAnswer> {
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

/** Every check that did not pass is covered; of fixes that run the same command the shortest words stand: what others add is for their checks alone. */
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

/** The command of a fix that is one: "Run `locald trust`." */
function commandIn(fix: string): string | undefined {
  return /^Run `([^`]+)`(?:[.:]|$)/.exec(fix)?.[1]
}

async function run(plugin: string, check: Check, limit: number): Promise<CheckView> {
  try {
    const { status, severity, summary, fix } = await within(
      limit,
      check.run(),
      () => new Error(`gave no answer within ${limit / 1000} s`),
    )
    const isWell = status === 'pass' || status === 'skip'
    const words = fix ?? (isWell ? null : `Ask the authors of ${plugin}: its check does not say what mends this.`)
    return { plugin, id: check.id, severity, status, summary, fix: words }
  } catch (error) {
    const summary = `the check itself failed: ${messageOf(error)}`
    const fix = `Run \`locald doctor\` once more; should it fail again, tell the authors of ${plugin}.`
    return { plugin, id: check.id, severity: 'important', status: 'fail', summary, fix }
  }
}

function brokenCheck({ name, reason, from }: PluginView): CheckView {
  const fix =
    from === 'npm'
      ? `Remove it, or install another version: \`locald plugins remove ${name}\`.`
      : 'Install locald again.'
  return { plugin: name, id: 'plugin', severity: 'important', status: 'fail', summary: reason ?? 'it is broken', fix }
}
