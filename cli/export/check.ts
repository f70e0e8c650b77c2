import { isTable } from '../../kernel/config/document/table.ts'
import type { Notes } from './notes.ts'
import type { Service } from './project.ts'
import type { Runtime } from './runtime.ts'
import { type Check, secondsOf } from './workload.ts'

/** Returns the health check of a service; undefined, with a note where one is written, if there is no counterpart. */
export function checkOf(
  { name, type, table }: Service,
  port: number | undefined,
  tools: Pick<Runtime, 'probe'>,
  notes: Notes,
): Check | undefined {
  const written = table['health_check']
  const key = `services.${name}.health_check`
  const given = isTable(written) ? written : written === undefined ? {} : { type: 'command', command: written }
  const { type: kind = type === 'exec' ? 'tcp' : 'none', command, path } = given
  const pace = { interval: secondsOf(given['interval']), timeout: secondsOf(given['timeout']) }
  if (kind === 'command') return { command: String(command), probe: { type: 'command' }, ...pace }
  if (kind === 'none') return undefined
  if (kind !== 'http' && kind !== 'tcp') {
    notes.dropped(key, `checks of type '${String(kind)}' have no counterpart`)
    return undefined
  }
  if (port === undefined) return undefined
  if (kind === 'tcp') return { command: tools.probe(port, undefined), probe: { type: 'tcp' }, ...pace }
  const where = typeof path === 'string' ? path : '/'
  return { command: tools.probe(port, where), probe: { type: 'http', path: where }, ...pace }
}
