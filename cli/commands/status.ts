import type { ServiceView } from '../../kernel/events.ts'
import type { StatusAnswer } from '../../kernel/wire.ts'
import { findOrRevive } from '../client.ts'
import type { Context } from '../context.ts'
import { painter, print, printJson } from '../output.ts'
import { isWell, styleOf } from '../services.ts'
import { type Cell, type Row, table } from '../table.ts'
import { bytes, duration } from '../units.ts'

const heading = ['NAME', 'STATUS', 'HEALTH', 'PORT', 'URL', 'PID', 'UPTIME', 'CPU', 'MEM']
/** The daemon looks at its own tables: one that takes longer hangs. ms */
const answerMs = 15_000

/** `locald status`. Starts no daemon, unless services of a killed one may be running. */
export async function status(context: Context): Promise<number> {
  const all = context.words.flags.has('all')
  const daemon = await findOrRevive(context.paths)
  const empty: StatusAnswer = { services: [] }
  const answer = (await daemon?.get<StatusAnswer>('/v1/services', { path: context.cwd, all }, answerMs)) ?? empty
  if (context.json) {
    printJson(answer)
    return 0
  }
  const projects = new Set(answer.services.map(view => view.project))
  const rows = answer.services.map(view => rowOf(view, all || projects.size > 1))
  print(table(heading, rows, await painter(process.stdout)))
  return 0
}

function rowOf(view: ServiceView, isFull: boolean): Row {
  const uptime = view.startedAt === null || view.pid === null ? null : Date.now() - Date.parse(view.startedAt)
  return {
    cells: [
      { text: isFull ? view.key : view.name },
      word(view.status),
      word(view.health),
      value(view.port),
      value(view.url),
      value(view.pid),
      value(uptime === null ? null : duration(uptime)),
      value(view.cpu === null ? null : `${view.cpu.toFixed(1)}%`),
      value(view.memory === null ? null : bytes(view.memory)),
    ],
    note: isWell(view) ? undefined : (view.reason ?? undefined),
  }
}

function word(state: string | null): Cell {
  if (state === null) return { text: '-' }
  return { text: state.slice(0, 1).toUpperCase() + state.slice(1), style: styleOf(state) }
}

function value(it: string | number | null): Cell {
  return { text: it === null ? '-' : String(it) }
}
