/*
 * Every command as data: parsing, `--help`, shell completion and docs/commands.md are made from it. It imports nothing,
 * as every command reads it. Over 300 lines: the order of the entries is that of the help.
 */

/** A flag: `value` is the placeholder of the value it takes; absent: it is on or off. */
export interface Flag {
  readonly name: string
  readonly short?: string
  readonly value?: string
  readonly about: string
}

/** The groups of `locald --help`, in its order. */
export const groups = {
  project: 'Project commands',
  data: 'Data commands',
  config: 'Configuration commands',
  machine: 'Machine commands',
  daemon: 'Daemon commands',
} as const

export type Group = keyof typeof groups

/** A command's name, its arguments and flags, and what `--help` prints about it. */
interface Spec<Name extends string> {
  readonly name: Name
  /** Other names of the command, of one word. */
  readonly aliases?: readonly string[]
  /** Its positional arguments, as help shows them: `<ONE>`, `[PERHAPS]`, `[ANY…]`. */
  readonly args: string
  /** Whether the words after `--` are a command to run, which are not parsed. */
  readonly takesCommand?: boolean
  readonly group: Group
  /** A bare verb and its object, at most 50 characters. */
  readonly about: string
  /** What else to know, in sentences. */
  readonly details?: string
  readonly flags?: readonly Flag[]
  readonly examples: readonly string[]
}

/** Flags of every command. */
export const globalFlags: readonly Flag[] = [
  { name: 'sandbox', value: 'NAME', about: 'Use an isolated daemon, data folder and ports' },
  { name: 'json', about: 'Print JSON' },
  { name: 'help', short: 'h', about: 'Print help' },
  { name: 'version', short: 'v', about: 'Print the version' },
]

/** What commands of two words have in common, by their first word. */
export const families: Readonly<Record<string, string>> = {
  service: "Manage a service's data",
  config: 'Check and show the configuration',
  export: 'Write a report',
  requests: 'Show requests to services',
  ai: 'Print what editors and agents need',
  admin: 'Manage the privileged helper',
  server: 'Manage the daemon',
  registry: 'Manage known projects',
  plugins: 'Manage plugins',
}

const all: Flag = { name: 'all', about: 'Include all projects' }
const verbose: Flag = { name: 'verbose', about: 'Print every step' }

