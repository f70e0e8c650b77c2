import type { Check, CheckResult } from '../../kernel/contract/plugin.ts'
import { messageOf } from '../../kernel/errors.ts'
import { featureTitles } from '../lib/features.ts'
import type { Tools } from './commands.ts'

/** The titles of features in `locald doctor`. */
export const titles = featureTitles({ 'trust-store': 'Certificates in the keychain', vm: 'Virtual machine' })

/** Returns the checks of the machine that belong to no feature. */
export function machineChecks(tools: Pick<Tools, 'ps' | 'lsof'>): readonly Check[] {
  return [
    { id: 'process-table', title: 'Process table (ps)', run: () => toolCheck('ps', () => tools.ps()) },
    { id: 'socket-table', title: 'Socket table (lsof)', run: () => toolCheck('lsof', () => tools.lsof()) },
  ]
}

async function toolCheck(program: 'ps' | 'lsof', use: () => Promise<unknown>): Promise<CheckResult> {
  const severity = 'critical'
  try {
    await use()
    return { status: 'pass', severity, summary: `${program} works` }
  } catch (error) {
    const fix = `Run /bin/ps and /usr/sbin/lsof in a terminal to see their errors: locald needs the system's own ${program}.`
    return { status: 'fail', severity, summary: messageOf(error), fix }
  }
}
