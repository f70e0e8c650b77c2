import type { Command, Subcommand } from '../../kernel/contract/plugin.ts'
import { usageOf } from '../lib/command-usage.ts'

/** The subcommands of `locald vm`. */
const subcommands: readonly Subcommand[] = [
  { name: 'install', description: 'Install Lima, or show the one that is there' },
  { name: 'status', description: 'Show the state of the VM' },
  { name: 'start', description: 'Create and start the VM' },
  {
    ...{ name: 'stop', description: 'Stop the VM' },
    flags: [{ name: 'yes', description: 'Also stop the services that use it' }],
  },
  {
    ...{ name: 'delete', description: 'Remove the VM' },
    details: 'Removes all images, containers and volumes in it.',
    flags: [{ name: 'yes', description: 'Remove it: without this flag nothing is removed' }],
  },
  { name: 'shell', usage: '[CMD…]', description: 'Open a shell in the VM, or run a command' },
  { name: 'logs', description: 'Show the last messages of the VM' },
]

/** What `locald vm` prints without a subcommand. */
export const usage = usageOf({ name: 'vm', subcommands }, 'the Lima VM for containers')

/** Returns the command `locald vm`. */
export function vmCommand(run: Command['run']): Command {
  return {
    name: 'vm',
    description: 'Manage the Lima VM for containers',
    usage: '<COMMAND> [CMD…]',
    group: 'machine',
    details: 'docs/lima.md has more.',
    subcommands,
    run,
  }
}
