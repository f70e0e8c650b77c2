import type { ServiceView } from '../../../../kernel/events.ts'
import type { CommandAnswer } from '../../../../kernel/protocol.ts'
import { post } from '../api.ts'
import { ask } from '../state/dialog.ts'
import { notify, notifyError } from '../state/notices.ts'
import { setPending } from '../state/pending.ts'
import type { Action } from './registry.ts'

const isDatabase = (service: ServiceView | undefined) => service?.type === 'postgres'

/** Snapshots of databases, by the plugin's command `locald db`. */
export const databaseActions: readonly Action[] = [
  {
    ...{ id: 'db.snapshot', keywords: 'backup save copy', isOfService: true },
    title: ({ service }) => `Take a snapshot of ${service?.name}`,
    cli: ({ service }) => `locald db snapshot --service ${service?.key}`,
    isShown: ({ service }) => isDatabase(service),
    run: ({ service }) => (service === undefined ? undefined : command(service, ['snapshot'], 'copying')),
  },
  {
    ...{ id: 'db.restore', keywords: 'backup undo snapshot', isOfService: true },
    title: ({ service }) => `Restore ${service?.name} from a snapshot…`,
    cli: ({ service }) => `locald db restore NAME --service ${service?.key}`,
    isShown: ({ service }) => isDatabase(service),
    run: ({ service }) => (service === undefined ? undefined : restore(service)),
  },
]

async function restore(service: ServiceView): Promise<void> {
  const { name, key } = service
  const found = await list(service)
  if (found.length === 0) {
    notify({
      kind: 'warning',
      text: `${name} has no snapshots`,
      hint: `Run \`locald db snapshot --service ${key}\`.`,
      service: key,
    })
    return
  }
  const chosen = await ask({
    title: `Restore ${name}`,
    text: `The present data of ${name} is replaced. It is saved first, as the snapshot “before-restore”.`,
    ...{ cli: `locald db restore NAME --service ${key}`, yes: 'Restore', choices: found },
  })
  if (chosen !== undefined) await command(service, ['restore', chosen], 'restoring')
}

async function list(service: ServiceView): Promise<readonly { readonly value: string; readonly text: string }[]> {
  const { table } = await call(service, ['list'])
  const at = table?.columns.findIndex(column => /^name$/i.test(column)) ?? -1
  const kind = table?.columns.findIndex(column => /^(?:kind|type)$/i.test(column)) ?? -1
  const rows = table?.rows.filter(row => kind < 0 || row[kind] === 'snapshot') ?? []
  return rows.flatMap(row =>
    typeof row[at] === 'string' ? [{ value: row[at], text: row.filter(Boolean).join(' · ') }] : [],
  )
}

async function command(service: ServiceView, argv: readonly string[], word: string): Promise<void> {
  const settle = setPending([service.key], word)
  try {
    const { exitCode, text } = await call(service, argv)
    notify({ kind: exitCode === 0 ? 'done' : 'failed', text, service: service.key })
  } catch (error) {
    notifyError(error, service.key)
  } finally {
    settle()
  }
}

function call({ path, key }: ServiceView, argv: readonly string[]): Promise<CommandAnswer> {
  return post<CommandAnswer>('/commands/db', { argv: [...argv, '--service', key], cwd: path })
}
