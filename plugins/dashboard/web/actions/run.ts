import type { ServiceView } from '../../../../kernel/events.ts'
import type { RunAnswer, RunView } from '../../../../kernel/protocol.ts'
import { post } from '../api.ts'
import { ask } from '../state/dialog.ts'
import { notify } from '../state/notices.ts'
import { go, hrefOf, place } from '../state/place.ts'
import { lastStarted } from '../state/runs.ts'
import { lineOf, typedLineOf, wordsOf } from './command-line.ts'

/** Asks for a command, starts it in the place of a service, and shows its terminal. */
export async function runCommand({ key, name, path }: ServiceView): Promise<void> {
  const text = await ask({
    title: `Run a command as ${name}`,
    text: `It gets the folder and the environment of ${name}, and a terminal of its own.`,
    field: { label: 'Command', placeholder: 'npm test' },
    cli: text => `locald run ${key} -- ${text.trim() === '' ? 'COMMAND' : lineOf(wordsOf(text))}`,
    yes: 'Run',
  })
  if (text === undefined) return
  const { run, notRunning } = await post<RunAnswer>('/services/run', { path, service: name, argv: wordsOf(text) })
  if (notRunning.length > 0)
    notify({
      ...{ kind: 'warning', service: key },
      text: `${notRunning.join(', ')} ${notRunning.length === 1 ? 'is' : 'are'} not running`,
      hint: `Run \`locald up ${notRunning.join(' ')}\`.`,
    })
  lastStarted.value = run.id
  openTerminals({ run: run.id })
}

/** Shows a terminal beside those that are open. */
export function openTerminals(more: { readonly service?: string; readonly run?: string }): void {
  const { screen, query } = place.peek()
  const open = (name: 'service' | 'run') => (screen === 'terminals' ? query.getAll(name) : [])
  const [service, run] = [open('service'), open('run')]
  go(
    hrefOf('terminals', {
      query: {
        service: [...new Set([...service, ...(more.service === undefined ? [] : [more.service])])],
        run: [...new Set([...run, ...(more.run === undefined ? [] : [more.run])])],
      },
    }),
  )
}

/** Closes a command's terminal, which stops the command: asks before if it runs. Returns whether it was closed. */
export async function closeRun({ id, argv, exit }: RunView): Promise<boolean> {
  if (exit === null) {
    const answer = await ask({
      title: `Stop ${typedLineOf(argv)}?`,
      text: `It gets SIGHUP, then SIGTERM, and is killed after five seconds.`,
      ...{ yes: 'Stop and close', isDangerous: true },
    })
    if (answer === undefined) return false
  }
  await post('/runs/close', { id })
  return true
}
