import { resolve } from 'node:path'
import { LocaldError } from '../../kernel/errors.ts'
import { realPath } from '../../kernel/lib/real-path.ts'
import type { ConfigBody, InferredAnswer, TranslationAnswer, TranslationBody } from '../../kernel/protocol.ts'
import { flagValue } from '../args/parse.ts'
import { type Context, callerEnvironment } from '../context.ts'
import { type Client, requireDaemon } from '../daemon/client.ts'
import type { ProjectFile } from '../edit/index.ts'
import { shortenPath } from '../output/errors.ts'
import { converse, declinedCode } from '../output/prompt.ts'
import { isInteractive, print, printJson, printStderr } from '../output/terminal.ts'

/** The files that `--from` names, besides compose files. */
const sources: Readonly<Record<string, readonly string[]>> = {
  procfile: ['Procfile', 'Procfile.dev'],
  package: ['package.json'],
}

type Finding = TranslationAnswer['dropped'][number]

/** A new `locald.toml`, and what is reported of it. */
interface Made {
  readonly toml: string
  readonly files: readonly string[]
  readonly services: readonly string[]
  readonly notes: readonly string[]
  readonly dropped: readonly Finding[]
  readonly changed: readonly Finding[]
}

/** `locald init`: writes a locald.toml of what is inferred, or from another format. */
export async function init(context: Context): Promise<number> {
  const { args } = context
  const from = flagValue(args, 'from')
  const isCompose = from === 'compose' || (from === undefined && args.values.has('file'))
  if (from !== undefined && !isCompose && !Object.hasOwn(sources, from))
    throw new LocaldError('USAGE', `--from '${from}' is unknown`, {
      hint: `Use one of compose, ${Object.keys(sources).join(', ')}.`,
    })
  const { readProjectFile, writeProjectFile } = await import('../edit/index.ts')
  const folder = await realPath(context.cwd)
  const target = args.flags.has('dry-run') ? undefined : await readProjectFile(folder, context.paths.data)
  if (target !== undefined) requireFree(target, args.flags.has('force'))
  const made = isCompose ? await fromFormat(context, folder, 'compose') : await fromInferred(context, folder, from)
  if (made === undefined) {
    printStderr('Nothing was written')
    return declinedCode
  }
  if (target !== undefined) writeProjectFile(target, made.toml)
  report(context, target?.file ?? `${folder}/locald.toml`, made)
  return 0
}

function requireFree({ file, present }: ProjectFile, isForced: boolean): void {
  if (present === undefined || isForced) return
  throw new LocaldError('USAGE', `${file} exists already`, {
    hint: 'Print the new one with `--dry-run`, or replace it with `--force`.',
  })
}

async function fromFormat({ args, cwd, paths }: Context, path: string, format: string): Promise<Made> {
  const { formatTranslation } = await import('../init/translation.ts')
  const daemon = await requireDaemon(paths)
  const files = (args.values.get('file') ?? []).map(file => resolve(cwd, file))
  const body: TranslationBody = { path, env: callerEnvironment(), format, files }
  const answer = await daemon.post<TranslationAnswer>('/v1/projects/translation', body)
  const services = answer.services.flatMap(({ name, isInactive }) => (isInactive ? [] : [name]))
  return { ...answer, toml: formatTranslation(format, answer), services, notes: [] }
}

/** Makes the file of what an `up` would run; undefined where the user leaves the dialogue. */
async function fromInferred(context: Context, folder: string, from: string | undefined): Promise<Made | undefined> {
  const { defaultName, formatInferred } = await import('../init/inferred.ts')
  const daemon = await requireDaemon(context.paths)
  const inferred = await infer(daemon, context.cwd, from)
  if (inferred.format !== undefined) return await fromFormat(context, folder, inferred.format)
  const { file, files, services, notes } = inferred
  const preset = { name: defaultName(folder), services }
  const choice = asks(context) ? await askFor(preset, inferred) : preset
  if (choice === undefined) return undefined
  const toml = formatInferred(choice.name, { file, files, services: choice.services })
  const body: ConfigBody = { path: folder, env: callerEnvironment(), draft: toml }
  await daemon.post('/v1/config', body)
  const all = [...new Set([file, ...Object.values(files)])].map(name => `${folder}/${name}`)
  return { toml, files: all, services: Object.keys(choice.services), notes, dropped: [], changed: [] }
}

function asks({ args, json }: Context): boolean {
  return isInteractive() && !json && !args.flags.has('yes') && !args.flags.has('dry-run')
}

async function askFor(
  preset: Parameters<typeof import('../init/questions.ts').askForProject>[0],
  { file }: InferredAnswer,
) {
  const { askForProject } = await import('../init/questions.ts')
  printStderr(`Found ${file}. Press Enter to accept what is in brackets.`)
  return await converse(ask => askForProject(preset, ask))
}

/** Returns what describes the folder. Throws CONFIG_NOT_FOUND where nothing does. */
async function infer(daemon: Client, cwd: string, from: string | undefined): Promise<InferredAnswer> {
  const files = from === undefined ? [undefined] : (sources[from] ?? [])
  for (const file of files) {
    try {
      return await daemon.get<InferredAnswer>('/v1/projects/inferred', { path: cwd, file })
    } catch (error) {
      if (!LocaldError.is(error) || error.code !== 'CONFIG_NOT_FOUND') throw error
      if (file === undefined) throw error
    }
  }
  throw new LocaldError('CONFIG_NOT_FOUND', `no service in ${files.join(' or ')} in ${cwd}`, {
    hint: 'Run `locald init` to use what else describes the project.',
  })
}

function report(context: Context, file: string, { toml, files, services, notes, dropped, changed }: Made): void {
  const isDry = context.args.flags.has('dry-run')
  if (context.json) {
    const list = (findings: readonly Finding[]) => findings.map(({ key, message, at }) => ({ key, message, ...at }))
    const findings = { dropped: list(dropped), changed: list(changed) }
    printJson({ file, written: !isDry, toml, files, services, notes, ...findings })
    return
  }
  if (isDry) print(toml.trimEnd())
  const say = isDry ? printStderr : print
  const names = files.map(path => shortenPath(path, context.cwd)).join(', ')
  const count = services.length === 1 ? '1 service' : `${services.length} services`
  if (!isDry) say(`Wrote ${shortenPath(file, context.cwd)}: ${count} from ${names}`)
  for (const note of notes) say(`Note: ${note}`)
  printFindings('Not carried over:', dropped, context.cwd, say)
  printFindings('Different from compose:', changed, context.cwd, say)
  if (!isDry) say('Next: locald up')
}

function printFindings(title: string, findings: readonly Finding[], cwd: string, say: (text: string) => void): void {
  if (findings.length === 0) return
  const lines = findings.map(({ key, message, at }) => `  ${shortenPath(at.file, cwd)}:${at.line}: ${key}: ${message}`)
  say([title, ...lines].join('\n'))
}
