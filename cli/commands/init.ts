import { join } from 'node:path'
import { LocaldError } from '../../kernel/errors.ts'
import { writeAtomic } from '../../kernel/system/files.ts'
import { exists } from '../../kernel/system/stat.ts'
import { flagValue } from '../args/parse.ts'
import type { Context } from '../context.ts'
import type { Finding } from '../init/compose/findings.ts'
import type { Translation } from '../init/compose/index.ts'
import { shortenPath } from '../output/errors.ts'
import { print, printJson, printStderr } from '../output/terminal.ts'

/** `locald init`: writes a locald.toml from another format. */
export async function init(context: Context): Promise<number> {
  const { args, cwd } = context
  await checkSource(flagValue(args, 'from'), cwd)
  const file = join(cwd, 'locald.toml')
  const isDry = args.flags.has('dry-run')
  if (!isDry && !args.flags.has('yes') && (await exists(file)))
    throw new LocaldError('USAGE', `${file} exists already`, {
      hint: 'Print the new one with `--dry-run`, or replace it with `--yes`.',
    })
  const { translateCompose } = await import('../init/compose/index.ts')
  const translation = await translateCompose({
    root: cwd,
    files: args.values.get('file') ?? [],
    env: process.env,
    data: context.paths.data,
  })
  if (!isDry) writeAtomic(file, translation.toml, { durable: false })
  report(context, file, translation)
  return 0
}

/** Throws USAGE unless a known format was named. */
async function checkSource(from: string | undefined, cwd: string): Promise<void> {
  if (from === 'compose') return
  if (from !== undefined)
    throw new LocaldError('USAGE', `--from '${from}' is unknown`, { hint: 'Use `--from compose`.' })
  const { findComposeFiles } = await import('../init/compose/files.ts')
  const [found] = await findComposeFiles(cwd)
  throw new LocaldError('USAGE', "'locald init' needs a source", {
    hint:
      found === undefined
        ? 'Create a `locald.toml`, or translate a compose file with `locald init --from compose -f FILE`.'
        : `Run \`locald init --from compose\` to translate ${shortenPath(found, cwd)}.`,
  })
}

function report(context: Context, file: string, translation: Translation): void {
  const { toml, files, services, dropped, changed } = translation
  const isDry = context.args.flags.has('dry-run')
  if (context.json) {
    const list = (findings: readonly Finding[]) => findings.map(({ key, message, at }) => ({ key, message, ...at }))
    printJson({ file, written: !isDry, toml, files, services, dropped: list(dropped), changed: list(changed) })
    return
  }
  if (isDry) print(toml.trimEnd())
  const say = isDry ? printStderr : print
  const sources = files.map(path => shortenPath(path, context.cwd)).join(', ')
  const count = services.length === 1 ? '1 service' : `${services.length} services`
  if (!isDry) say(`Wrote ${shortenPath(file, context.cwd)}: ${count} from ${sources}`)
  printFindings('Not carried over:', dropped, context.cwd, say)
  printFindings('Different from compose:', changed, context.cwd, say)
  if (!isDry) say('Next: locald up')
}

function printFindings(title: string, findings: readonly Finding[], cwd: string, say: (text: string) => void): void {
  if (findings.length === 0) return
  const lines = findings.map(({ key, message, at }) => `  ${shortenPath(at.file, cwd)}:${at.line}: ${key}: ${message}`)
  say([title, ...lines].join('\n'))
}
