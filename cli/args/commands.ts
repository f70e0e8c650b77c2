/** A flag: `value` is the placeholder of the value it takes; absent: it is on or off. */
export interface Flag {
  readonly name: string
  readonly short?: string
  readonly value?: string
  readonly about: string
}

/** A command's name, its arguments and flags, and what `--help` prints about it. */
interface Spec<Name extends string> {
  readonly name: Name
  /** Its positional words, as help shows them. */
  readonly words: string
  /** How many positional words it takes. */
  readonly count: readonly [least: number, most: number]
  /** Words after `--` are a command to run, kept as they are. */
  readonly takesCommand?: boolean
  readonly about: string
  readonly flags: readonly Flag[]
  readonly examples: readonly string[]
}

/** Flags of every command. */
export const globalFlags: readonly Flag[] = [
  { name: 'sandbox', value: 'NAME', about: 'Use a daemon, folders and ports of its own' },
  { name: 'json', about: 'Print JSON' },
  { name: 'help', short: 'h', about: 'Print help' },
  { name: 'version', short: 'v', about: 'Print the version' },
]

const all: Flag = { name: 'all', about: 'All projects' }
const verbose: Flag = { name: 'verbose', about: 'Print every step' }
const any: readonly [number, number] = [0, Number.POSITIVE_INFINITY]
const none: readonly [number, number] = [0, 0]

