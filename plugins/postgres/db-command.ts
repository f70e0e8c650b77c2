import { parseArgs } from 'node:util'
import type { Command, CommandResult } from '../../kernel/contract/plugin.ts'
import { LocaldError, messageOf } from '../../kernel/errors.ts'
import type { PostgresContext } from './cluster/context.ts'
import type { ServiceEntry } from './cluster/service-register.ts'
import { Databases } from './db-actions.ts'
import { diskError, isDiskError } from './files/paths.ts'
import { isServerError } from './server/client.ts'

/** A call of one of the verbs. */
interface Call {
  readonly entry: ServiceEntry
  /** The word after the verb, if there is one. */
  readonly name: string | undefined
  readonly from: string | undefined
  readonly signal: AbortSignal
}

const usage = `locald db: snapshots and branches of PostgreSQL data

  locald db list                        snapshots and branches
  locald db snapshot [NAME]             keep a copy of the data as it is now
  locald db restore NAME                go back to a snapshot; what is there now is kept as 'before-restore'
  locald db branch NAME [--from DB]     copy a database under another name
  locald db drop NAME                   remove a snapshot or a branch
  locald db prune                       remove the data of git worktrees that are gone
  locald db upgrade                     bring the data to the \`version\` in locald.toml

  --service NAME   which service, where the project has several; PROJECT:NAME from anywhere`

const verbs = ['list', 'snapshot', 'restore', 'branch', 'drop', 'prune', 'upgrade'] as const

/** `locald db …`. */
export function databaseCommand(context: PostgresContext): Command {
  const databases = new Databases(context)
  return {
    name: 'db',
    description: 'Manage snapshots and branches of databases',
    usage: '<COMMAND> [NAME]',
    group: 'data',
    details:
      'Commands: list, snapshot, restore, branch, drop, prune, upgrade. `locald db` alone prints what each does; docs/postgres.md has examples.',
    async run(argv, { project, signal }) {
      const { values, positionals } = parse(argv)
      const [verb, name, ...rest] = positionals
      if (verb === undefined || values.help === true) return { exitCode: verb === undefined ? 2 : 0, text: usage }
      const command = verbs.find(each => each === verb)
      if (command === undefined || rest.length > 0) throw usageError(`locald db: unknown word '${rest[0] ?? verb}'`)
      if (command === 'prune') return databases.prune()
      if (name !== undefined && (command === 'list' || command === 'upgrade')) {
        throw usageError(`locald db ${command} takes no name`, 'Say which service with --service NAME.')
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
  verb: Exclude<(typeof verbs)[number], 'prune'>,
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
    throw unknownService(`there is no postgres service '${service}' with data`)
  }
  const named = service === undefined ? ofProject : ofProject.filter(({ name }) => name === service)
  const [entry, ...others] = named
  if (entry === undefined) {
    throw unknownService(
      service === undefined
        ? 'no postgres service of this folder has data yet'
        : `there is no postgres service '${service}' with data here`,
    )
  }
  if (others.length === 0) return entry
  throw usageError(`the project has several: ${named.map(({ name }) => name).join(', ')}`, 'Say which: --service NAME.')
}

function connectionLost({ key, name }: ServiceEntry, error: unknown): LocaldError {
  return new LocaldError('STEP_FAILED', `the server of ${key} broke off: ${messageOf(error)}`, {
    service: key,
    hint: `\`locald why ${name}\` and \`locald logs ${name}\` tell more.`,
    cause: error,
  })
}

function unknownService(message: string): LocaldError {
  return new LocaldError('UNKNOWN_SERVICE', message, { hint: '`locald up` makes its cluster.' })
}

function usageError(message: string, hint = '`locald db` says what there is.'): LocaldError {
  return new LocaldError('USAGE', message, { hint })
}
