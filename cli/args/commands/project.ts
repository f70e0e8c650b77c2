import { all, verbose } from '../flags.ts'
import type { Spec } from '../spec.ts'

/** Commands on projects and their services. */
export const projectCommands = [
  {
    name: 'up',
    aliases: ['start'],
    args: '[PATH] [SERVICE…]',
    group: 'project',
    about: 'Start a project and wait until it is ready',
    details:
      'Starts the project of this folder, or of PATH, or only the named services with their dependencies. Unchanged services keep running, changed ones are restarted. On a terminal it then follows the logs: Ctrl-C stops the project, `d` detaches, `?` lists more keys. `--env-file` counts until the next `up`: after `.env`, before a service’s `env_file`. With `--lease`, what it starts stops when the process exits (`--lease 812`) or the time is over (`--lease 10m`), unless someone else has started it, too; `up` without it keeps it running. A coding agent has a lease of its own process, unless it uses `--detach`. Also `locald start`.',
    flags: [
      { name: 'detach', short: 'd', about: 'Return when all services are ready' },
      { name: 'attach', about: 'Follow the logs even without a terminal' },
      { name: 'wait', about: 'Wait until services are ready, as always' },
      { name: 'no-deps', about: 'Start no dependencies of the named services' },
      { name: 'env-file', value: 'FILE', about: 'Also read variables from FILE; may be repeated' },
      { name: 'open', about: 'Open the URL in the browser when it is ready' },
      { name: 'file', short: 'f', value: 'FILE', about: 'Start the project of this locald.toml' },
      { name: 'lease', value: 'PID|TIME', about: 'Stop when a process exits or a time is over' },
      verbose,
    ],
    examples: [
      'locald up',
      'locald up web',
      'locald up ../shop --detach',
      'locald up --env-file .env.staging',
      'locald up --lease $$',
    ],
  },
  {
    name: 'stop',
    aliases: ['down'],
    args: '[SERVICE…]',
    group: 'project',
    about: 'Stop a project or services, dependents first',
    details: 'Also `locald down`.',
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
    aliases: ['ps', 'ls'],
    args: '[SERVICE…]',
    group: 'project',
    about: 'Show the services of a project',
    details:
      'Prints state, health, port, URL, pid, CPU and memory, and the reason where something is wrong. Services with `hidden = true` only when they failed, are named, or with `--all`. `--all` shows the services of all projects that run, have failed, sleep or are meant to run; `--known` also those that are stopped. `--watch` keeps the table up to date until `q` or Ctrl-C; without a terminal it prints a line for each change, with `--json` an object. Also `locald ps` and `locald ls`.',
    flags: [
      { ...all, short: 'a' },
      { name: 'known', about: 'Include all projects and stopped services' },
      { name: 'watch', short: 'w', about: 'Show changes until interrupted' },
    ],
    examples: ['locald status', 'locald status shop web', 'locald status --all --json', 'locald status --watch'],
  },
  {
    name: 'logs',
    aliases: ['log'],
    args: '[SERVICE…]',
    group: 'project',
    about: 'Print the output of services, merged by time',
    details:
      'With `-f`, an unfinished line is printed after half a second (not with `--json` or `--grep`). Without `-n` and `--since`, the last 100 lines of each service are printed. Also `locald log`.',
    flags: [
      { name: 'follow', short: 'f', about: 'Follow new output' },
      { name: 'tail', short: 'n', value: 'N', about: 'Print the last N lines' },
      { name: 'since', value: 'WHEN', about: 'Print lines since 10s, 5m, 2h, 1d or an ISO time' },
      { name: 'until', value: 'WHEN', about: 'Print lines until 10s, 5m, 2h ago or an ISO time' },
      { name: 'grep', value: 'RE', about: 'Print lines that match a regular expression' },
      { name: 'ignore-case', short: 'i', about: 'Match upper and lower case alike in `--grep`' },
      { name: 'timestamps', short: 't', about: 'Print the local time of each line' },
      all,
    ],
    examples: ['locald logs', 'locald logs web -ft', 'locald logs --since 10m -i --grep "error|warn"'],
  },
  {
    name: 'attach',
    args: '<SERVICE>',
    group: 'project',
    about: "Use a service's terminal in this one",
    details:
      'Shows its screen and types into it: prompts, debuggers, keys. Ctrl-] leaves, Ctrl-C goes to the program. Several may be attached: all see and type, and the smallest terminal sets the size. A restart keeps it; when the service stops, it exits with 0. A service with `tty = false` or a container is shown, but takes no text.',
    examples: ['locald attach web', 'locald attach shop:api'],
  },
  {
    name: 'monitor',
    aliases: ['tui', 'top'],
    args: '[PROJECT…]',
    group: 'project',
    about: 'Show services, logs and requests, live',
    details:
      'Shows all projects, or the named ones. Keys start, stop, restart, open and explain services, search logs, and replay requests; `?` lists them. Services keep running when it exits. Also `locald tui` and `locald top`.',
    examples: ['locald monitor', 'locald monitor shop'],
  },
  {
    name: 'run',
    aliases: ['exec'],
    args: '<SERVICE> -- <CMD…>',
    takesCommand: true,
    insteadOfArgument: 'with',
    group: 'project',
    about: "Run a command in a service's environment",
    details:
      "Runs in the service's folder and exits with the command's exit code. The terminal, agents and display are the caller's. Works without `--`, too: `locald run web npm test`. `--with` starts what the command needs first, with its dependencies, and afterwards stops what no one else started or uses. With it, SERVICE may be left out: the command then runs in this folder, with the environment by which the project reaches these services. Also `locald exec`.",
    flags: [{ name: 'with', value: 'SERVICE', about: 'Start SERVICE first; may be repeated or a,b' }, verbose],
    examples: [
      'locald run web -- npm test',
      'locald run --with db -- npm test',
      'locald run api -- sh -c \'echo "$DATABASE_URL"\'',
    ],
  },
  {
    name: 'expect',
    args: '<CMD…>',
    takesCommand: true,
    group: 'project',
    about: 'Run a command and check what happens meanwhile',
    details:
      'Watches the requests and logs of this project from before CMD starts. Exits with 0 when CMD did and all expectations were met in time, in any order; with 1 when one was not, and prints what happened instead; with 124 when CMD runs longer; else with its code. REQUEST is a method, a path and a status, such as "POST /pay 2xx"; `*` stands for anything in its place, and the status may be missing.',
    flags: [
      { name: 'request', value: 'REQUEST', about: 'Wait for a request; may be repeated' },
      { name: 'log', value: 'TEXT', about: 'Wait for a line with TEXT or /regex/' },
      { name: 'service', value: 'SERVICE', about: 'Watch only SERVICE; may be repeated' },
      { name: 'within', value: 'TIME', about: 'Limit for all, such as 500ms, 30s, 2m; default 30s' },
    ],
    examples: [
      'locald expect --request "POST /pay 2xx" --log paid -- npm run e2e:pay',
      'locald expect --log "/user \\d+ signed in/" --service api --within 10s -- ./login.sh',
    ],
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
    name: 'serve',
    args: '[PATH]',
    group: 'project',
    about: 'Serve a folder at a URL until Ctrl-C',
    details:
      'Serves PATH, or this folder, as a service of type `site`; pages reload when files change. Without PATH and an `index.html` here, it serves the one of dist, build, public, _site and out that has one. The URL stays the same; nothing is written to the folder.',
    flags: [
      { name: 'spa', about: 'Send index.html for paths without a file' },
      { name: 'no-reload', about: 'Send pages as they are, without live reload' },
      { name: 'open', about: 'Open the URL in the browser' },
    ],
    examples: ['locald serve', 'locald serve dist --spa --open'],
  },
  {
    name: 'try',
    args: '<CMD…>',
    takesCommand: true,
    group: 'project',
    about: 'Run a command with a port and a URL until Ctrl-C',
    details:
      'Runs it in this folder, with its `.env` and a `$PORT`, and nothing of its `locald.toml`. The URL stays the same. On a terminal it then offers to save the command as a service.',
    flags: [{ name: 'open', about: 'Open the URL in the browser' }],
    examples: ['locald try npm run dev', "locald try -- python3 -m http.server '$PORT'"],
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
      'Without changes the service receives the same bytes. `-H` sets a header, or removes it when its value is empty; `--edit` opens the request, secrets included, in `$VISUAL` or `$EDITOR`; unchanged it is not sent.',
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
] as const satisfies readonly Spec<string>[]
