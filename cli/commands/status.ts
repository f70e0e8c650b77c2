import { sep } from 'node:path'
import type { KeysQuery, RegistryAnswer, StatusAnswer } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import { type Client, findOrReviveDaemon } from '../daemon/client.ts'
import { isListed } from '../output/service-state.ts'
import { print, printJson } from '../output/terminal.ts'

/** The daemon answers from memory: one that takes longer hangs. ms */
const answerMs = 15_000

/** `locald status`. Starts no daemon, unless services of a killed one may be running. */
export async function status(context: Context): Promise<number> {
  const { positionals, flags } = context.args
  const all = flags.has('all')
  const daemon = await findOrReviveDaemon(context.paths)
  const empty: StatusAnswer = { services: [] }
  const query = { path: context.cwd, all, service: positionals } satisfies KeysQuery
  const asked = daemon?.get<StatusAnswer>('/v1/services', query, answerMs) ?? empty
  if (context.json) {
    printJson(await asked)
    return 0
  }
  // Imported while the daemon answers.
  const [{ services }, { statusTable }] = await Promise.all([asked, import('../output/status-table.ts')])
  const listed = services.filter(view => all || isListed(view, positionals))
  if (listed.length > 0) print(statusTable(listed, all))
  else if (services.length > 0) print('All services are hidden. Run `locald status --all` to show them.')
  else if (daemon === undefined) print('Nothing is running. Run `locald up` in the folder of a project.')
  else if (all) print('No known projects. Run `locald up` in the folder of one.')
  else print(await explainEmpty(daemon, context.cwd))
  return 0
}

async function explainEmpty(daemon: Client, cwd: string): Promise<string> {
  const none: RegistryAnswer = { projects: [] }
  const { projects } = await daemon.get<RegistryAnswer>('/v1/registry', {}, answerMs).catch(() => none)
  const project = projects.find(({ path }) => path === cwd || cwd.startsWith(`${path}${sep}`))
  if (project !== undefined) return `Project ${project.name} is not running. Run \`locald up\` to start it.`
  return 'No known project in this folder. Run `locald up` to start it, or `locald status --all` to show all projects.'
}
