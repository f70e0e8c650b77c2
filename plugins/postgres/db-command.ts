import type { Command, CommandFlag, Subcommand } from '../../kernel/contract/plugin.ts'
import { usageOf } from '../lib/command-usage.ts'

const service: CommandFlag = {
  name: 'service',
  value: 'NAME',
  description: 'Select the service; PROJECT:NAME from any folder',
}

/** The subcommands of `locald db`. */
export const subcommands = [
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

/** What `locald db` prints without a subcommand. */
export const usage = usageOf({ name: 'db', subcommands }, 'snapshots and branches of PostgreSQL data')

export type Verb = (typeof subcommands)[number]['name']

/** Returns the command `locald db`. */
export function databaseCommand(run: Command['run']): Command {
  return {
    name: 'db',
    description: 'Manage snapshots and branches of databases',
    usage: '<COMMAND> [NAME]',
    group: 'data',
    details: 'docs/postgres.md has examples.',
    subcommands,
    run,
  }
}
