/** Commands that run on terminals of their own, of all pages: signals that the topic `runs` keeps up to date. */
import { signal } from '@preact/signals'
import type { RunsAnswer, RunView } from '../../../../kernel/protocol.ts'
import { follow } from '../stream/client.ts'

/** All commands, in the order of their start. */
export const runs = signal<readonly RunView[]>([])
/** The one that was started last here, whose terminal takes the focus. */
export const lastStarted = signal<string | undefined>(undefined)

/** Follows the commands until the result is called. */
export function followRuns(): () => void {
  return follow('runs', {
    onValues(values) {
      const last = values.at(-1)
      if (isAnswer(last)) runs.value = last.runs
    },
  })
}

/** Returns how a command is, in words of the CLI: `running`, `exited with code 3`, `terminated by SIGHUP`. */
export function wordOf({ exit }: RunView): string {
  if (exit === null) return 'running'
  return exit.code === null ? `terminated by ${exit.signal ?? 'a signal'}` : `exited with code ${exit.code}`
}

function isAnswer(value: unknown): value is RunsAnswer {
  return typeof value === 'object' && value !== null && 'runs' in value
}
