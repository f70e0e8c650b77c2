import type { KeysQuery, StatusAnswer } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import { findOrRevive } from '../daemon/client.ts'
import { print, printJson } from '../output/terminal.ts'

/** The daemon looks at its own tables: one that takes longer hangs. ms */
const answerMs = 15_000

/** `locald status`. Starts no daemon, unless services of a killed one may be running. */
export async function status(context: Context): Promise<number> {
  const { flags, names } = context.words
  const all = flags.has('all')
  const daemon = await findOrRevive(context.paths)
  const empty: StatusAnswer = { services: [] }
  const query = { path: context.cwd, all, service: names } satisfies KeysQuery
  const asked = daemon?.get<StatusAnswer>('/v1/services', query, answerMs) ?? empty
  if (context.json) {
    printJson(await asked)
    return 0
  }
  // Loaded while the daemon looks.
  const [{ services }, { statusTable }] = await Promise.all([asked, import('../output/status-table.ts')])
  if (services.length > 0) print(await statusTable(services, all))
  else if (daemon === undefined) print('Nothing is running: `locald up` starts the project of a folder')
  else if (all) print('No project is known: `locald up` starts the one of a folder')
  else print('No project of this folder is known: `locald up` starts it, `locald status --all` shows all')
  return 0
}
