import type { Spec } from '../spec.ts'

/** Commands on the machine. */
export const machineCommands = [
  {
    name: 'export session',
    args: '',
    group: 'machine',
    about: 'Write a zip file for a bug report',
    details:
      'It has states, configuration, the last logs and requests, the checks of `locald doctor` and the log of the daemon. Values of `.env` files and of environments, passwords in URLs and credentials are masked: look through it all the same before you send it.',
    flags: [{ name: 'output', short: 'o', value: 'FILE', about: 'Write FILE; default locald-session-TIME.zip' }],
    examples: ['locald export session', 'locald export session -o report.zip'],
  },
  {
    name: 'doctor',
    args: '',
    group: 'machine',
    about: 'Check this machine and suggest fixes',
    details: 'Exits with 1 only when a critical check failed.',
    flags: [
      { name: 'verbose', short: 'v', about: 'Also show passed checks' },
      { name: 'fix', about: 'Apply fixes that need no root' },
    ],
    examples: ['locald doctor', 'locald doctor --json', 'locald doctor --fix'],
  },
  {
    name: 'port',
    args: '<PORT>',
    group: 'machine',
    about: 'Show who listens on a port',
    details:
      'Prints the service or the process that has it, and the command that helps. Exits with 0 also when the port is free.',
    examples: ['locald port 3000', 'locald port 3000 --json'],
  },
  {
    name: 'admin setup',
    args: '',
    group: 'machine',
    about: 'Install the privileged helper (sudo)',
    details:
      'The helper binds ports 80 and 443, writes names to the hosts file, prepares cgroups, and adds the local CA to the system’s certificates.',
    flags: [{ name: 'capabilities', about: 'Grant low ports only, without setuid (Linux)' }],
    examples: ['sudo locald admin setup', 'sudo locald admin setup --capabilities'],
  },
  {
    name: 'admin uninstall',
    args: '',
    group: 'machine',
    about: 'Remove the helper and revert its changes (sudo)',
    details: 'Does it for all users of this machine.',
    examples: ['sudo locald admin uninstall'],
  },
  {
    name: 'admin sync-hosts',
    args: '',
    group: 'machine',
    about: 'Rewrite the hosts file entries',
    examples: ['locald admin sync-hosts'],
  },
] as const satisfies readonly Spec<string>[]
