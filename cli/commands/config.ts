import { resolve } from 'node:path'
import { LocaldError } from '../../kernel/errors.ts'
import type { AllowAnswer, AllowBody, ConfigAnswer, ConfigBody, ConfigValue } from '../../kernel/protocol.ts'
import { type Context, callerEnvironment } from '../context.ts'
import { type Client, requireDaemon } from '../daemon/client.ts'
import { withDaemon } from '../follow/temporary-daemon.ts'
import { shortenPath } from '../output/errors.ts'
import { toSafeJson } from '../output/sanitize.ts'
import { painter, print, printJson, printStderr } from '../output/terminal.ts'

/** `locald config check`: 0 when an `up` from this shell would accept it, 2 not, with every problem. */
export async function configCheck(context: Context): Promise<number> {
  const answer = await withDaemon(context, daemon => ask(context, daemon))
  if (answer.unresolved !== undefined) throw LocaldError.fromJSON(answer.unresolved)
  const { project, path, values, warnings = [] } = answer
  if (context.json) {
    printJson({ ok: true, project, path, warnings })
    return 0
  }
  for (const { message, hint } of warnings) printStderr(`Warning: ${message}\nHint: ${hint}`)
  print(checkedOf(values, path))
  return 0
}

/** Says what was found valid: without a `locald.toml`, the files that describe the services in its place. */
function checkedOf(values: readonly ConfigValue[], path: string): string {
  const files = new Set(values.flatMap(({ file }) => (file === null ? [] : [shortenPath(file, path)])))
  if (files.size === 0 || files.has('locald.toml')) return 'locald.toml is valid'
  return `No locald.toml: the project of ${[...files].join(' and ')} is valid`
}

/** `locald config show`: `key = value` lines. */
export async function configShow(context: Context): Promise<number> {
  const { project, path, values } = await withDaemon(context, daemon => ask(context, daemon))
  if (context.json) {
    printJson({ project, path, values })
    return 0
  }
  const paint = painter(process.stdout)
  const shows = context.args.flags.has('provenance')
  for (const value of values) {
    const line = `${value.key} = ${toToml(value.value)}`
    print(shows ? `${line}  ${paint('gray', `# ${origin(value, context.cwd)}`)}` : line)
  }
  return 0
}

/** `locald config allow`: allows project files that another user owns. */
export async function configAllow(context: Context): Promise<number> {
  const [path = '.'] = context.args.positionals
  const body: AllowBody = { path: resolve(context.cwd, path) }
  const answer = await (await requireDaemon(context.paths)).post<AllowAnswer>('/v1/config/allow', body)
  const { owners } = answer
  if (context.json) printJson(answer)
  else if (owners.length === 0) print(`Nothing to allow: you own the project files in ${answer.path}`)
  else
    print(
      `Allowed project files in ${answer.path} of ${owners.map(uid => (uid < 0 ? 'anyone' : `uid ${uid}`)).join(' and ')}`,
    )
  return 0
}

async function ask(context: Context, daemon: Client): Promise<ConfigAnswer> {
  const body: ConfigBody = { path: context.cwd, env: callerEnvironment() }
  return await daemon.post<ConfigAnswer>('/v1/config', body)
}

function origin({ file, line }: ConfigValue, cwd: string): string {
  if (file === null) return 'default'
  return shortenPath(file, cwd) + (line === null ? '' : `:${line}`)
}

/** Formats a value as inline TOML; JSON's strings are TOML's basic strings. */
function toToml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toToml).join(', ')}]`
  if (typeof value !== 'object' || value === null) return toSafeJson(value)
  const pairs = Object.entries(value).map(([key, each]) => `${quoteKey(key)} = ${toToml(each)}`)
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`
}

function quoteKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : toSafeJson(key)
}
