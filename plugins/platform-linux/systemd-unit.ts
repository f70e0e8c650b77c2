import { constants } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Check, CheckResult } from '../../kernel/contract/plugin.ts'
import { systemCode } from '../../kernel/errors.ts'
import { canAccess } from '../lib/files.ts'
import { runProgram } from '../lib/programs.ts'
import { programsIn, unitOf } from './boot.ts'
import type { Machine } from './machine.ts'

const severity = 'important'
const fix = 'Run `locald server install`.'
/** ms */
const limitMs = 5000

/**
 * Returns the check of the unit that `locald server install` made: its programs may have moved since, as a Node.js of
 * nvm does.
 */
export function unitCheck(machine: Machine): Check {
  return { id: 'systemd-unit', title: 'Unit of systemd', run: () => checkUnit(machine) }
}

async function checkUnit(machine: Machine): Promise<CheckResult> {
  const { name, file } = unitOf(machine, machine.env['LOCALD_SANDBOX'] || undefined)
  const text = await readFile(file, 'utf8').catch(error => {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return { status: 'skip', severity, summary: 'systemd does not start the daemon' }
  const { programs, script } = programsIn(text)
  for (const program of programs) if (!(await canAccess(program, constants.X_OK))) return reportMissing(program)
  if (script === undefined || !(await canAccess(script, constants.R_OK))) return reportMissing(script ?? file)
  if (await isEnabled(machine, name)) return { status: 'pass', severity, summary: `systemd has ${name} enabled` }
  return { status: 'warn', severity, summary: `systemd does not have ${name} enabled`, fix }
}

function reportMissing(path: string): CheckResult {
  return { status: 'warn', severity, summary: `the systemd unit starts ${path}, which cannot be run`, fix }
}

async function isEnabled({ env }: Machine, name: string): Promise<boolean> {
  const { code } = await runProgram('systemctl', ['--user', 'is-enabled', name], {
    timeoutMs: limitMs,
    env: { ...env },
  })
  return code === 0
}
