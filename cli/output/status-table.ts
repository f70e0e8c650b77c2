import type { SharedUrl } from '../../kernel/events.ts'
import type { StatusView } from '../../kernel/protocol.ts'
import { formatBytes, formatDuration } from './humanize.ts'
import { styleOf } from './service-state.ts'
import { type Cell, fitOn, type Row, table } from './table.ts'
import { painter } from './terminal.ts'
import { uptimeOf } from './uptime.ts'

/** Columns to drop where the terminal is too narrow, in this order. */
const expendable = ['PID', 'CPU', 'MEM', 'UPTIME', 'PORT', 'HEALTH']
const heading = ['NAME', 'STATUS', 'HEALTH', 'PORT', 'URL', 'PID', 'UPTIME', 'CPU', 'MEM']

/** How the table is written. */
export interface StatusTableOptions {
  /** Names are written with their project; otherwise only where there are several projects. */
  readonly fullNames: boolean
  /** Default: to the second. */
  readonly formatUptime?: (ms: number) => string
}

/** Formats the table of `locald status`. */
export function statusTable(services: readonly StatusView[], options: StatusTableOptions): string {
  const projects = new Set(services.map(view => view.project))
  const given = { formatUptime: formatDuration, ...options, fullNames: options.fullNames || projects.size > 1 }
  const rows = services.map(view => rowOf(view, given))
  return table(heading, rows, painter(process.stdout), fitOn(process.stdout, expendable))
}

function rowOf(view: StatusView, { fullNames, formatUptime }: Required<StatusTableOptions>): Row {
  const uptime = uptimeOf(view, Date.now())
  return {
    cells: [
      // Several services may have the project in common.
      fullNames ? { text: view.key, keeps: 'end' } : { text: view.name },
      word(view.status),
      word(view.health),
      value(view.port),
      value(view.url),
      value(view.pid),
      value(uptime === undefined ? null : formatUptime(uptime)),
      value(view.cpu === null ? null : `${view.cpu.toFixed(1)}%`),
      value(view.memory === null ? null : formatBytes(view.memory)),
    ],
    note: noteOf(view),
  }
}

/** Returns why a service is in its state, the owners of its leases, and where it is shared. */
function noteOf({ reason, startedBy = null, leases = [], shared = [] }: StatusView): string | undefined {
  const notes = [reason, leases.length > 0 ? startedBy : null, ...shared.map(shareNote)].flatMap(note => note ?? [])
  return notes.length === 0 ? undefined : notes.join('; ')
}

function shareNote({ via, url }: SharedUrl): string {
  return `shared by ${via}: ${url}`
}

function word(state: string | null): Cell {
  if (state === null) return { text: '-' }
  return { text: state.slice(0, 1).toUpperCase() + state.slice(1), style: styleOf(state) }
}

function value(it: string | number | null): Cell {
  return { text: it === null ? '-' : String(it) }
}
