import { useSignal } from '@preact/signals'
import type { FixAnswer, FixCommand } from '../../../../../kernel/protocol.ts'
import { post } from '../../api.ts'
import { CopyButton } from '../../parts/copy-button.tsx'
import { runDoctor } from '../../state/doctor.ts'
import { notify, notifyError } from '../../state/notices.ts'

/** A button that runs a fix and shows its output; one that needs root is copied for a terminal. */
export function FixButton({ command: { command, root } }: { readonly command: FixCommand }) {
  const isRunning = useSignal(false)
  const result = useSignal<FixAnswer | undefined>(undefined)
  const run = async () => {
    isRunning.value = true
    try {
      const answer = await post<FixAnswer>('/doctor/fix', { command })
      result.value = answer
      const isDone = answer.exitCode === 0
      const end = answer.exitCode === null ? 'timed out' : `exited with code ${answer.exitCode}`
      notify({ kind: isDone ? 'done' : 'failed', text: isDone ? `${command}: done` : `${command} ${end}` })
      await runDoctor()
    } catch (error) {
      notifyError(error)
    } finally {
      isRunning.value = false
    }
  }
  const output = result.value?.output.trim() ?? ''
  return (
    <div class="fix">
      <CopyButton text={command} what="the command" />
      {root ? (
        <small class="dim">needs root: run it in a terminal</small>
      ) : (
        <button type="button" disabled={isRunning.value} onClick={() => void run()}>
          {isRunning.value ? 'Running…' : 'Run'}
        </button>
      )}
      {output !== '' && (
        <pre role="status" tabIndex={0}>
          {output}
        </pre>
      )}
    </div>
  )
}
