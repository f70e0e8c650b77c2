import { constants } from 'node:os'
import { denialOf, type ProcessSpec } from '../../kernel/contract/plugin.ts'
import { LocaldError } from '../../kernel/errors.ts'
import type { KeeperEvent } from './keeper-connection.ts'

/** Returns SPAWN_FAILED with a hint. */
export function startError(spec: ProcessSpec, reason: string): LocaldError {
  return new LocaldError('SPAWN_FAILED', `${spec.key} failed to start: ${reason}`, {
    service: spec.key,
    hint: hintFor(spec, reason),
  })
}

/** The system's errors when no terminal is free: ENOSPC of Linux, ENXIO of macOS (XNU's ptcopen). */
const noTerminals: readonly unknown[] = [constants.errno.ENOSPC, constants.errno.ENXIO]
const noTerminal = 'no terminal is free'

/** Returns why a keeper did not start a program, from its event. */
export function failureReason({ step, errno, error }: KeeperEvent): string {
  return step === 'pty' && noTerminals.includes(errno) ? `${noTerminal} (${error})` : `${step}: ${error}`
}

function hintFor({ dir, env }: ProcessSpec, reason: string): string {
  const denial = reason.endsWith('Operation not permitted') ? denialOf(dir, 'EPERM') : undefined
  if (denial !== undefined) return denial.hint

  if (reason.startsWith(noTerminal))
    return 'Close terminals, set `tty = false` for services that can do without, or raise the limit: `sudo sysctl kern.tty.ptmx_max=999` on macOS, `kernel.pty.max` on Linux.'
  if (reason.endsWith('(EMFILE)'))
    return 'Raise the limit of open files (`ulimit -n 4096`), then run `locald server restart`.'
  const [largest] = Object.entries(env).toSorted(([, a], [, b]) => b.length - a.length)
  // E2BIG of execve(2): of one variable as well as of all together.
  if (reason.endsWith('Argument list too long') && largest !== undefined)
    return `Its largest variable is ${largest[0]}, of ${Buffer.byteLength(largest[1])} bytes (Linux takes 128 KiB in one, macOS 1 MiB in all). Put such a text into a file.`
  return "Check `command` and `workdir`, and the daemon's log for details."
}
