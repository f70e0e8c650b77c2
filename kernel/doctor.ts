import type { Contributions } from './contributions.ts'
import { messageOf } from './errors.ts'
import { within } from './limits.ts'
import type { Check } from './plugin.ts'
import type { CheckView, DoctorAnswer, PluginView } from './wire.ts'

/** A check that takes longer has hung: ms. */
const checkLimit = 10_000

/** What doctor looks at. */
export interface DoctorInput {
  readonly contributions: Contributions
  readonly plugins: readonly PluginView[]
  /** The kernel's own checks. */
  readonly own: readonly Check[]
  readonly limit?: number
}

/** Runs all checks side by side. A check that throws or hangs is a failed one; fixes are told once each, in the checks' order. */
export async function examine({ contributions, plugins, own, limit = checkLimit }: DoctorInput): Promise<DoctorAnswer> {
  const listed = [
    ...own.map(check => ({ owner: 'kernel', check })),
    ...contributions.checks().map(({ owner, it }) => ({ owner, check: it })),
  ]
  const ran = await Promise.all(listed.map(({ owner, check }) => run(owner, check, limit)))
  const checks = [...ran, ...plugins.filter(({ state }) => state === 'broken').map(brokenCheck)]
  const fixes = checks.filter(({ status }) => status === 'fail' || status === 'warn').flatMap(({ fix }) => fix ?? [])
  return { ok: checks.every(({ status }) => status !== 'fail'), checks, fixes: [...new Set(fixes)] }
}

async function run(plugin: string, check: Check, limit: number): Promise<CheckView> {
  try {
    const { status, severity, summary, fix } = await within(
      limit,
      check.run(),
      () => new Error(`gave no answer within ${limit / 1000} s`),
    )
    return { plugin, id: check.id, severity, status, summary, fix: fix ?? null }
  } catch (error) {
    const summary = `the check itself failed: ${messageOf(error)}`
    return { plugin, id: check.id, severity: 'important', status: 'fail', summary, fix: null }
  }
}

function brokenCheck({ name, reason, from }: PluginView): CheckView {
  const fix = from === 'npm' ? `locald plugins remove ${name}` : 'Install locald again.'
  return { plugin: name, id: 'plugin', severity: 'important', status: 'fail', summary: reason ?? 'it is broken', fix }
}
