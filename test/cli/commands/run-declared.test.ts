import t, { type Test } from 'tap'
import type { ServiceCommandView } from '../../../kernel/protocol.ts'
import { FakeDaemon, json } from '../fake-daemon.ts'
import { Screen } from '../screen.ts'

const fresh: ServiceCommandView = {
  ...{ name: 'fresh', run: 'npm run seed', description: 'Fill the database', confirm: false },
  args: [
    { name: 'size', type: 'integer', default: 100, description: 'How many' },
    { name: 'mode', type: 'enum', values: ['fast', 'slow'] },
    { name: 'dry', type: 'boolean', default: false },
  ],
}
const wipe: ServiceCommandView = { name: 'wipe', run: 'rm -r data', description: null, confirm: true, args: [] }

async function daemonWith(t: Test, commands: readonly ServiceCommandView[]) {
  const daemon = await FakeDaemon.start(t)
  daemon.on('GET /v1/services/commands', json({ services: [{ key: 'shop:seed', commands }] }))
  const env = { PATH: process.env['PATH'] }
  daemon.on('POST /v1/services/one-off', json({ dir: daemon.home, env, argv: ['sh', '-c', 'exit 7'], notRunning: [] }))
  return daemon
}

/** Returns how the daemon was last asked how to run a command. */
function lastAsked(daemon: FakeDaemon): Readonly<Record<string, unknown>> {
  const { body } = daemon.last('/v1/services/one-off')
  return typeof body === 'object' ? { ...body } : {}
}

t.test('calls a declared command with its flags, and exits with its code', async t => {
  const daemon = await daemonWith(t, [fresh])
  const cases: readonly (readonly [words: readonly string[], args: object])[] = [
    [[], {}],
    [['--size', '10', '--mode=slow', '--dry'], { size: '10', mode: 'slow', dry: true }],
    [['--size=-5', '--no-dry', '--size', '-6'], { size: '-6', dry: false }],
    [['--mode=a=b\nc', '--dry=false'], { mode: 'a=b\nc', dry: 'false' }],
  ]
  for (const [words, args] of cases) {
    t.match(await daemon.run(['run', 'seed', 'fresh', ...words]), { code: 7, stdout: '', stderr: '' })
    const body = lastAsked(daemon)
    t.match(body, { service: 'seed', path: daemon.home, pid: Number })
    t.strictSame(body['command'], { name: 'fresh', args })
    t.notOk('argv' in body)
  }
})

t.test('suggests the command that a misspelt one is near to, where there is no such program', async t => {
  const daemon = await daemonWith(t, [fresh, wipe])
  const env = { PATH: process.env['PATH'] }
  daemon.on('POST /v1/services/one-off', json({ dir: daemon.home, env, notRunning: [] }))
  for (const word of ['fersh', 'Fresh', 'fres'])
    t.match(await daemon.run(['run', 'seed', word, '--size', '10']), {
      code: 127,
      stderr: `Error: command not found: ${word} [SPAWN_FAILED]\nHint: Did you mean 'fresh'? \`locald run seed\` lists its commands.\n`,
    })
  t.match(await daemon.run(['run', 'seed', 'wpie']), { code: 127, stderr: /Hint: Check the PATH/ }, 'it asks before')
  t.match(await daemon.run(['run', 'seed', '--', 'fersh']), { code: 127, stderr: /Hint: Check the PATH/ })
  t.match(await daemon.run(['run', 'seed', 'true']), { code: 0, stdout: '', stderr: /^$/ })

  t.comment('a type that runs commands in its own way, such as in a container')
  daemon.on(
    'POST /v1/services/one-off',
    json({ dir: daemon.home, env, argv: ['sh', '-c', 'exit 127'], notRunning: [] }),
  )
  t.match(await daemon.run(['run', 'seed', 'fersh']), {
    ...{ code: 127, stdout: '' },
    stderr: /^Hint: Did you mean 'fresh'\? `locald run seed` lists its commands\.\n$/,
  })
})

t.test('a word that is no flag of the command is refused before anything is asked of the daemon', async t => {
  const daemon = await daemonWith(t, [fresh])
  const cases: readonly (readonly [words: readonly string[], message: string])[] = [
    [['--siz', '1'], "unknown flag --siz [USAGE]\nHint: Did you mean '--size'? See `locald run seed fresh --help`.\n"],
    [['--size'], '--size needs a value: --size=INTEGER'],
    [['--mode', '--dry'], '--mode needs a value: --mode=fast|slow'],
    [['--no-dry=1'], '--no-dry takes no value'],
    [['10'], "unexpected argument '10'"],
    [['--', '10'], "unexpected argument '--'"],
    [['-s', '1'], "unexpected argument '-s'"],
  ]
  for (const [words, message] of cases) {
    const ran = await daemon.run(['run', 'seed', 'fresh', ...words])
    t.match(ran, { code: 2, stdout: '' })
    t.ok(ran.stderr.startsWith(`Error: seed fresh: ${message}`), ran.stderr)
  }
  t.throws(() => daemon.last('/v1/services/one-off'))
})

