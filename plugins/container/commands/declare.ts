import type { Command, Subcommand } from '../../../kernel/contract/plugin.ts'
import { usageOf } from '../../lib/command-usage.ts'

/** The subcommands of `locald container`. */
export const subcommands = [
  {
    ...{ name: 'engine', usage: '[NAME]', description: 'Show engines, or set the engine of this project' },
    details: 'Of the engines that are installed, the one in use is marked.',
  },
  { name: 'ls', description: 'List containers of all projects' },
  {
    ...{ name: 'prune', description: 'List what projects left whose folder is deleted' },
    flags: [
      { name: 'yes', description: 'Remove it' },
      { name: 'dry-run', description: 'List only, as without flags' },
    ],
  },
  {
    ...{ name: 'run', usage: '<IMAGE> [-- CMD…]', description: "Run a container on the project's network" },
    details: 'The container is removed when its command exits.',
  },
] as const satisfies readonly Subcommand[]

/** What `locald container` prints without a subcommand. */
export const usage = usageOf({ name: 'container', subcommands }, 'containers of locald, and the engine that runs them')

export type Verb = (typeof subcommands)[number]['name']

/** Returns the command `locald container`. */
export function containerCommand(run: Command['run']): Command {
  return {
    name: 'container',
    description: 'Manage containers and their engine',
    usage: '<COMMAND>',
    group: 'data',
    details: 'docs/containers.md has examples.',
    subcommands,
    run,
  }
}
