/*
 * What people type who come from other tools, and what to use here. Commands and flags that locald has are not in it: an
 * alias is in the command's own entry. Only what cannot be guessed from `locald --help` is worth a row.
 */

/** A hint for each of these commands. */
const commandHints: readonly (readonly [words: readonly string[], hint: string])[] = [
  [['kill', 'halt', 'terminate'], 'Run `locald stop` to stop the services of this project.'],
  [
    ['rm', 'del', 'delete'],
    'Run `locald stop` to stop services, or `locald service remove SERVICE` to remove one from locald.toml.',
  ],
  [
    ['service rm', 'service del', 'service delete', 'service uninstall'],
    'Run `locald service remove SERVICE --dry-run` to see what it removes from locald.toml.',
  ],
  [['service ls', 'service list', 'service ps', 'service show', 'services'], 'Run `locald status`.'],
  [['service new', 'service create'], 'Run `locald service add TYPE`, or `locald add CMD`.'],
  [['service start', 'service up'], 'Run `locald up SERVICE`.'],
  [['service stop', 'service down', 'service kill'], 'Run `locald stop SERVICE`.'],
  [['service restart'], 'Run `locald restart SERVICE`.'],
  [['list', 'projects'], 'Run `locald registry list` to list projects, or `locald status --known` for their services.'],
  [['stats', 'htop'], 'Run `locald status`, or `locald monitor` to see it live.'],
  [['web', 'gui'], 'Run `locald dashboard`.'],
  [['sh', 'shell', 'bash', 'ssh', 'connect'], 'Run `locald run SERVICE -- sh` for a shell in the place of a service.'],
  [['psql'], 'Run `locald run db -- psql`, with the name of your database service.'],
  [['snapshot', 'branch'], 'Run `locald db snapshot` or `locald db branch`.'],
  [['url'], 'Run `locald status` to see all URLs, or `locald open SERVICE` to open one.'],
  [['ports'], 'Run `locald status` to see all ports, or `locald port N` to see who listens on one.'],
  [['events', 'watch'], 'Run `locald status --watch` or `locald monitor` to follow what happens.'],
  [
    ['inspect', 'info', 'describe', 'show'],
    'Run `locald why SERVICE`, `locald env SERVICE` or `locald config show --provenance`.',
  ],
  [['tail'], 'Run `locald logs -f`.'],
  [['new', 'setup'], 'Run `locald init` to write a locald.toml, or `locald up` without one.'],
  [['dev', 'create', 'build', 'reload'], 'Run `locald up`: it starts what is new and restarts what has changed.'],
  [['update', 'upgrade'], 'Run `npm install -g locald@latest`, then `locald server restart`: services keep running.'],
  [
    ['uninstall', 'remove'],
    'To remove a service, run `locald service remove SERVICE`. To remove locald, run `locald server shutdown`, `locald untrust` and `locald admin uninstall`, then `npm uninstall -g locald`.',
  ],
  [['check', 'validate', 'config validate', 'config test', 'config lint'], 'Run `locald config check`.'],
  [
    ['config edit', 'config set', 'edit'],
    'Open locald.toml in your editor: a change is applied when you save it. `locald config show --provenance` prints the files.',
  ],
  [['config list', 'config get', 'config print'], 'Run `locald config show`.'],
  [['server stop', 'server kill', 'server down'], 'Run `locald server shutdown`: it stops all services, too.'],
  [['server up'], 'Run `locald server start`.'],
  [['server ps'], 'Run `locald server status`.'],
  [['server log', 'server logs'], 'Run `locald server status` to see the path of its log.'],
  [
    ['prune', 'clean', 'purge', 'registry remove', 'registry rm', 'registry forget', 'registry prune'],
    'Run `locald registry clean --dry-run` or `locald container prune --dry-run` to see what deleted projects left.',
  ],
  [['reset', 'wipe', 'destroy'], 'See `locald service reset --help`: it deletes the data of a service.'],
  [['plugins rm', 'plugins uninstall', 'plugins delete'], 'Run `locald plugins remove PACKAGE`.'],
  [['registry ls', 'registry add'], 'Run `locald registry list`; `locald up` adds a project.'],
  [['plugins ls', 'plugins install'], 'Run `locald plugins list` or `locald plugins add PACKAGE`.'],
]