t.test('only the exact name without -- is a declared command', async t => {
  const daemon = await daemonWith(t, [fresh])
  const cases = [['--', 'fresh'], ['fres'], ['--', 'fresh', '--size', '1'], ['./fresh'], ['fresh2', '--size', '1']]
  for (const words of cases) {
    await daemon.run(['run', 'seed', ...words])
    const body = lastAsked(daemon)
    t.strictSame(body['argv'], words[0] === '--' ? words.slice(1) : words)
    t.notOk('command' in body)
  }
})

t.test('lists the commands of a service, and the arguments of one', async t => {
  const daemon = await daemonWith(t, [fresh, wipe])
  const list = 'Commands of seed:\n  fresh  Fill the database\n  wipe   rm -r data\n'
  t.match(await daemon.run(['run', 'seed']), { code: 0, stdout: list, stderr: '' })
  t.match(JSON.parse((await daemon.run(['run', 'seed', '--json'])).stdout), {
    service: 'seed',
    commands: [fresh, wipe],
  })
  const help = await daemon.run(['run', 'seed', '--help'])
  t.equal(help.code, 0)
  t.match(help.stdout, /^Run a command in a service's environment/)
  t.ok(help.stdout.endsWith(`\n${list}`), help.stdout)
  const one = await daemon.run(['run', 'seed', 'fresh', '--size', 'x', '--help'])
  t.equal(
    one.stdout,
    `Fill the database

Usage:
  $ locald run seed fresh [options]

Runs:
  npm run seed

Options:
  --size <INTEGER>    How many (default: 100)
  --mode <fast|slow>  (required)
  --dry, --no-dry     (default: false)
  -h, --help          Print help
`,
  )
  daemon.on('GET /v1/services/commands', json({ services: [{ key: 'shop:seed', commands: [] }] }))
  t.match(await daemon.run(['run', 'seed']), { code: 2, stderr: "Error: 'locald run' needs a command after --" })
  t.match(await daemon.run(['run', 'seed', '--']), { code: 2, stderr: "Error: 'locald run' needs a command after --" })
})

t.test('long descriptions are wrapped, and a command of several lines is indented', async t => {
  const about = 'Create a user with a role, and send the invitation by mail unless it is a dry run'
  const user = { ...wipe, name: 'user', description: about, run: 'one\ntwo\n' }
  const daemon = await daemonWith(t, [user, { ...wipe, run: 'one\ntwo' }])
  t.equal(
    (await daemon.run(['run', 'seed'])).stdout,
    `Commands of seed:
  user  Create a user with a role, and send the invitation by mail unless it is
        a dry run
  wipe  one two
`,
  )
  const { stdout } = await daemon.run(['run', 'seed', 'user', '--help'])
  t.ok(stdout.startsWith(about.replace(' run', '\nrun')), stdout)
  t.match(stdout, 'Runs:\n  one\n  two\n\nOptions:')
})

t.test('a command with confirm asks on a terminal, and runs nothing unless the answer is yes', async t => {
  const daemon = await daemonWith(t, [wipe])
  for (const answer of ['\r', 'n\r', '\x03']) {
    const screen = new Screen(t, daemon, ['run', 'seed', 'wipe'])
    await screen.shows('Run seed wipe (rm -r data)? [y/N] ')
    screen.press(answer)
    t.equal(await screen.ends(), 'code 1, restored', JSON.stringify(answer))
    t.match(screen.text, 'Nothing was run')
  }
  t.notOk(daemon.asked.some(({ path }) => path === '/v1/services/one-off'))
  const screen = new Screen(t, daemon, ['run', 'seed', 'wipe'])
  await screen.shows('[y/N] ')
  screen.press('y\r')
  t.equal(await screen.ends(), 'code 7, restored')
  t.strictSame(lastAsked(daemon)['command'], { name: 'wipe', args: {} })
  const sure = new Screen(t, daemon, ['run', 'seed', 'wipe', '--yes'])
  t.equal(await sure.ends(), 'code 7, restored')
  t.notMatch(sure.text, '[y/N]')
})

t.test('an agent has to ask before a command with confirm', async t => {
  const daemon = await daemonWith(t, [wipe])
  const env = { LOCALD_AGENT: 'claude' }
  t.match(await daemon.run(['run', 'seed', 'wipe'], { env }), {
    ...{ code: 2, stderr: /'seed wipe' asks before it runs: .*needs --yes/ },
  })
  t.equal((await daemon.run(['run', 'seed', 'wipe', '--yes'], { env })).code, 7)
})

t.test('a daemon of a version without declared commands runs programs as before', async t => {
  const daemon = await daemonWith(t, [])
  const error = { code: 'REQUEST_INVALID', message: 'GET /v1/services/commands does not exist' }
  daemon.on('GET /v1/services/commands', json({ error }, 404))
  t.equal((await daemon.run(['run', 'seed', 'fresh'])).code, 7)
  t.strictSame(lastAsked(daemon)['argv'], ['fresh'])
})
