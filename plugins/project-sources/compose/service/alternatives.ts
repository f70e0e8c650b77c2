import { existsSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import type { ProjectFolder } from '../../../../kernel/contract/plugin.ts'
import { entryOf, itemsOf, type Node, textOf } from '../node.ts'
import { pathFrom } from '../project.ts'
import { quoteWords } from '../words.ts'
import { buildFilesOf } from './image.ts'

/** Commands that run a program from its source and restart or reload it, and the program that they need. */
const devServers: readonly RegExp[] = [
  /^(npm|pnpm|yarn|bun)\s+(?:run\s+)?(?:dev|develop|start|serve|watch)\b/,
  /^(?:npx\s+)?(nodemon|vite|next|nuxt|astro|remix|ng|webpack)\b/,
  /^(node)\s+--watch\b/,
  /^(deno)\s+(?:task|run)\b/,
  /^(python3?)\s+manage\.py\s+runserver\b/,
  /^(flask|fastapi|uvicorn|gunicorn)\b/,
  /^(rails|bundle)\s+(?:exec\s+rails\s+)?s/,
  /^(?:bin\/)?(rails)\s+s/,
  /^(php)\s+(?:artisan\s+serve|-S)\b/,
  /^(air|reflex)\b/,
  /^(go)\s+run\b/,
  /^(cargo)\s+(?:run|watch)\b/,
  /^(mix)\s+phx\.server\b/,
]

/** Returns comments about what could run instead of a container. */
export async function findAlternatives(
  label: string,
  service: Node | undefined,
  root: string,
  folder: Pick<ProjectFolder, 'env' | 'readNamed'>,
): Promise<readonly string[]> {
  if (service?.kind !== 'mapping') return []
  const image = textOf(entryOf(service, 'image'))
  const [, version] = /^(?:docker\.io\/)?(?:library\/)?postgres:(\d+)/.exec(image ?? '') ?? []
  if (version !== undefined && entryOf(service, 'build') === undefined)
    return [
      `Without a container: type = "postgres" and version = "${version}" alone; others read \${services.${label}.url}.`,
    ]
  const files = buildFilesOf(service)
  if (files === undefined) return []
  const command =
    lineOf(entryOf(service, 'command')) ?? (await commandOf(folder, files, textOf(entryOf(service, 'build', 'target'))))
  const program = command === undefined ? undefined : programOf(command)
  if (command === undefined || program === undefined || !isOnPath(program, folder.env['PATH'] ?? '')) return []
  const inner = pathFrom(root, files.context)
  const workdir = inner === '.' ? '' : ` and workdir = ${JSON.stringify(inner)}`
  return [`Without a container: command = ${JSON.stringify(command)}${workdir} alone, with the port in $PORT.`]
}

function lineOf(node: Parameters<typeof itemsOf>[0]): string | undefined {
  if (node === undefined) return undefined
  const words = itemsOf(node).map(item => textOf(item) ?? '')
  return node.kind === 'list' ? quoteWords(words) : words[0]
}

function programOf(command: string): string | undefined {
  const [found] = devServers.flatMap(pattern => pattern.exec(command)?.[1] ?? [])
  return found
}

function isOnPath(program: string, path: string): boolean {
  return path.split(delimiter).some(folder => folder !== '' && existsSync(join(folder, program)))
}

/** Returns the command of a stage of a Dockerfile, or of its last one. */
async function commandOf(
  folder: Pick<ProjectFolder, 'readNamed'>,
  { context, dockerfile }: { readonly context: string; readonly dockerfile: string },
  target: string | undefined,
): Promise<string | undefined> {
  const text = await folder.readNamed(resolve(context, dockerfile)).catch(() => undefined)
  if (text === undefined) return undefined
  const lines = text.replace(/\\\r?\n/g, ' ').split(/\r?\n/)
  const stages: { readonly name: string | undefined; command: string | undefined }[] = []
  for (const line of lines) {
    const [, name] = /^\s*FROM\s+\S+(?:\s+AS\s+(\S+))?/i.exec(line) ?? []
    if (/^\s*FROM\s/i.test(line)) stages.push({ name, command: undefined })
    const [, command] = /^\s*CMD\s+(.+)$/i.exec(line) ?? []
    const stage = stages.at(-1)
    if (stage !== undefined && command !== undefined) stage.command = plainCommand(command.trim())
  }
  return (stages.find(({ name }) => name !== undefined && name === target) ?? stages.at(-1))?.command
}

function plainCommand(written: string): string {
  if (!written.startsWith('[')) return written
  try {
    const words: unknown = JSON.parse(written)
    return Array.isArray(words) ? quoteWords(words.map(String)) : written
  } catch {
    return written
  }
}
