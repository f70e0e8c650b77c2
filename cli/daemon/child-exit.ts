import { constants } from 'node:os'
import { messageOf, systemCode } from '../../kernel/errors.ts'

/** Returns the exit code of a child process as shells count: 128 and the signal's number where one killed it. */
export function exitCodeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal])
}

/** Describes why a program did not start. */
export function describeStartError(program: string, error: unknown): string {
  if (systemCode(error) === 'ENOENT') return `command not found: ${program}`
  return `${program} failed to start: ${messageOf(error)}`
}
