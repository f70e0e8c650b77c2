import type { Spec } from '../spec.ts'

const exportFlags = [
  { name: 'output', short: 'o', value: 'FILE', about: 'Write FILE; default: print' },
  { name: 'force', about: 'Replace FILE' },
] as const

/** Commands that write, check and show configuration. */
export const configCommands = [
  {
    name: 'init',
    args: '',
    group: 'config',
    about: 'Write the locald.toml of this folder',
    details:
      'Writes what `locald up` infers from package.json, a Procfile and the like: with the file it does the same as without. On a terminal it asks for name, services and ports; Enter takes the defaults. `--from compose` translates the compose file of this folder and its override, or the files of `-f` in order, and lists what cannot be carried over; what locald does not have is refused.',
    flags: [
      {
        name: 'from',
        value: 'FORMAT',
        choices: ['package', 'procfile', 'compose'],
        about: 'Read FORMAT: package, procfile or compose',
      },
      { name: 'file', short: 'f', value: 'FILE', about: 'Read the compose FILE; may be repeated' },
      { name: 'dry-run', about: 'Print the file without writing it' },
      { name: 'force', about: 'Replace an existing locald.toml' },
      { name: 'yes', short: 'y', about: 'Take all defaults without a question' },
    ],
    examples: [
      'locald init',
      'locald init --yes',
      'locald init --from compose',
      'locald init --from compose --dry-run',
      'locald init --from compose -f compose.yaml -f compose.dev.yaml',
    ],
  },
  {
    name: 'add',
    args: '<CMD…>',
    takesCommand: true,
    group: 'config',
    about: 'Add a command to locald.toml as a service',
    details:
      'Writes to the nearest `locald.toml`, and changes nothing else in it. Without one, creates it with the services that `locald up` would infer. Without `--name`, the service is `web`, or named after the script or program. `$NAME` in a quoted word is a variable: `$PORT` is the port that the service gets.',
    flags: [
      { name: 'name', short: 'n', value: 'NAME', about: 'Name the service NAME' },
      { name: 'port', short: 'p', value: 'PORT', about: 'Use the fixed port PORT; default: an assigned one' },
      { name: 'worker', about: 'Add a service without port and URL' },
      { name: 'workdir', value: 'DIR', about: 'Run it in DIR; default: this folder' },
      { name: 'depends-on', value: 'SERVICE', about: 'Start it after SERVICE; may be repeated' },
    ],
    examples: [
      'locald add npm run dev',
      'locald add --name api --port 4000 -- node server.js',
      'locald add --worker --depends-on db npm run worker',
    ],
  },
  {
    name: 'service add',
    args: '<TYPE> [KEY=VALUE…]',
    group: 'config',
    about: 'Add a service of a type to locald.toml',
    details:
      'TYPE is that of `locald ai schema`, such as postgres or container, KEY a key of `locald.toml`; `env.LEVEL=debug` is one inside another, a key of a list may be repeated. Checks all before it writes, and changes nothing else in the file.',
    flags: [{ name: 'name', short: 'n', value: 'NAME', about: 'Name the service NAME' }],
    examples: [
      'locald service add postgres',
      'locald service add container image=redis:7 container_port=6379 --name cache',
      'locald service add worker command="npm run jobs" health_check.type=command health_check.command=./ready',
    ],
  },
  {
    name: 'service remove',
    args: '<SERVICE>',
    group: 'config',
    about: 'Remove a service from locald.toml',
    details:
      'Removes its tables with the comments right above them, and changes nothing else in the file; stops it when it runs. Refused while other services, routes or variables use it. Its data stays, and a service of the same name uses it again; `locald service reset` deletes it before.',
    flags: [{ name: 'dry-run', about: 'Print what would be removed' }],
    examples: ['locald service remove cache --dry-run', 'locald service remove cache'],
  },
  {
    name: 'config check',
    args: '',
    group: 'config',
    about: 'Check locald.toml and its layers',
    details:
      'Exits with 0 when `locald up` from this shell would accept it, else with 2 and every problem, with file and line. Starts no service; a daemon that it has to start is stopped afterwards.',
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
    details:
      'SHELL is bash, zsh or fish. The script says in its first lines where to put it. It completes commands, flags, files and the names of services, their commands and projects, and starts no daemon.',
    examples: ['locald completion bash', 'locald completion fish > ~/.config/fish/completions/locald.fish'],
  },
  {
    name: 'ai schema',
    args: '',
    group: 'config',
    about: 'Print the JSON schema of locald.toml',
    examples: ['locald ai schema > locald.schema.json'],
  },
  {
    name: 'ai context',
    args: '',
    group: 'config',
    about: 'Print this project as a page for a model',
    details:
      'Its services with state and URL, and how to use locald, in at most 2,000 tokens. It has no values of environments; without a daemon it is made from the configuration.',
    examples: ['locald ai context'],
  },
  {
    name: 'ai skill',
    args: '',
    group: 'config',
    about: 'Write a skill about locald for agents',
    details:
      'Writes `.agents/skills/locald/SKILL.md` and the same below `.claude/skills/`, in this folder or in DIR. A file that was edited is kept without `--force`.',
    flags: [
      { name: 'dir', value: 'DIR', about: 'Write below DIR; default this folder' },
      { name: 'force', about: 'Replace edited files' },
    ],
    examples: ['locald ai skill', 'locald ai skill --dir ~'],
  },
  {
    name: 'ai mcp-config',
    args: '[CLIENT]',
    group: 'config',
    about: 'Print how MCP clients start `locald mcp`',
    details: 'CLIENT is claude, vscode, cursor, codex or opencode; without it, all are printed. Writes nothing.',
    examples: ['locald ai mcp-config', 'locald ai mcp-config claude > .mcp.json'],
  },
  {
    name: 'mcp',
    args: '',
    group: 'config',
    about: 'Serve agents by MCP on stdin and stdout',
    details:
      'Tools: status, up, wait, restart, stop, logs, why, run, requests and doctor. An MCP client starts it; `locald ai mcp-config` prints how. It starts the daemon when a tool needs it, and exits with its client.',
    examples: ['locald mcp'],
  },
  {
    name: 'export compose',
    args: '',
    group: 'config',
    about: 'Write the project as a compose file',
    details:
      'A command without a Dockerfile runs in an image that fits its program, with the project’s folder mounted. Values of secrets are not written: the file refers to variables. What cannot be carried over is listed on stderr, with its key and line.',
    flags: exportFlags,
    examples: ['locald export compose', 'locald export compose -o compose.yaml'],
  },
  {
    name: 'export procfile',
    args: '',
    group: 'config',
    about: 'Write the project as a Procfile',
    details:
      'A Procfile has only commands: what else the project needs is listed on stderr, such as the variables for .env.',
    flags: exportFlags,
    examples: ['locald export procfile', 'locald export procfile -o Procfile'],
  },
  {
    name: 'export kubernetes',
    args: '',
    group: 'config',
    about: 'Write the project as Kubernetes manifests',
    details:
      'Writes a Deployment, a Job, a CronJob or, for a database, a StatefulSet for each service, with a Service and a ConfigMap, one Ingress, and one Secret to fill in: values of secrets and of .env files are not written. Images of commands are to be built. What cannot be carried over is listed on stderr.',
    flags: exportFlags,
    examples: ['locald export kubernetes', 'locald export kubernetes -o k8s.yaml'],
  },
  {
    name: 'export systemd',
    args: '',
    group: 'config',
    about: 'Write the project as units of systemd',
    details:
      'Writes user units to DIR: a `.service` for each command, a `.timer` for a scheduled one, and `PROJECT.target` for all. Ports are fixed. Values of secrets are not written: the units read ~/.config/PROJECT.env. What cannot be carried over is listed on stderr.',
    flags: [
      { name: 'output', short: 'o', value: 'DIR', about: 'Write the files to DIR; default: print' },
      { name: 'force', about: 'Replace files' },
    ],
    examples: ['locald export systemd', 'locald export systemd -o ~/.config/systemd/user'],
  },
] as const satisfies readonly Spec<string>[]
