import { runProgram } from '../lib/programs.ts'

/** launchctl answers from launchd's memory; a hanging one, as after a login, must not block the daemon. ms */
const limitMs = 5000

/** The answer of launchctl. */
export interface Answer {
  /** Null: it could not be started, or was killed after 5 s. */
  readonly code: number | null
  readonly text: string
}

/** Runs launchctl(1). Never rejects. */
export type Launchctl = (...words: readonly string[]) => Promise<Answer>

/**
 * Returns the system's own, whatever a shell, a project or Nix has on PATH; in a sandbox, where a test may replace it,
 * the first on PATH.
 */
export function launchctlProgram(sandbox: string | undefined): string {
  return sandbox === undefined ? '/bin/launchctl' : 'launchctl'
}

/** Returns launchctl for the daemon of this environment. */
export function launchctlOf(env: NodeJS.ProcessEnv): Launchctl {
  const own = { HOME: env['HOME'], PATH: env['PATH'] ?? '/bin:/usr/bin' }
  const program = launchctlProgram(env['LOCALD_SANDBOX'] || undefined)
  return async (...words) => {
    const { code, stdout } = await runProgram(program, words, { env: own, timeoutMs: limitMs })
    return { code, text: stdout }
  }
}

/**
 * Returns how a job last exited, as `launchctl print` shows it (`78: EX_CONFIG`); undefined when it runs or succeeded.
 */
export function failureIn(text: string): string | undefined {
  // The first one: objects further below also have a state.
  const state = /^\s+state = (.*)$/m.exec(text)?.[1]
  const exit = /^\s+last exit code = (.*)$/m.exec(text)?.[1]
  return state === 'running' || exit === undefined || /^(?:0\b|\(never exited\))/.test(exit) ? undefined : exit
}

/**
 * Returns whether `launchctl print-disabled` lists a label as disabled: `=> disabled` since macOS 13, `=> true` before.
 */
export function isDisabled(text: string, label: string): boolean {
  const lines = text.split('\n').map(line => line.trim())
  return lines.some(line => line === `"${label}" => disabled` || line === `"${label}" => true`)
}
