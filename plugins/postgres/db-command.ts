import { parseArgs } from 'node:util'
import type { Command, CommandFlag, CommandResult, Subcommand } from '../../kernel/contract/plugin.ts'
import { LocaldError, messageOf } from '../../kernel/errors.ts'
import { usageOf } from '../lib/command-usage.ts'
import type { PostgresContext } from './cluster/context.ts'
import type { ServiceEntry } from './cluster/service-register.ts'
import { Databases } from './db-actions.ts'
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

const service: CommandFlag = {
  name: 'service',
  value: 'NAME',
  description: 'Select the service; PROJECT:NAME from any folder',
}

/** The subcommands of `locald db`. */
const subcommands = [
  { name: 'list', description: 'List snapshots and branches', flags: [service] },
  { name: 'snapshot', usage: '[NAME]', description: 'Copy the current data to a snapshot', flags: [service] },
  {
    ...{ name: 'restore', usage: '<NAME>', description: 'Restore a snapshot', flags: [service] },
    details: 'The current data is saved first, as the snapshot `before-restore`.',
  },
  {
    ...{ name: 'branch', usage: '<NAME>', description: 'Copy a database under another name' },
    flags: [{ name: 'from', value: 'DB', description: 'Copy this database; default: the first' }, service],
  },
  { name: 'drop', usage: '<NAME>', description: 'Remove a snapshot or a branch', flags: [service] },
  { name: 'prune', description: 'Remove the data of deleted git worktrees' },
  { name: 'upgrade', description: 'Upgrade the data to the version in locald.toml', flags: [service] },
] as const satisfies readonly Subcommand[]

const usage = usageOf({ name: 'db', subcommands }, 'snapshots and branches of PostgreSQL data')

/** What to use for words of other tools. */
const hints: ReadonlyMap<string, string> = new Map([
  ...['psql', 'shell', 'console', 'connect'].map(word => [word, 'Run `locald run db -- psql`.'] as const),
  ['reset', 'Run `locald service reset db`: it deletes all data.'],
])

/** Returns the command `locald db`. */
export function databaseCommand(context: PostgresContext): Command {
  const databases = new Databases(context)
  return {
    name: 'db',
    description: 'Manage snapshots and branches of databases',
    usage: '<COMMAND> [NAME]',
    group: 'data',
    details: 'docs/postgres.md has examples.',
    subcommands,
    async run(argv, { project, signal }) {
      const { values, positionals } = parse(argv)
      const [verb, name, ...rest] = positionals
      if (verb === undefined || values.help === true) return { exitCode: verb === undefined ? 2 : 0, text: usage }
      const command = subcommands.find(({ name }) => name === verb)?.name
      if (command === undefined) throw usageError(`locald db: unknown subcommand '${verb}'`, hints.get(verb))
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
    },
  }
}

async function dispatch(
  databases: Databases,
  verb: Exclude<(typeof subcommands)[number]['name'], 'prune'>,
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
