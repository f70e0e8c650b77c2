import { fieldOf, textOf } from '../lib/json.ts'

/** What the next daemon needs of a schedule, besides the process that runs. */
export interface CronState {
  /** When the schedule began: ms since the epoch. */
  readonly beganMs: number
  /** When the command is due: ms since the epoch. */
  readonly nextMs: number
  /** How the last run failed: "exited with code 3 at 12:15"; undefined: it has not. */
  readonly failure?: string | undefined
}

/** Reads what an earlier daemon left; undefined for anything else. */
export function readState(value: unknown): CronState | undefined {
  const [beganMs, nextMs] = [fieldOf(value, 'beganMs'), fieldOf(value, 'nextMs')]
  if (typeof beganMs !== 'number' || typeof nextMs !== 'number') return undefined
  return { beganMs, nextMs, failure: textOf(value, 'failure') }
}

/** Returns a time for people, in local time: `12:15`, with seconds where it has some, and the date of another day. */
export function formatTime(ms: number, now = new Date()): string {
  // Sweden writes as ISO 8601 does, in local time.
  const [date = '', time = ''] = new Date(ms).toLocaleString('sv-SE').split(' ')
  const clock = time.replace(/:00$/, '')
  return date === now.toLocaleDateString('sv-SE') ? clock : `${date} ${clock}`
}