const list = [
  {
    name: 'up',
    words: '[PATH] [SERVICE…]',
    count: any,
    about: 'Start the project of this folder, or of PATH, and wait until its services are ready',
    flags: [
      { name: 'detach', short: 'd', about: 'Return when all are ready, also on a terminal' },
      { name: 'attach', about: 'Follow the logs afterwards, also without a terminal' },
      verbose,
    ],
    examples: ['locald up', 'locald up web', 'locald up ../shop --detach'],
  },
  {
    name: 'stop',
    words: '[SERVICE…]',
    count: any,
    about: 'Stop the project of this folder, or the named services and projects; dependents first',
    flags: [all, verbose],
    examples: ['locald stop', 'locald stop web', 'locald stop shop', 'locald stop ../shop', 'locald stop --all'],
  },
  {
    name: 'restart',
    words: '[SERVICE…]',
    count: any,
    about: 'Restart the project of this folder, or only the named services and projects',
    flags: [{ name: 'dependents', about: 'Restart what needs them, too' }, verbose],
    examples: ['locald restart web', 'locald restart db --dependents'],
  },
  {
    name: 'status',
    words: '[SERVICE…]',
    count: any,
    about: 'Show the services of this project, or the named services and projects',
    flags: [all],
    examples: ['locald status', 'locald status shop', 'locald status --all --json'],
  },
  {
    name: 'logs',
    words: '[SERVICE…]',
    count: any,
    about: 'Print the output of services, merged by time',
    flags: [
      { name: 'follow', short: 'f', about: 'Go on printing what is written' },
      { name: 'tail', short: 'n', value: 'N', about: 'The last N lines; default 100 per service, all with --since' },
      { name: 'since', value: 'WHEN', about: 'Not older than 10s, 5m, 2h, 1d or an ISO 8601 time' },
      { name: 'grep', value: 'RE', about: 'Only lines that match a regular expression' },
      all,
    ],
    examples: ['locald logs', 'locald logs web -f', 'locald logs --since 10m --grep "error|warn"'],
  },
  {
    name: 'run',
    words: '<SERVICE> -- <CMD…>',
    count: [1, 1],
    takesCommand: true,
    about: "Run a command with a service's environment and in its folder",
    flags: [],
    examples: ['locald run web -- npm test', 'locald run api -- sh -c \'echo "$DATABASE_URL"\''],
  },
  {
    name: 'service reset',
    words: '<SERVICE>',
    count: [1, 1],
    about: "Remove a service's data, such as a database, and start it empty",
    flags: [{ name: 'yes', short: 'y', about: 'Do not ask, also on a terminal' }, verbose],
    examples: ['locald service reset db', 'locald service reset shop:db --yes'],
  },
  {
    name: 'wait',
    words: '[SERVICE…]',
    count: any,
    about: 'Wait until services are ready: exit code 0 ready, 1 failed, 124 timed out',
    flags: [{ name: 'timeout', value: 'SECONDS', about: 'How long to wait; default 60' }, verbose],
    examples: ['locald wait', 'locald wait web --timeout 10'],
  },
  {
    name: 'why',
    words: '<SERVICE>',
    count: [1, 1],
    about: 'Say why a service is in its state',
    flags: [],
    examples: ['locald why web', 'locald why shop'],
  },
  {
    name: 'open',
    words: '[SERVICE]',
    count: [0, 1],
    about: "Open a service's URL in the browser",
    flags: [],
    examples: ['locald open', 'locald open api'],
  },
  {
    name: 'config check',
    words: '',
    count: none,
    about: 'Check locald.toml and its layers',
    flags: [],
    examples: ['locald config check'],
  },
  {
    name: 'config show',
    words: '',
    count: none,
    about: 'Print the merged configuration',
    flags: [{ name: 'provenance', about: 'The file and line of each value' }],
    examples: ['locald config show --provenance'],
  },
  {
    name: 'config allow',
    words: '[PATH]',
    count: [0, 1],
    about: 'Allow project files that belong to another user',
    flags: [],
    examples: ['locald config allow', 'locald config allow /srv/shop'],
  },
  {
    name: 'doctor',
    words: '',
    count: none,
    about: 'Check this machine: exit code 1 only when something critical failed',
    flags: [
      { name: 'verbose', about: 'Show what passed, too' },
      { name: 'fix', about: 'Run what mends it and needs no root' },
    ],
    examples: ['locald doctor', 'locald doctor --json', 'locald doctor --fix'],
  },
  {
    name: 'plugins list',
    words: '',
    count: none,
    about: 'Show the plugins and what they provide',
    flags: [{ name: 'timing', about: 'The set-up time of each' }],
    examples: ['locald plugins list --timing'],
  },
  {
    name: 'plugins add',
    words: '<PACKAGE…>',
    count: [1, Number.POSITIVE_INFINITY],
    about: 'Install plugins from npm: redis means locald-plugin-redis',
    flags: [],
    examples: ['locald plugins add redis', 'locald plugins add redis@^1.2', 'locald plugins add ./my-plugin'],
  },
  {
    name: 'plugins remove',
    words: '<PACKAGE…>',
    count: [1, Number.POSITIVE_INFINITY],
    about: 'Remove plugins that were installed from npm',
    flags: [],
    examples: ['locald plugins remove redis'],
  },
  {
    name: 'registry list',
    words: '',
    count: none,
    about: 'Show the projects that were started once, and which are pinned',
    flags: [],
    examples: ['locald registry list'],
  },
  {
    name: 'registry pin',
    words: '[PROJECT…]',
    count: any,
    about: 'Have the project of this folder, or the named ones, start with the daemon',
    flags: [],
    examples: ['locald registry pin', 'locald registry pin shop', 'locald registry pin ./shop'],
  },
  {
    name: 'registry unpin',
    words: '[PROJECT…]',
    count: any,
    about: 'Undo `locald registry pin`; what runs keeps running',
    flags: [],
    examples: ['locald registry unpin', 'locald registry unpin shop'],
  },
  {
    name: 'registry clean',
    words: '',
    count: none,
    about: 'Forget projects whose folder is gone',
    flags: [],
    examples: ['locald registry clean'],
  },
  {
    name: 'server start',
    words: '',
    count: none,
    about: 'Start the daemon',
    flags: [],
    examples: ['locald server start'],
  },
  {
    name: 'server shutdown',
    words: '',
    count: none,
    about: 'Stop all services and the daemon',
    flags: [{ name: 'pid', value: 'PID', about: 'Only the daemon with this pid' }, verbose],
    examples: ['locald server shutdown'],
  },
  {
    name: 'server restart',
    words: '',
    count: none,
    about: 'Restart the daemon; services keep running',
    flags: [verbose],
    examples: ['locald server restart'],
  },
  {
    name: 'server status',
    words: '',
    count: none,
    about: "Show the daemon's pid, socket and ports",
    flags: [],
    examples: ['locald server status --json'],
  },
  {
    name: 'server install',
    words: '',
    count: none,
    about: 'Have the machine start the daemon: a systemd user unit, or a launchd agent',
    flags: [verbose],
    examples: ['locald server install'],
  },
  {
    name: 'server uninstall',
    words: '',
    count: none,
    about: 'Undo `locald server install`; services keep running',
    flags: [verbose],
    examples: ['locald server uninstall'],
  },
  {
    name: 'admin setup',
    words: '',
    count: none,
    about:
      'Install the privileged helper: ports 80 and 443, names in the hosts file, cgroups, the system’s certificates (sudo)',
    flags: [{ name: 'capabilities', about: 'Linux: ports only, by a capability instead of the setuid bit' }],
    examples: ['sudo locald admin setup', 'sudo locald admin setup --capabilities'],
  },
  {
    name: 'admin uninstall',
    words: '',
    count: none,
    about: 'Remove the privileged helper and all it has done, for all users (sudo)',
    flags: [],
    examples: ['sudo locald admin uninstall'],
  },
  {
    name: 'admin sync-hosts',
    words: '',
    count: none,
    about: 'Write the names of running services to the hosts file once more',
    flags: [],
    examples: ['locald admin sync-hosts'],
  },
  {
    name: 'ping',
    words: '',
    count: none,
    about: 'Ask whether the daemon is running',
    flags: [],
    examples: ['locald ping'],
  },
  {
    name: 'ai schema',
    words: '',
    count: none,
    about: 'Print the JSON schema of locald.toml',
    flags: [],
    examples: ['locald ai schema > locald.schema.json'],
  },
] as const satisfies readonly Spec<string>[]

export type CommandName = (typeof list)[number]['name']

export type CommandSpec = Spec<CommandName>

/** Every command, in the order of `locald --help`. */
export const commands: readonly CommandSpec[] = list
