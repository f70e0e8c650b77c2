import type { ServiceView } from '../../kernel/events.ts'
import type { StatusView } from '../../kernel/protocol.ts'
import { formatBytes, formatDuration } from '../output/humanize.ts'
import { stateOf } from '../output/service-state.ts'
import type { Item } from './pages.ts'
import type { Session } from './session.ts'

/** The schema of the list of services. */
export const serviceList = {
  services: {
    type: 'array',
    items: {
      type: 'object',
      properties: {
        ...{ name: { type: 'string' }, state: { type: 'string' }, url: { type: ['string', 'null'] } },
        ...{ port: { type: ['integer', 'null'] }, reason: { type: ['string', 'null'] } },
        ...{ startedAt: { type: ['string', 'null'] }, startedBy: { type: ['string', 'null'] } },
      },
      required: ['name', 'state'],
    },
  },
} as const

/** Commands of a service that are listed: their names may be long. */
const mostCommands = 10

/** How services are named and marked. */
export interface ServiceOptions {
  /** Names have their project. */
  readonly fullNames?: boolean
  /** The names of the commands that the service declares. */
  readonly commands?: readonly string[]
  /** A word after the state. */
  readonly note?: (view: StatusView) => string | undefined
}

/** Returns the line of a service, and the same as data. */
export function serviceItem(
  session: Session,
  view: StatusView,
  { fullNames = false, commands = [], note }: ServiceOptions = {},
): Item {
  const { url, port, reason, startedAt, memory, restarts } = view
  const name = fullNames ? view.key : view.name
  const state = stateOf(view)
  const startedBy = starterOf(session, view)
  const facts = [
    note?.(view) ?? (startedBy === null || view.pid === null ? undefined : `started by ${startedBy}`),
    startedAt === null || view.pid === null ? undefined : `for ${formatDuration(Date.now() - Date.parse(startedAt))}`,
    restarts > 0 ? `${restarts} restarts` : undefined,
    memory === null ? undefined : formatBytes(memory),
  ]
  const where = url ?? (port === null ? undefined : `127.0.0.1:${port}`)
  const line = [name, state, where, `(${facts.filter(fact => fact !== undefined).join(', ')})`]
  const text = line.filter(part => part !== undefined && part !== '()').join(' ')
  const shown = commands.slice(0, mostCommands)
  const left = commands.length - shown.length
  const list = [...shown, ...(left > 0 ? [`${left} more`] : [])].join(', ')
  return {
    text: `${text}${reason === null ? '' : `: ${reason}`}${list === '' ? '' : `; commands: ${list}`}`,
    data: { name, state, url, port, reason, startedAt, startedBy, ...(list === '' ? {} : { commands: shown }) },
  }
}

/** Returns who started a service, as the model reads it: "you" is this client; null: it is not meant to run. */
export function starterOf(session: Session, view: StatusView): string | null {
  if (session.owns(view)) return 'you'
  return view.startedBy === 'you' ? 'the user' : (view.startedBy ?? null)
}

/** Returns `2 ready, 1 failed`. */
export function countStates(views: readonly ServiceView[]): string {
  const counts = new Map<string, number>()
  for (const view of views) counts.set(stateOf(view), (counts.get(stateOf(view)) ?? 0) + 1)
  return [...counts].map(([state, count]) => `${count} ${state}`).join(', ')
}
