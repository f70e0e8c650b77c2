import type { CheckResult } from '../../../kernel/contract/plugin.ts'

const severity = 'optional'

export function pass(summary: string): CheckResult {
  return { status: 'pass', severity, summary }
}

/** Makes a warning; `fix` is an imperative. */
export function warn(summary: string, fix: string): CheckResult {
  return { status: 'warn', severity, summary, fix }
}

export function skip(summary: string): CheckResult {
  return { status: 'skip', severity, summary }
}