const list = [
  {
    name: 'up',
    args: '[PATH] [SERVICE…]',
    group: 'project',
    about: 'Start a project and wait until it is ready',
    details:
      'Starts the project of this folder, or of PATH, or only the named services with their dependencies. Unchanged services keep running, changed ones are restarted. On a terminal it then follows the logs: Ctrl-C stops the project, `d` detaches.',
    flags: [
      { name: 'detach', short: 'd', about: 'Return when all services are ready' },
      { name: 'attach', about: 'Follow the logs even without a terminal' },
      verbose,
    ],
    examples: ['locald up', 'locald up web', 'locald up ../shop --detach'],
  },
  {
    name: 'stop',
    args: '[SERVICE…]',
    group: 'project',
    about: 'Stop a project or services, dependents first',
    flags: [all, verbose],
    examples: ['locald stop', 'locald stop web', 'locald stop shop', 'locald stop ../shop', 'locald stop --all'],
  },
  {
    name: 'restart',
    args: '[SERVICE…]',
    group: 'project',
    about: 'Restart a project or services',
    flags: [{ name: 'dependents', about: 'Also restart dependents' }, verbose],
    examples: ['locald restart web', 'locald restart db --dependents'],
  },
  {
    name: 'status',
    args: '[SERVICE…]',
    group: 'project',
    about: 'Show the services of a project',
    details: 'Prints state, health, port, URL, pid, CPU and memory, and the reason where something is wrong.',
    flags: [all],
    examples: ['locald status', 'locald status shop', 'locald status --all --json'],
  },
  {
    name: 'logs',
    args: '[SERVICE…]',
    group: 'project',
    about: 'Print the output of services, merged by time',
    details:
      'With `-f`, an unfinished line is printed after half a second (not with `--json` or `--grep`). Without `-n` and `--since`, the last 100 lines of each service are printed.',
    flags: [
      { name: 'follow', short: 'f', about: 'Follow new output' },
      { name: 'tail', short: 'n', value: 'N', about: 'Print the last N lines' },
      { name: 'since', value: 'WHEN', about: 'Print lines since 10s, 5m, 2h, 1d or an ISO time' },
      { name: 'until', value: 'WHEN', about: 'Print lines until 10s, 5m, 2h ago or an ISO time' },
      { name: 'grep', value: 'RE', about: 'Print lines that match a regular expression' },
      all,
    ],
    examples: ['locald logs', 'locald logs web -f', 'locald logs --since 10m --grep "error|warn"'],
  },
  {
    name: 'monitor',
    aliases: ['tui', 'top'],
    args: '[PROJECT…]',
    group: 'project',
    about: 'Show services and logs in the terminal, live',
    details:
      'Shows all projects, or the named ones. Keys start, stop, restart, open and explain services; `?` lists them. Services keep running when it exits. Also `locald tui` and `locald top`.',
    examples: ['locald monitor', 'locald monitor shop'],
  },
  {
    name: 'run',
    args: '<SERVICE> -- <CMD…>',
    takesCommand: true,
    group: 'project',
    about: "Run a command in a service's environment",
    details:
      "Runs in the service's folder and exits with the command's exit code. The terminal, agents and display are the caller's. Works without `--`, too: `locald run web npm test`.",
    examples: ['locald run web -- npm test', 'locald run api -- sh -c \'echo "$DATABASE_URL"\''],
  },
  {
    name: 'wait',
    args: '[SERVICE…]',
    group: 'project',
    about: 'Wait until services are ready',
    details: 'Exits with 0 when they are ready, 1 when one failed, 124 on timeout.',
    flags: [{ name: 'timeout', value: 'SECONDS', about: 'Stop waiting after SECONDS; default 60' }, verbose],
    examples: ['locald wait', 'locald wait web --timeout 10'],
  },
  {
    name: 'why',
    args: '<SERVICE>',
    group: 'project',
    about: 'Explain the state of a service',
    details:
      'Prints what failed, its last lines, what has changed since it was healthy, most likely cause first, and what waits for it; of a project, for each service.',
    examples: ['locald why web', 'locald why shop'],
  },
  {
    name: 'open',
    args: '[SERVICE]',
    group: 'project',
    about: "Open a service's URL in the browser",
    flags: [{ name: 'dashboard', about: "Open the service's page of the dashboard" }],
    examples: ['locald open', 'locald open api', 'locald open api --dashboard'],
  },
  {
    name: 'dashboard',
    aliases: ['ui'],
    args: '',
    group: 'project',
    about: 'Open the dashboard in the browser',
    details:
      'Prints a URL that signs one browser in, once, within 24 hours, and opens it; with `--json` it only prints it. Starts no project. Also `locald ui`.',
    examples: ['locald dashboard', 'locald dashboard --json'],
  },
  {
    name: 'requests',
    args: '',
    group: 'project',
    about: 'List the latest requests to services',
    details:
      'The proxy keeps the latest 500 with their headers; bodies only while `-f` or the page Requests is open. With `--json`: one object a line with id, time, method, host, path, status, service, durationMs, requestBytes and responseBytes. Secrets are masked.',
    flags: [
      { name: 'follow', short: 'f', about: 'Follow new requests' },
      { name: 'tail', short: 'n', value: 'N', about: 'Print the last N requests; default 50' },
      { name: 'service', value: 'SERVICE', about: 'Print only requests to SERVICE' },
      { name: 'status', value: 'STATUS', about: 'Print only those with STATUS: 404, 5xx or error' },
      { name: 'method', value: 'METHOD', about: 'Print only those with METHOD' },
      { name: 'path', value: 'GLOB', about: 'Print only those whose path matches GLOB' },
    ],
    examples: [
      'locald requests',
      'locald requests -f --service api --status 5xx',
      'locald requests --method POST --path "/api/*" --json',
    ],
  },
  {
    name: 'requests show',
    args: '<ID>',
    group: 'project',
    about: 'Show a request with headers, bodies and frames',
    details: 'Secrets are masked, and left out of what `--curl` and `--har` print, unless `--reveal` is given.',
    flags: [
      { name: 'curl', about: 'Print it as a curl command' },
      { name: 'har', about: 'Print it as HAR 1.2' },
      { name: 'reveal', about: 'Show secrets' },
    ],
    examples: ['locald requests show bcd12', 'locald requests show bcd12 --curl'],
  },
  {
    name: 'replay',
    args: '<ID>',
    group: 'project',
    about: 'Send a recorded request again',
    details:
      'Without changes the service receives the same bytes. `-H` sets a header, or removes it when its value is empty; `--edit` opens the request, secrets included, in `$EDITOR`.',
    flags: [
      { name: 'edit', about: 'Open the request in an editor first' },
      { name: 'header', short: 'H', value: 'HEADER', about: "Set a header: 'Name: value'" },
      { name: 'data', short: 'd', value: 'BODY', about: 'Send another body' },
    ],
    examples: [
      'locald replay bcd12',
      "locald replay bcd12 -H 'Authorization: Bearer x' -d '{}'",
      'locald replay bcd12 --edit',
    ],
  },
  {
    name: 'env',
    args: '<SERVICE>',
    group: 'project',
    about: "Print a service's environment and its sources",
    details:
      'Prints each variable with its value and the file and line, plugin or shell that sets it. Secrets are masked: values of `.env` files, of names such as API_KEY, and passwords in URLs. `*` marks what a restart changes.',
    flags: [{ name: 'reveal', about: 'Show the secrets' }],
    examples: ['locald env web', 'locald env shop:db --reveal'],
  },
  {
    name: 'service reset',
    args: '<SERVICE>',
    group: 'data',
    about: "Delete a service's data and start it empty",
    details: 'Asks for confirmation on a terminal.',
    flags: [{ name: 'yes', short: 'y', about: 'Skip the confirmation' }, verbose],
    examples: ['locald service reset db', 'locald service reset shop:db --yes'],
  },
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
      { name: 'verbose', about: 'Also show passed checks' },
      { name: 'fix', about: 'Apply fixes that need no root' },
    ],
    examples: ['locald doctor', 'locald doctor --json', 'locald doctor --fix'],
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
  {
    name: 'server start',
    args: '',
    group: 'daemon',
    about: 'Start the daemon',
    details: 'Commands that need the daemon start it, too.',
    examples: ['locald server start'],
  },
  {
    name: 'server shutdown',
    args: '',
    group: 'daemon',
    about: 'Stop all services and the daemon',
    details: 'Also stops services whose daemon was killed.',
    flags: [{ name: 'pid', value: 'PID', about: 'Stop the daemon only if its pid is PID' }, verbose],
    examples: ['locald server shutdown'],
  },
  {
    name: 'server restart',
    args: '',
    group: 'daemon',
    about: 'Restart the daemon; services keep running',
    flags: [verbose],
    examples: ['locald server restart'],
  },
  {
    name: 'server status',
    args: '',
    group: 'daemon',
    about: "Show the daemon's pid, socket and ports",
    examples: ['locald server status --json'],
  },
  {
    name: 'server install',
    args: '',
    group: 'daemon',
    about: 'Start the daemon at login',
    details: 'Installs a systemd user unit or a launchd agent. Services keep running.',
    flags: [verbose],
    examples: ['locald server install'],
  },
  {
    name: 'server uninstall',
    args: '',
    group: 'daemon',
    about: 'Remove what `server install` installed',
    details: 'Services keep running.',
    flags: [verbose],
    examples: ['locald server uninstall'],
  },
  {
    name: 'registry list',
    args: '',
    group: 'daemon',
    about: 'List known projects',
    examples: ['locald registry list'],
  },
  {
    name: 'registry pin',
    args: '[PROJECT…]',
    group: 'daemon',
    about: 'Start a project automatically with the daemon',
    examples: ['locald registry pin', 'locald registry pin shop', 'locald registry pin ./shop'],
  },
  {
    name: 'registry unpin',
    args: '[PROJECT…]',
    group: 'daemon',
    about: 'Undo `locald registry pin`',
    details: 'Running services keep running.',
    examples: ['locald registry unpin', 'locald registry unpin shop'],
  },
  {
    name: 'registry clean',
    args: '',
    group: 'daemon',
    about: 'Forget projects whose folder was deleted',
    examples: ['locald registry clean'],
  },
  {
    name: 'plugins list',
    args: '',
    group: 'daemon',
    about: 'List plugins and what they provide',
    flags: [{ name: 'timing', about: 'Also show the setup time of each' }],
    examples: ['locald plugins list --timing'],
  },
  {
    name: 'plugins add',
    args: '<PACKAGE…>',
    group: 'daemon',
    about: 'Install plugins from npm',
    details: '`redis` means the package `locald-plugin-redis`.',
    examples: ['locald plugins add redis', 'locald plugins add redis@^1.2', 'locald plugins add ./my-plugin'],
  },
  {
    name: 'plugins remove',
    args: '<PACKAGE…>',
    group: 'daemon',
    about: 'Remove plugins that were installed from npm',
    examples: ['locald plugins remove redis'],
  },
  {
    name: 'ping',
    args: '',
    group: 'daemon',
    about: 'Check that the daemon is running',
    examples: ['locald ping'],
  },
] as const satisfies readonly Spec<string>[]

export type CommandName = (typeof list)[number]['name']

export type CommandSpec = Spec<CommandName>

/** Every command, in the order of `locald --help`. */
export const commands: readonly CommandSpec[] = list