/** A flag of other tools: of some of locald's commands, or of any. */
interface ForeignFlag {
  readonly flags: readonly string[]
  readonly of?: readonly string[]
  readonly hint: string
}

const flagHints: readonly ForeignFlag[] = [
  { flags: ['--build'], of: ['up'], hint: 'Leave it out: the build step of a service is part of its `command`.' },
  {
    flags: ['--force-recreate', '--always-recreate-deps', '--renew-anon-volumes'],
    of: ['up'],
    hint: 'Run `locald restart` to start services again; `locald up` restarts what has changed.',
  },
  {
    flags: ['--watch', '-w', '--reload'],
    of: ['up'],
    hint: 'Set `watch = ["src/**/*.go"]` of a service in locald.toml: it restarts when these files change.',
  },
  { flags: ['--scale'], of: ['up'], hint: 'Add another service to locald.toml: each service is one process.' },
  {
    flags: ['--profile', '-p'],
    of: ['up', 'stop', 'status'],
    hint: 'Name the services to start, as in `locald up web`: their dependencies start, too.',
  },
  { flags: ['--port'], of: ['up'], hint: 'Set `port = 3000` of a service in locald.toml.' },
  {
    flags: ['-e', '--env'],
    of: ['up', 'restart', 'run'],
    hint: 'Put it in front, as in `A=1 locald up`, or use `locald up --env-file FILE`, or `env` in locald.toml.',
  },
  { flags: ['--remove-orphans'], hint: 'Leave it out: `locald up` stops services that were removed from locald.toml.' },
  { flags: ['--no-start', '--dry-run'], of: ['up'], hint: 'Run `locald config check`: it starts nothing.' },
  { flags: ['--foreground', '--no-detach'], of: ['up'], hint: 'Use `--attach`.' },
  { flags: ['-D', '--daemon', '--background'], of: ['up'], hint: 'Use `--detach` or `-d`.' },
  {
    flags: ['-t', '--timeout'],
    of: ['stop', 'restart', 'up'],
    hint: 'Set `stop_timeout` of the service in locald.toml, in seconds.',
  },
  { flags: ['-s', '--signal'], of: ['stop'], hint: 'Set `stop_signal` of the service in locald.toml.' },
  { flags: ['--volumes', '--rmi'], of: ['stop'], hint: 'Leave it out: `locald stop` keeps all data.' },
  { flags: ['-a'], of: ['stop', 'restart'], hint: 'Name the services or projects, as in `locald stop shop`.' },
  {
    flags: ['-i', '-t', '-T', '--tty', '--interactive'],
    of: ['run'],
    hint: 'Leave it out: your terminal is passed on.',
  },
  { flags: ['--rm'], of: ['run'], hint: 'Leave it out: nothing remains of a command.' },
  {
    flags: ['-u', '--user', '-w', '--workdir'],
    of: ['run'],
    hint: 'Run `locald run SERVICE -- sh -c "cd FOLDER && CMD"`.',
  },
  { flags: ['--no-log-prefix'], of: ['logs', 'up'], hint: 'Use `locald logs SERVICE --json` to process lines.' },
  { flags: ['-q', '--quiet', '--format'], of: ['status', 'up'], hint: 'Use `--json`.' },
  { flags: ['--cwd', '--project-directory', '--dir', '--chdir'], hint: 'Use `-C DIR`.' },
  { flags: ['-f', '--file', '--config'], hint: 'Use `locald up -f FILE`, or `-C DIR` with the folder of the project.' },
  { flags: ['--verbose', '--debug'], hint: 'Run `locald why SERVICE`, or `locald doctor --verbose`.' },
]

/** Returns what to use in place of a command of other tools. */
export function hintForCommand(typed: string): string | undefined {
  return commandHints.find(([words]) => words.includes(typed))?.[1]
}

/** Returns what to use in place of a flag of other tools. */
export function hintForFlag(typed: string, command: string | undefined): string | undefined {
  return flagHints.find(
    ({ flags, of }) => flags.includes(typed) && (of === undefined || (command !== undefined && of.includes(command))),
  )?.hint
}

/** All hints, for the test that runs their commands through the parser. */
export const otherTools = { commandHints, flagHints }
