import type { Flag } from './spec.ts'

/** Flags of every command. */
export const globalFlags: readonly Flag[] = [
  { name: 'sandbox', value: 'NAME', about: 'Use an isolated daemon, data folder and ports' },
  { name: 'directory', short: 'C', value: 'DIR', about: 'Run as if started in DIR' },
  { name: 'json', about: 'Print JSON' },
  { name: 'no-color', about: 'Print without colours' },
  { name: 'help', short: 'h', about: 'Print help' },
  { name: 'version', short: 'v', otherShort: 'V', about: 'Print the version' },
]

/** Of commands that otherwise act on the project of this folder. */
export const all: Flag = { name: 'all', about: 'Include all projects' }

/** Of commands that follow an operation. */
export const verbose: Flag = { name: 'verbose', short: 'v', about: 'Print every step' }
