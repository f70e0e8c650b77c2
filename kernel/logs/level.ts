import type { LogLevel } from '../protocol.ts'

/** The gravest is the last. */
export const levels = ['debug', 'info', 'warn', 'error'] as const satisfies readonly LogLevel[]

/** UTF-16 units at the beginning of a line that are examined. */
const examined = 200

const marks: readonly (readonly [LogLevel, RegExp])[] = [
  ['error', /\b(?:error|err!?|fatal|panic|exception|critical|crit|traceback|uncaught|unhandled)\b|^\s+at .+:\d+/i],
  ['warn', /\bwarn(?:ing)?\b|\bdeprecat/i],
  ['debug', /\b(?:debug|trace|verbose)\b/i],
  ['info', /\b(?:info|log|notice|hint|ready|listening|started)\b/i],
]

/** Guesses the level of a line from its first words, without control sequences; stderr without any is a warning. */
export function levelOf(plain: string, stream: string): LogLevel {
  const head = plain.slice(0, examined)
  for (const [level, mark] of marks) if (mark.test(head)) return level
  return stream === 'stderr' ? 'warn' : 'info'
}

/** Whether a level is another one, or graver. */
export function isAtLeast(level: LogLevel, lowest: LogLevel): boolean {
  return levels.indexOf(level) >= levels.indexOf(lowest)
}
