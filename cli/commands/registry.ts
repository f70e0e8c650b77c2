import type { CleanAnswer, CleanBody, KnownProjectView, PinBody, RegistryAnswer } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import { requireDaemon } from '../daemon/client.ts'
import { formatBytes, formatDuration } from '../output/humanize.ts'
import { confirm } from '../output/prompt.ts'
import { fitOn, table } from '../output/table.ts'
import { isInteractive, painter, print, printJson, printStderr } from '../output/terminal.ts'

/** `locald registry list`. */
export async function registryList({ paths, json }: Context): Promise<number> {
  const answer = await (await requireDaemon(paths)).get<RegistryAnswer>('/v1/registry')
  if (json) printJson(answer)
  else if (answer.projects.length === 0) print('No known projects. Run `locald up` in the folder of one.')
  else print(formatProjects(answer.projects))
  return 0
}

/** `locald registry pin`: the projects start with the daemon. */
export async function registryPin(context: Context): Promise<number> {
  return await pin(context, true)
}

/** `locald registry unpin`. */
export async function registryUnpin(context: Context): Promise<number> {
  return await pin(context, false)
}

/**
 * `locald registry clean`: forgets projects whose folder was deleted, and removes their logs; their data, too, with
 * `--data` or where the user confirms it.
 */
export async function registryClean({ args, paths, json }: Context): Promise<number> {
  const daemon = await requireDaemon(paths)
  const [dryRun, isChosen] = [args.flags.has('dry-run'), args.flags.has('data')]
  const clean = (body: CleanBody) => daemon.post<CleanAnswer>('/v1/registry/clean', body)
  const asks = !dryRun && !json && isInteractive()
  // Only what was listed is removed.
  const { data } = isChosen || asks ? await clean({ dryRun: true }) : { data: [] }
  const removes = isChosen || (asks && data.length > 0 && (await confirm(`Delete ${describeData(data)}?`)))
  const answer = await clean({ dryRun, data: removes ? data.flatMap(({ path, name }) => path ?? name ?? []) : [] })
  if (json) printJson(answer)
  else printCleaned(answer, dryRun)
  return 0
}

function describeData(data: CleanAnswer['data']): string {
  return data.map(({ what, project, bytes }) => `the ${what} of ${project} (${formatBytes(bytes)})`).join(', ')
}

function printCleaned({ forgotten, kept, data, removed }: CleanAnswer, isDry: boolean): void {
  if (forgotten.length === 0) print('Nothing to forget')
  else print(`${isDry ? 'Would forget' : 'Forgot'} ${formatNames(forgotten)}`)
  for (const { project, path, bytes } of removed)
    print(`${isDry ? 'Would remove' : 'Removed'} the logs of ${project} (${formatBytes(bytes)}): ${path}`)
  for (const each of data.filter(({ removed }) => removed))
    print(`${isDry ? 'Would remove' : 'Removed'} ${describeData([each])}: ${each.path ?? each.name}`)
  for (const each of data.filter(({ removed }) => !removed))
    printStderr(
      `Kept ${describeData([each])}: ${each.path ?? each.name}; run \`locald registry clean --data\` to remove it`,
    )
  for (const { name, pinned } of kept.filter(view => data.every(({ project }) => project !== view.name))) {
    const [why, command] = pinned ? ['the project is pinned', 'registry unpin'] : ['services are still running', 'stop']
    printStderr(`Kept ${name}: its folder was deleted but ${why}; run \`locald ${command} ${name}\``)
  }
}

async function pin({ args, paths, cwd, json }: Context, pinned: boolean): Promise<number> {
  const daemon = await requireDaemon(paths)
  const body: PinBody = { path: cwd, projects: args.positionals, pinned }
  const answer = await daemon.post<RegistryAnswer>('/v1/registry/pin', body)
  const names = formatNames(answer.projects)
  if (json) printJson(answer)
  else print(pinned ? `Pinned ${names}: starts with the daemon` : `Unpinned ${names}`)
  return 0
}

function formatNames(projects: readonly KnownProjectView[]): string {
  return projects.map(({ name }) => name).join(', ')
}

function formatProjects(projects: readonly KnownProjectView[]): string {
  const rows = projects.map(({ name, pinned, domain, usedAt, path, exists, problem }) => ({
    cells: [
      { text: name },
      { text: pinned ? 'yes' : '-' },
      { text: domain },
      { text: `${formatDuration(Date.now() - Date.parse(usedAt))} ago` },
      { text: path },
    ],
    note: exists ? (problem ?? undefined) : 'folder was deleted; run `locald registry clean`',
  }))
  const heading = ['NAME', 'PINNED', 'DOMAIN', 'LAST UP', 'PATH']
  return table(heading, rows, painter(process.stdout), fitOn(process.stdout, ['LAST UP', 'DOMAIN', 'PINNED']))
}
