import { runProgram } from '../lib/programs.ts'

/** launchctl answers from launchd's memory; one that hangs, as it may right after a login, must not hold up the daemon. ms */
const limitMs = 5000

/** What launchctl answered. */
export interface Answer {
  /** Null: it could not be run, or was ended after 5 s. */
  readonly code: number | null
  readonly text: string
}

/** Runs launchctl(1). Never rejects. */
export type Launchctl = (...words: readonly string[]) => Promise<Answer>

/** The system's own, whatever a shell, a project or Nix has on PATH; in a sandbox, which a test may give another, the first on PATH. */
export function launchctlProgram(sandbox: string | undefined): string {
  return sandbox === undefined ? '/bin/launchctl' : 'launchctl'
}

/** launchctl for the daemon of this environment. */
export function launchctlOf(env: NodeJS.ProcessEnv): Launchctl {
  const own = { HOME: env['HOME'], PATH: env['PATH'] ?? '/bin:/usr/bin' }
  const program = launchctlProgram(env['LOCALD_SANDBOX'] || undefined)
  return async (...words) => {
    const { code, stdout } = await runProgram(program, words, { env: own, timeoutMs: limitMs })
    return { code, text: stdout }
  }
}

/** How a job last exited, as `launchctl print` shows it (`78: EX_CONFIG`); undefined where it runs, or did what it was to do. */
export function failureIn(text: string): string | undefined {
  // Further below others have a state.
  const state = /^\s+state = (.*)$/m.exec(text)?.[1]
  const exit = /^\s+last exit code = (.*)$/m.exec(text)?.[1]
  return state === 'running' || exit === undefined || /^(?:0\b|\(never exited\))/.test(exit) ? undefined : exit
}

/** Whether `launchctl print-disabled` says that a label is switched off: `=> disabled` since macOS 13, `=> true` before. */
export function isDisabled(text: string, label: string): boolean {
  const lines = text.split('\n').map(line => line.trim())
  return lines.some(line => line === `"${label}" => disabled` || line === `"${label}" => true`)
}
