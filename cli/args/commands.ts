/*
 * Every command as data: parsing, `--help`, shell completion and docs/commands.md are made from it. It imports only data,
 * as every command reads it.
 */
import { configCommands } from './commands/config.ts'
import { daemonCommands } from './commands/daemon.ts'
import { dataCommands } from './commands/data.ts'
import { machineCommands } from './commands/machine.ts'
import { projectCommands } from './commands/project.ts'
import type { Spec } from './spec.ts'

/** What commands of two words have in common, by their first word. */
export const families: Readonly<Record<string, string>> = {
  service: 'Add a service, or delete its data',
  config: 'Check and show the configuration',
  export: 'Write the project for other tools, or a report',
  requests: 'Show requests to services',
  ai: 'Print what editors and agents need',
  admin: 'Manage the privileged helper',
  server: 'Manage the daemon',
  registry: 'Manage known projects',
  plugins: 'Manage plugins',
}

const list = [...projectCommands, ...dataCommands, ...configCommands, ...machineCommands, ...daemonCommands] as const

export type CommandName = (typeof list)[number]['name']

export type CommandSpec = Spec<CommandName>

/** Every command, in the order of `locald --help`. */
export const commands: readonly CommandSpec[] = list
