import type { StatusAnswer } from '../../kernel/wire.ts'
import { findOrRevive } from '../client.ts'
import type { Context } from '../context.ts'
import { print, printJson } from '../output.ts'

/** The daemon looks at its own tables: one that takes longer hangs. ms */
const answerMs = 15_000

/** `locald status`. Starts no daemon, unless services of a killed one may be running. */
export async function status(context: Context): Promise<number> {
  const all = context.words.flags.has('all')
  const daemon = await findOrRevive(context.paths)
  const empty: StatusAnswer = { services: [] }
  const asked = daemon?.get<StatusAnswer>('/v1/services', { path: context.cwd, all }, answerMs) ?? empty
  if (context.json) {
    printJson(await asked)
    return 0
  }
  // Loaded while the daemon looks.
  const [{ services }, { statusTable }] = await Promise.all([asked, import('../status-table.ts')])
  print(await statusTable(services, all))
  return 0
}
