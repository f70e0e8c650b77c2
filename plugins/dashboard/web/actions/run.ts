import { signal } from '@preact/signals'
import type { ServiceView } from '../../../../kernel/events.ts'
import type { RunAnswer, RunBody, RunView, ServiceCommandView } from '../../../../kernel/protocol.ts'
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
  await startRun(key, { path, service: name, argv: wordsOf(text) })
}

/** Runs a command that a service declares; asks for its arguments, and before one that wants it. */
export async function runDeclared({ key, name, path }: ServiceView, command: ServiceCommandView): Promise<void> {
  const { args, confirm, description, run } = command
  const presets = args.flatMap(({ name, default: preset }) => (preset === undefined ? [] : [[name, `${preset}`]]))
  const values = signal<Readonly<Record<string, string>>>(Object.fromEntries(presets))
  if (confirm || args.length > 0) {
    const answer = await ask({
      title: `Run ${command.name} of ${name}${confirm ? '?' : ''}`,
      ...{ text: description ?? run, cli: `locald run ${key} ${command.name}`, yes: 'Run', isDangerous: confirm },
      ...(args.length === 0 ? {} : { form: { args, values } }),
    })
    if (answer === undefined) return
  }
  // What was emptied is the default; a text may be empty.
  const given = args.flatMap(({ name, type }) => {
    const value = values.value[name] ?? ''
    return value === '' && type !== 'string' ? [] : [[name, value] as const]
  })
  await startRun(key, { path, service: name, command: { name: command.name, args: Object.fromEntries(given) } })
}

/** Starts a command, and shows its terminal. */
async function startRun(key: string, body: RunBody): Promise<void> {
  const { run, notRunning } = await post<RunAnswer>('/services/run', body)
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
