import type { Spec } from '../spec.ts'

/** Commands that write, check and show configuration. */
export const configCommands = [
  {
    name: 'init',
    args: '',
    group: 'config',
    about: 'Write a locald.toml from another format',
    details:
      'Translates the compose file of this folder and its override, or the files of `-f` in order. Lists what cannot be carried over, with file and line. A file that needs what locald does not have is refused: then nothing is written.',
    flags: [
      { name: 'from', value: 'FORMAT', about: 'Read FORMAT: compose' },
      { name: 'file', short: 'f', value: 'FILE', about: 'Read FILE; may be repeated' },
      { name: 'dry-run', about: 'Print the file without writing it' },
      { name: 'yes', short: 'y', about: 'Replace an existing locald.toml' },
    ],
    examples: [
      'locald init --from compose',
      'locald init --from compose --dry-run',
      'locald init --from compose -f compose.yaml -f compose.dev.yaml',
    ],
  },
  {
    name: 'config check',
    args: '',
    group: 'config',
    about: 'Check locald.toml and its layers',
    examples: ['locald config check'],
  },
  {
    name: 'config show',
    args: '',
    group: 'config',
    about: 'Print the merged configuration',
    flags: [{ name: 'provenance', about: 'Also show the file and line of each value' }],
    examples: ['locald config show --provenance'],
  },
  {
    name: 'config allow',
    args: '[PATH]',
    group: 'config',
    about: 'Allow project files that another user owns',
    examples: ['locald config allow', 'locald config allow /srv/shop'],
  },
  {
    name: 'completion',
    args: '<SHELL>',
    group: 'config',
    about: 'Print a completion script for a shell',
    details: 'SHELL is bash, zsh or fish. The script says in its first lines where to put it.',
    examples: ['locald completion bash', 'locald completion fish > ~/.config/fish/completions/locald.fish'],
  },
  {
    name: 'ai schema',
    args: '',
    group: 'config',
    about: 'Print the JSON schema of locald.toml',
    examples: ['locald ai schema > locald.schema.json'],
  },
] as const satisfies readonly Spec<string>[]
