import type { CleanAnswer, KnownProjectView, PinBody, RegistryAnswer } from '../../kernel/protocol.ts'
import { duration } from '../args/values.ts'
import type { Context } from '../context.ts'
import { need } from '../daemon/client.ts'
import { fitOn, table } from '../output/table.ts'
import { painter, print, printJson, say } from '../output/terminal.ts'

/** `locald registry list`. */
export async function registryList({ paths, json }: Context): Promise<number> {
  const answer = await (await need(paths)).get<RegistryAnswer>('/v1/registry')
  if (json) printJson(answer)
  else if (answer.projects.length === 0) print('No project is known: `locald up` in a folder makes its project known')
  else print(await listing(answer.projects))
  return 0
}

/** `locald registry pin`: they start with the daemon. */
export async function registryPin(context: Context): Promise<number> {
  return await pin(context, true)
}

/** `locald registry unpin`. */
export async function registryUnpin(context: Context): Promise<number> {
  return await pin(context, false)
}

/** `locald registry clean`: projects whose folder is gone are forgotten. */
export async function registryClean({ paths, json }: Context): Promise<number> {
  const answer = await (await need(paths)).post<CleanAnswer>('/v1/registry/clean', {})
  if (json) {
    printJson(answer)
    return 0
  }
  print(answer.forgotten.length === 0 ? 'Nothing to forget' : `Forgot ${namesOf(answer.forgotten)}`)
  if (answer.kept.length > 0)
    say(
      `Kept ${namesOf(answer.kept)}, whose folder is missing, as it still runs: \`locald stop ${stopWords(answer.kept)}\``,
    )
  return 0
}

async function pin({ words, paths, cwd, json }: Context, pinned: boolean): Promise<number> {
  const daemon = await need(paths)
  const body: PinBody = { path: cwd, projects: words.names, pinned }
  const answer = await daemon.post<RegistryAnswer>('/v1/registry/pin', body)
  const names = namesOf(answer.projects)
  if (json) printJson(answer)
  else print(pinned ? `Pinned ${names}: started with the daemon from now on` : `Unpinned ${names}`)
  return 0
}

function stopWords(projects: readonly KnownProjectView[]): string {
  return projects.map(({ name }) => name).join(' ')
}

function namesOf(projects: readonly KnownProjectView[]): string {
  return projects.map(({ name }) => name).join(', ')
}

async function listing(projects: readonly KnownProjectView[]): Promise<string> {
  const rows = projects.map(({ name, pinned, domain, usedAt, path, exists, problem }) => ({
    cells: [
      { text: name },
      { text: pinned ? 'yes' : '-' },
      { text: domain },
      { text: `${duration(Date.now() - Date.parse(usedAt))} ago` },
      { text: path },
    ],
    note: exists ? (problem ?? undefined) : 'its folder is gone: `locald registry clean` forgets it',
  }))
  const heading = ['NAME', 'PINNED', 'DOMAIN', 'LAST UP', 'PATH']
  return table(heading, rows, await painter(process.stdout), fitOn(process.stdout, ['LAST UP', 'DOMAIN', 'PINNED']))
}
