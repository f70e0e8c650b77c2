import { isWithin } from '../../kernel/lib/subpath.ts'
import type { KeysQuery, RegistryAnswer, StatusAnswer } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import { type Client, findOrReviveDaemon } from '../daemon/client.ts'
import { isShown } from '../output/service-state.ts'
import { print, printJson, printStderr } from '../output/terminal.ts'

/** The daemon answers from memory: one that takes longer hangs. ms */
const answerMs = 15_000

/** `locald status`. Starts no daemon, unless services of a killed one may be running. */
export async function status(context: Context): Promise<number> {
  const { positionals, flags } = context.args
  const known = flags.has('known')
  const all = flags.has('all') || known
  const query = { path: context.cwd, all, service: positionals } satisfies KeysQuery
  if (flags.has('watch')) {
    const { watchStatus } = await import('../watch/index.ts')
    return await watchStatus(context, { query, known })
  }
  const daemon = await findOrReviveDaemon(context.paths)
  const empty: StatusAnswer = { services: [] }
  const asked = daemon?.get<StatusAnswer>('/v1/services', query, answerMs) ?? empty
  // Imported while the daemon answers.
  const table = context.json ? undefined : import('../output/status-table.ts')
  const { services } = await asked
  // For a program, a hidden service is one as others are.
  const shown = services.filter(view => (context.json && !all) || isShown(view, { all, known, names: positionals }))
  const left = services.length - shown.length
  if (table === undefined) printJson({ services: shown } satisfies StatusAnswer)
  else if (shown.length > 0) print((await table).statusTable(shown, { fullNames: all }))
  else print(await explainEmpty(daemon, context.cwd, { all, left }))
  if (all && left > 0 && (shown.length > 0 || context.json)) printStderr(leftLine(left))
  return 0
}

function leftLine(count: number): string {
  const what = count === 1 ? '1 stopped service is' : `${count} stopped services are`
  return `${what} not shown; see \`locald status --known\``
}

async function explainEmpty(
  daemon: Client | undefined,
  cwd: string,
  { all, left }: { readonly all: boolean; readonly left: number },
): Promise<string> {
  if (daemon === undefined) return 'Nothing is running. Run `locald up` in the folder of a project.'
  if (all && left > 0) return `Nothing is running; ${leftLine(left)}`
  if (all) return 'No known projects. Run `locald up` in the folder of one.'
  if (left > 0) return 'All services are hidden. Run `locald status --all` to show them.'
  const none: RegistryAnswer = { projects: [] }
  const { projects } = await daemon.get<RegistryAnswer>('/v1/registry', {}, answerMs).catch(() => none)
  const project = projects.find(({ path }) => isWithin(cwd, path))
  if (project !== undefined) return `Project ${project.name} is not running. Run \`locald up\` to start it.`
  return 'No known project in this folder. Run `locald up` to start it, or `locald status --all` to see other projects.'
}
