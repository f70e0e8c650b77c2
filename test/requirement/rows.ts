/**
 * What the requirement of macOS asks (its tables 2.1 and 2.2, and the criteria of 5), and which tests show it.
 * docs/platforms.md is made of this; a test that is not there, or was skipped or failed in the last run of all tests,
 * fails the run.
 */

/**
 * What shows one row. A test: its file, then its name and those of its subtests, ` > ` between them; a file alone is
 * all in it.
 */
export interface Row {
  readonly section: '2.1' | '2.2' | '5'
  /** The requirement's words. */
  readonly asks: string
  /** Tests on Linux as it is. */
  readonly linux: readonly string[]
  /** Tests that assume a Mac: with LOCALD_PLATFORM, or of the parts for macOS alone. */
  readonly mac: readonly string[]
  /** What a Mac shows: `step NAME` of `npm run test:mac`, `.ci/NAME` in a workflow. */
  readonly hardware: readonly string[]
  /** What is not as asked. */
  readonly but?: string
}

const life = 'test/e2e/life.test.ts > the life of services'
const swept = 'test/e2e/swept.test.ts > commands work while the runtime folder is emptied again and again'
const starts = 'starts services by dependency and prints each URL'
const integration = '.ci/integration'

export const rows: readonly Row[] = [
  {
    section: '2.1',
    asks: 'Daemon startup',
    linux: [
      'test/cli/daemon/start.test.ts > the first command starts the daemon, the next finds it',
      `${life} (linux) > ${starts}`,
    ],
    mac: [`${life} (darwin) > ${starts}`],
    hardware: [integration, 'step times'],
  },
  {
    section: '2.1',
    asks: 'Exec service spawn',
    linux: [`${life} (linux) > ${starts}`, 'test/native/keeper/starter.test.ts'],
    mac: [`${life} (darwin) > ${starts}`, 'test/native/keeper/terminal.test.ts'],
    hardware: [integration, 'step keeper'],
  },
  {
    section: '2.1',
    asks: 'Port allocation',
    linux: [`${life} (linux) > ports stay the same`],
    mac: [`${life} (darwin) > ports stay the same`],
    hardware: [integration, 'step wildcard'],
  },
  {
    section: '2.1',
    asks: 'HTTP/HTTPS proxy',
    linux: [
      'test/plugins/proxy/routing/router.test.ts > routing',
      'test/plugins/https/certificates.test.ts > certificates are made on demand and renewed',
    ],
    mac: [
      'test/plugins/proxy/listen/bind.test.ts > skips a port on which another program answers, even if it can be bound',
    ],
    hardware: [integration, 'step helper', 'step wildcard'],
  },
  {
    section: '2.1',
    asks: 'Dashboard serving',
    linux: ['test/plugins/proxy/pages/responses.test.ts > error pages > list all services'],
    mac: [],
    hardware: [integration],
    but: 'a list of the services',
  },
  {
    section: '2.1',
    asks: 'Log streaming (CLI)',
    linux: [
      'test/cli/commands/logs.test.ts > prints lines as text and as JSON, and requests what the flags say',
      `${swept} (linux)`,
    ],
    mac: [`${swept} (darwin)`],
    hardware: [integration],
  },
  {
    section: '2.1',
    asks: 'Log streaming (SSE)',
    linux: ['test/kernel/api/ndjson.test.ts'],
    mac: [],
    hardware: [],
    but: 'events on the daemon’s socket; none by the proxy',
  },
  {
    section: '2.1',
    asks: 'Health checks',
    linux: ['test/e2e/health.test.ts > health (linux) > supports every type of health check'],
    mac: ['test/kernel/services/supervisor.test.ts'],
    hardware: [integration, 'step sleep'],
  },
  {
    section: '2.1',
    asks: 'locald status/logs/stop',
    linux: [`${life} (linux) > wait, restart and why`, `${swept} (linux)`],
    mac: [`${life} (darwin) > wait, restart and why`, `${swept} (darwin)`],
    hardware: [integration, '.ci/reaping', 'step case'],
  },
  {
    section: '2.1',
    asks: 'locald try/locald run',
    linux: [
      "test/cli/commands/run.test.ts > runs a command in a service's place with its arguments as typed, and exits with its code",
      `${swept} (linux)`,
    ],
    mac: [`${swept} (darwin)`],
    hardware: [integration],
    but: 'there is no command `try`',
  },
  {
    section: '2.1',
    asks: 'Managed Postgres',
    linux: [
      'test/e2e/postgres.test.ts > locald up with a database',
      'test/e2e/postgres-branch.test.ts > snapshots and branches',
    ],
    mac: ['test/plugins/postgres/installation.test.ts'],
    hardware: [integration, 'step postgres', 'step clone'],
  },
  {
    section: '2.1',
    asks: 'Project registry',
    linux: ['test/e2e/registry.test.ts > projects are listed, pinned by folder or name, and unpinned (linux)'],
    mac: ['test/kernel/system/paths.test.ts > resolves paths on macOS', 'test/kernel/system/runtime-folder.test.ts'],
    hardware: ['step case'],
  },
  {
    section: '2.2',
    asks: 'Privileged ports (<1024)',
    linux: ['test/e2e/privileged.test.ts', 'test/shim/shim.test.ts'],
    mac: ['test/plugins/proxy/listen/bind.test.ts > does not use the privileged helper for a port that is in use'],
    hardware: ['.ci/privileged', 'step helper'],
  },
  {
    section: '2.2',
    asks: '`/etc/hosts` automation',
    linux: ['test/e2e/privileged.test.ts', 'test/plugins/hosts/hosts-block.test.ts > the block'],
    mac: ['test/plugins/hosts/shared-names.test.ts > uses a folder that the system does not clean where there is one'],
    hardware: ['.ci/privileged', 'step helper'],
  },
  {
    section: '2.2',
    asks: '`locald doctor`',
    linux: [
      'test/kernel/doctor.test.ts > lists all fixes once',
      'test/cli/commands/doctor.test.ts > prints failed checks by plugin and applies fixes only with --fix',
    ],
    mac: ['test/plugins/platform-darwin/features.test.ts > checks report missing programs', 'test/e2e/trust.test.ts'],
    hardware: ['.ci/smoke', 'step trust-state'],
  },
  {
    section: '2.2',
    asks: 'HTTPS cert trust',
    linux: ['test/shim/store.test.ts', 'test/plugins/https/stores.test.ts > the stores'],
    mac: ['test/e2e/trust.test.ts', 'test/native/keychain.test.ts'],
    hardware: ['.ci/privileged', 'step trust'],
    but: 'for the user alone, by a password, unless `--system` is given',
  },
  {
    section: '5',
    asks: '`locald up` starts daemon on macOS (no errors)',
    linux: [`${life} (linux) > ${starts}`],
    mac: [`${life} (darwin) > ${starts}`, 'test/scripts/build-native.test.ts'],
    hardware: [integration, 'step times'],
  },
  {
    section: '5',
    asks: 'Exec services spawn and receive `$PORT`',
    linux: [`${life} (linux) > ports stay the same`],
    mac: [`${life} (darwin) > ports stay the same`],
    hardware: [integration],
  },
  {
    section: '5',
    asks: 'HTTP proxy routes to services correctly',
    linux: [
      'test/plugins/proxy/routing/router.test.ts > routing',
      'test/e2e/shop.test.ts > the shop of the README (linux) > each service answers under its name',
    ],
    mac: [],
    hardware: [integration],
  },
  {
    section: '5',
    asks: 'Dashboard accessible at `localhost:8080`',
    linux: ['test/plugins/proxy/pages/responses.test.ts > error pages > list all services'],
    mac: [],
    hardware: [integration],
    but: 'a list of the services',
  },
  {
    section: '5',
    asks: '`locald logs <service>` streams output',
    linux: [`${swept} (linux)`],
    mac: [`${swept} (darwin)`],
    hardware: [integration],
  },
  {
    section: '5',
    asks: '`locald stop` cleanly terminates services',
    linux: ['test/e2e/trees.test.ts > sends the stop signal to the whole group, and kills what ignores it (linux)'],
    mac: [
      'test/e2e/trees.test.ts > sends the stop signal to the whole group, and kills what ignores it (darwin)',
      'test/e2e/trees.test.ts > kills a tree of 400 processes that keeps forking (darwin)',
    ],
    hardware: [integration],
  },
  {
    section: '5',
    asks: '`locald doctor` reports macOS-specific status',
    linux: [],
    mac: ['test/plugins/platform-darwin/features.test.ts > checks report missing programs', 'test/e2e/trust.test.ts'],
    hardware: ['.ci/smoke', 'step trust-state'],
  },
  {
    section: '5',
    asks: 'CI runs macOS integration test on every PR',
    linux: ['test/repository/workflows.test.ts > every supported system and Node version is tested with every change'],
    mac: [],
    hardware: [integration],
  },
  {
    section: '5',
    asks: 'Managed Postgres works on macOS',
    linux: ['test/plugins/postgres/server.test.ts'],
    mac: ['test/plugins/postgres/installation.test.ts'],
    hardware: [integration, 'step postgres'],
  },
  {
    section: '5',
    asks: 'No code for Linux breaks compilation on macOS',
    linux: ['test/e2e/packages.test.ts > every package installs from the registry into an empty folder'],
    mac: ['test/scripts/build-native.test.ts'],
    hardware: ['.ci/unit', '.ci/smoke'],
  },
  {
    section: '5',
    asks: 'All unit tests pass on macOS runner',
    linux: ['test/repository/process-list.test.ts', 'test/repository/scripts.test.ts'],
    mac: [],
    hardware: ['.ci/unit'],
  },
]
