import type { ServiceView } from '../../../../../kernel/events.ts'
import type { ServiceCommandsAnswer, ServiceCommandView } from '../../../../../kernel/protocol.ts'
import { runDeclared } from '../../actions/run.ts'
import { useAnswer } from '../../state/answer.ts'
import { notifyError } from '../../state/notices.ts'

/** The commands that a service declares, a button each. */
export function Commands({ view, changes }: { readonly view: ServiceView; readonly changes: readonly unknown[] }) {
  const { path, name, key } = view
  const { answer } = useAnswer<ServiceCommandsAnswer>('/services/commands', { path, service: name }, changes)
  const commands = answer.value.value?.services[0]?.commands ?? []
  if (commands.length === 0) return null
  const run = (command: ServiceCommandView) => void runDeclared(view, command).catch(notifyError)
  return (
    <section class="card" aria-label="Commands">
      <h2>Commands</h2>
      <ul class="all-actions">
        {commands.map(command => (
          <li key={command.name}>
            <button type="button" title={command.description ?? command.run} onClick={() => run(command)}>
              {`Run ${command.name}${command.confirm || command.args.length > 0 ? '…' : ''}`}
            </button>
            <code class="dim">{`locald run ${key} ${command.name}`}</code>
          </li>
        ))}
      </ul>
    </section>
  )
}
