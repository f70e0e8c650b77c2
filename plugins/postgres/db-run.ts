import { parseArgs } from 'node:util'
import type { CommandContext, CommandResult } from '../../kernel/contract/plugin.ts'
import { LocaldError, messageOf } from '../../kernel/errors.ts'
import { suggestSubcommand } from '../lib/suggest.ts'
import type { PostgresContext } from './cluster/context.ts'
import type { ServiceEntry } from './cluster/service-register.ts'
import { Databases } from './db-actions.ts'
import { subcommands, usage, type Verb } from './db-command.ts'
import { diskError, isDiskError } from './files/paths.ts'
import { isServerError } from './server/client.ts'

/** A call of a subcommand. */
interface Call {
  readonly entry: ServiceEntry
  /** The argument after the subcommand. */
  readonly name: string | undefined
  readonly from: string | undefined
  readonly signal: AbortSignal
}

/** What to use for words of other tools. */
const hints: ReadonlyMap<string, string> = new Map([
  ...['psql', 'shell', 'console', 'connect'].map(word => [word, 'Run `locald run db -- psql`.'] as const),
  ['reset', 'Run `locald service reset db`: it deletes all data.'],
])

const verbs = subcommands.map(({ name }) => name)
const destructive: readonly Verb[] = ['restore', 'drop', 'prune']

/** Runs `locald db`. */
export async function runDatabaseCommand(
  context: PostgresContext,
  argv: readonly string[],
  { project, signal }: CommandContext,
): Promise<CommandResult> {
  const databases = new Databases(context)
  const { values, positionals } = parse(argv)
  const [verb, name, ...rest] = positionals
  if (verb === undefined || values.help === true) return { exitCode: verb === undefined ? 2 : 0, text: usage }
  const command = subcommands.find(({ name }) => name === verb)?.name
  if (command === undefined)
    throw usageError(
      `locald db: unknown subcommand '${verb}'`,
      hints.get(verb) ?? suggestSubcommand(verb, verbs, destructive),
    )
  if (rest[0] !== undefined) throw usageError(`locald db: unexpected argument '${rest[0]}'`)
  if (command === 'prune') return databases.prune()
  if (name !== undefined && (command === 'list' || command === 'upgrade')) {
    throw usageError(`locald db ${command} takes no name`, 'Select the service with --service NAME.')
  }
  const entry = await entryFor(context, project, values.service)
  return dispatch(databases, command, { entry, name, from: values.from, signal }).catch(error => {
    throw isDiskError(error)
      ? diskError(entry.data, error)
      : isServerError(error)
        ? connectionLost(entry, error)
        : error
  })
}

async function dispatch(
  databases: Databases,
  verb: Exclude<Verb, 'prune'>,
  { entry, name, from, signal }: Call,
): Promise<CommandResult> {
  const requiredName = () => {
    if (name !== undefined) return name
    throw usageError(`locald db ${verb} needs a name`)
  }
  if (verb === 'list') return databases.list(entry)
  if (verb === 'snapshot') return databases.snapshot(entry, name, signal)
  if (verb === 'restore') return databases.restore(entry, requiredName(), signal)
  if (verb === 'branch') return databases.branch(entry, requiredName(), from)
  if (verb === 'drop') return databases.drop(entry, requiredName())
  return databases.upgrade(entry, signal)
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { service: { type: 'string' }, from: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    })
  } catch (error) {
    throw usageError(`locald db: ${messageOf(error)}`)
  }
}

/** Returns the service with a name, or the only one of a project. */
async function entryFor(
  context: PostgresContext,
  project: string | undefined,
  service: string | undefined,
): Promise<ServiceEntry> {
  const ofProject = project === undefined ? [] : await context.register.at(project)
  if (service?.includes(':')) {
    const found = (await context.register.all()).find(({ key }) => key === service)
    if (found !== undefined) return found
    throw unknownService(`no postgres service '${service}' with data`)
  }
  const named = service === undefined ? ofProject : ofProject.filter(({ name }) => name === service)
  const [entry, ...others] = named
  if (entry === undefined) {
    throw unknownService(
      service === undefined
        ? 'no postgres data in this folder yet'
        : `no postgres service '${service}' with data in this folder`,
    )
  }
  if (others.length === 0) return entry
  throw usageError(
    `the project has several postgres services: ${named.map(({ name }) => name).join(', ')}`,
    'Select one with --service NAME.',
  )
}

function connectionLost({ key, name }: ServiceEntry, error: unknown): LocaldError {
  return new LocaldError('STEP_FAILED', `connection to the server of ${key} lost: ${messageOf(error)}`, {
    service: key,
    hint: `Run \`locald why ${name}\` or \`locald logs ${name}\` for details.`,
    cause: error,
  })
}

function unknownService(message: string): LocaldError {
  return new LocaldError('UNKNOWN_SERVICE', message, { hint: 'Run `locald up` to create it.' })
}

function usageError(message: string, hint = 'Run `locald db --help`.'): LocaldError {
  return new LocaldError('USAGE', message, { hint })
}
