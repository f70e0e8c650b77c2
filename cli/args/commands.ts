import type { Context } from '../context.ts'

/** A flag: `value` is the placeholder of the value it takes; absent: it is on or off. */
export interface Flag {
  readonly name: string
  readonly short?: string
  readonly value?: string
  readonly about: string
}

/** Runs a command; the result is the process's exit code. */
export type Command = (context: Context) => Promise<number>

/** What a command is called, takes and says in `--help`. */
export interface Spec {
  readonly name: string
  /** Its positional words, as help shows them. */
  readonly words: string
  /** How many positional words it takes. */
  readonly count: readonly [least: number, most: number]
  /** Words after `--` are a command to run, kept as they are. */
  readonly takesCommand?: boolean
  readonly about: string
  readonly flags: readonly Flag[]
  readonly examples: readonly string[]
  load(): Promise<Command>
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

/** Every command, in the order of `locald --help`. Modules are imported when used: start-up time is part of the interface. */
export const specs: readonly Spec[] = [
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
    load: async () => (await import('../commands/up.ts')).up,
  },
  {
    name: 'stop',
    words: '[SERVICE…]',
    count: any,
    about: 'Stop the project of this folder, or the named services and projects; dependents first',
    flags: [all, verbose],
    examples: ['locald stop', 'locald stop web', 'locald stop shop', 'locald stop ../shop', 'locald stop --all'],
    load: async () => (await import('../commands/stop.ts')).stop,
  },
  {
    name: 'restart',
    words: '[SERVICE…]',
    count: any,
    about: 'Restart the project of this folder, or only the named services and projects',
    flags: [{ name: 'dependents', about: 'Restart what needs them, too' }, verbose],
    examples: ['locald restart web', 'locald restart db --dependents'],
    load: async () => (await import('../commands/up.ts')).restart,
  },
  {
    name: 'status',
    words: '[SERVICE…]',
    count: any,
    about: 'Show the services of this project, or the named services and projects',
    flags: [all],
    examples: ['locald status', 'locald status shop', 'locald status --all --json'],
    load: async () => (await import('../commands/status.ts')).status,
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
    load: async () => (await import('../commands/logs.ts')).logs,
  },
  {
    name: 'run',
    words: '<SERVICE> -- <CMD…>',
    count: [1, 1],
    takesCommand: true,
    about: "Run a command with a service's environment and in its folder",
    flags: [],
    examples: ['locald run web -- npm test', 'locald run api -- sh -c \'echo "$DATABASE_URL"\''],
    load: async () => (await import('../commands/run.ts')).run,
  },
  {
    name: 'service reset',
    words: '<SERVICE>',
    count: [1, 1],
    about: "Remove a service's data, such as a database, and start it empty",
    flags: [{ name: 'yes', short: 'y', about: 'Do not ask, also on a terminal' }, verbose],
    examples: ['locald service reset db', 'locald service reset shop:db --yes'],
    load: async () => (await import('../commands/service.ts')).serviceReset,
  },
  {
    name: 'wait',
    words: '[SERVICE…]',
    count: any,
    about: 'Wait until services are ready: exit code 0 ready, 1 failed, 124 timed out',
    flags: [{ name: 'timeout', value: 'SECONDS', about: 'How long to wait; default 60' }, verbose],
    examples: ['locald wait', 'locald wait web --timeout 10'],
    load: async () => (await import('../commands/wait.ts')).wait,
  },
  {
    name: 'why',
    words: '<SERVICE>',
    count: [1, 1],
    about: 'Say why a service is in its state',
    flags: [],
    examples: ['locald why web', 'locald why shop'],
    load: async () => (await import('../commands/why.ts')).why,
  },
  {
    name: 'open',
    words: '[SERVICE]',
    count: [0, 1],
    about: "Open a service's URL in the browser",
    flags: [],
    examples: ['locald open', 'locald open api'],
    load: async () => (await import('../commands/open.ts')).open,
  },
  {
    name: 'config check',
    words: '',
    count: none,
    about: 'Check locald.toml and its layers',
    flags: [],
    examples: ['locald config check'],
    load: async () => (await import('../commands/config.ts')).configCheck,
  },
  {
    name: 'config show',
    words: '',
    count: none,
    about: 'Print the merged configuration',
    flags: [{ name: 'provenance', about: 'The file and line of each value' }],
    examples: ['locald config show --provenance'],
    load: async () => (await import('../commands/config.ts')).configShow,
  },
  {
    name: 'config allow',
    words: '[PATH]',
    count: [0, 1],
    about: 'Allow project files that belong to another user',
    flags: [],
    examples: ['locald config allow', 'locald config allow /srv/shop'],
    load: async () => (await import('../commands/config.ts')).configAllow,
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
    load: async () => (await import('../commands/doctor.ts')).doctor,
  },
  {
    name: 'plugins list',
    words: '',
    count: none,
    about: 'Show the plugins and what they provide',
    flags: [{ name: 'timing', about: 'The set-up time of each' }],
    examples: ['locald plugins list --timing'],
    load: async () => (await import('../commands/plugins.ts')).pluginsList,
  },
  {
    name: 'plugins add',
    words: '<PACKAGE…>',
    count: [1, Number.POSITIVE_INFINITY],
    about: 'Install plugins from npm: redis means locald-plugin-redis',
    flags: [],
    examples: ['locald plugins add redis', 'locald plugins add redis@^1.2', 'locald plugins add ./my-plugin'],
    load: async () => (await import('../commands/plugins-install.ts')).pluginsAdd,
  },
  {
    name: 'plugins remove',
    words: '<PACKAGE…>',
    count: [1, Number.POSITIVE_INFINITY],
    about: 'Remove plugins that were installed from npm',
    flags: [],
    examples: ['locald plugins remove redis'],
    load: async () => (await import('../commands/plugins-install.ts')).pluginsRemove,
  },
  {
    name: 'registry list',
    words: '',
    count: none,
    about: 'Show the projects that were started once, and which are pinned',
    flags: [],
    examples: ['locald registry list'],
    load: async () => (await import('../commands/registry.ts')).registryList,
  },
  {
    name: 'registry pin',
    words: '[PROJECT…]',
    count: any,
    about: 'Have the project of this folder, or the named ones, start with the daemon',
    flags: [],
    examples: ['locald registry pin', 'locald registry pin shop', 'locald registry pin ./shop'],
    load: async () => (await import('../commands/registry.ts')).registryPin,
  },
  {
    name: 'registry unpin',
    words: '[PROJECT…]',
    count: any,
    about: 'Undo `locald registry pin`; what runs keeps running',
    flags: [],
    examples: ['locald registry unpin', 'locald registry unpin shop'],
    load: async () => (await import('../commands/registry.ts')).registryUnpin,
  },
  {
    name: 'registry clean',
    words: '',
    count: none,
    about: 'Forget projects whose folder is gone',
    flags: [],
    examples: ['locald registry clean'],
    load: async () => (await import('../commands/registry.ts')).registryClean,
  },
  {
    name: 'server start',
    words: '',
    count: none,
    about: 'Start the daemon',
    flags: [],
    examples: ['locald server start'],
    load: async () => (await import('../commands/server.ts')).serverStart,
  },
  {
    name: 'server shutdown',
    words: '',
    count: none,
    about: 'Stop all services and the daemon',
    flags: [{ name: 'pid', value: 'PID', about: 'Only the daemon with this pid' }, verbose],
    examples: ['locald server shutdown'],
    load: async () => (await import('../commands/server.ts')).serverShutdown,
  },
  {
    name: 'server restart',
    words: '',
    count: none,
    about: 'Restart the daemon; services keep running',
    flags: [verbose],
    examples: ['locald server restart'],
    load: async () => (await import('../commands/server.ts')).serverRestart,
  },
  {
    name: 'server status',
    words: '',
    count: none,
    about: "Show the daemon's pid, socket and ports",
    flags: [],
    examples: ['locald server status --json'],
    load: async () => (await import('../commands/server.ts')).serverStatus,
  },
  {
    name: 'server install',
    words: '',
    count: none,
    about: 'Have the machine start the daemon: a systemd user unit, or a launchd agent',
    flags: [verbose],
    examples: ['locald server install'],
    load: async () => (await import('../commands/server-install.ts')).serverInstall,
  },
  {
    name: 'server uninstall',
    words: '',
    count: none,
    about: 'Undo `locald server install`; services keep running',
    flags: [verbose],
    examples: ['locald server uninstall'],
    load: async () => (await import('../commands/server-install.ts')).serverUninstall,
  },
  {
    name: 'admin setup',
    words: '',
    count: none,
    about:
      'Install the privileged helper: ports 80 and 443, names in the hosts file, cgroups, the system’s certificates (sudo)',
    flags: [{ name: 'capabilities', about: 'Linux: ports only, by a capability instead of the setuid bit' }],
    examples: ['sudo locald admin setup', 'sudo locald admin setup --capabilities'],
    load: async () => (await import('../commands/admin.ts')).adminSetup,
  },
  {
    name: 'admin uninstall',
    words: '',
    count: none,
    about: 'Remove the privileged helper and all it has done, for all users (sudo)',
    flags: [],
    examples: ['sudo locald admin uninstall'],
    load: async () => (await import('../commands/admin.ts')).adminUninstall,
  },
  {
    name: 'admin sync-hosts',
    words: '',
    count: none,
    about: 'Write the names of running services to the hosts file once more',
    flags: [],
    examples: ['locald admin sync-hosts'],
    load: async () => (await import('../commands/admin.ts')).adminSyncHosts,
  },
  {
    name: 'ping',
    words: '',
    count: none,
    about: 'Ask whether the daemon is running',
    flags: [],
    examples: ['locald ping'],
    load: async () => (await import('../commands/server.ts')).ping,
  },
  {
    name: 'ai schema',
    words: '',
    count: none,
    about: 'Print the JSON schema of locald.toml',
    flags: [],
    examples: ['locald ai schema > locald.schema.json'],
    load: async () => (await import('../commands/ai.ts')).aiSchema,
  },
]
