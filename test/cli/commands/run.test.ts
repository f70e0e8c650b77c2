import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { FakeDaemon, json } from '../fake-daemon.ts'
import { project } from '../follow/project.ts'
import { Screen } from '../screen.ts'

t.test("runs a command in a service's place with its arguments as typed, and exits with its code", async t => {
  const daemon = await FakeDaemon.start(t)
  const dir = join(daemon.home, 'web')
  mkdirSync(dir)
  const env = { PATH: process.env['PATH'], PORT: '3000', SECRET: 'canary-1' }
  daemon.on('GET /v1/services/commands', json({ services: [] }))
  daemon.on('POST /v1/services/one-off', json({ dir, env, notRunning: [] }))
  const show =
    'process.stdout.write(JSON.stringify([process.argv.slice(1), process.cwd(), process.env.PORT, process.env.MINE]))'
  const words = ['08', '1e3', '--json', '-n', '--', '', 'a b', '--help', '"q"', '$HOME', '-']
  const ran = await daemon.run(['run', '007', '--', process.execPath, '-e', show, '--', ...words], {
    env: { MINE: 'yes' },
  })
  t.same(JSON.parse(ran.stdout), [words, dir, '3000', null], 'its environment is what the daemon answers')
  t.match(ran, { code: 0, stderr: '' })
  t.match(daemon.last('/v1/services/one-off').body, {
    ...{ path: daemon.home, service: '007', env: { MINE: 'yes' } },
    ...{ argv: [process.execPath, '-e', show, '--', ...words], tty: false },
  })

  t.comment('without --')
  const bare = await daemon.run([
    'run',
    '--sandbox',
    'a',
    'web',
    '--sandbox=b',
    process.execPath,
    '-e',
    show,
    '--',
    ...words,
  ])
  t.same(JSON.parse(bare.stdout), [words, dir, '3000', null])
  t.match(daemon.last('/v1/services/one-off').body, { service: 'web' })

  daemon.on('POST /v1/services/one-off', json({ error: { code: 'UNKNOWN_SERVICE', message: 'no wbe' } }, 404))
  const unknown = await daemon.run(['run', 'wbe', 'npm', 'test', '--json'])
  t.match(unknown, { code: 2, stdout: '', stderr: 'Error: no wbe [UNKNOWN_SERVICE]\n' })

  t.comment('a service whose type runs commands in its own way')
  daemon.on('POST /v1/services/one-off', json({ dir, env, argv: ['echo', 'inside', 'x'], notRunning: [] }))
  t.match(await daemon.run(['run', 'web', 'ls']), { code: 0, stdout: 'inside x\n', stderr: '' })

  t.comment('a dependency that is not running')
  daemon.on('POST /v1/services/one-off', json({ dir, env, notRunning: ['shop:db'] }))
  t.match(await daemon.run(['run', 'web', 'echo', 'done']), { code: 0, stdout: 'done\n', stderr: /^$/ })
  t.match(await daemon.run(['run', 'web', '--', 'sh', '-c', 'echo refused; exit 3']), {
    ...{ code: 3, stdout: 'refused\n' },
    stderr: /^Note: db is not running; start it with `locald up db`\n$/,
  })
  t.match((await daemon.run(['run', 'shop:web', 'false'])).stderr, '`locald up shop:db`')
  daemon.on('POST /v1/services/one-off', json({ dir, env, notRunning: [] }))
  t.equal((await daemon.run(['run', 'web', '--', 'cat'], { input: 'through' })).stdout, 'through')
  writeFileSync(join(dir, 'script'), 'echo "$1"\n', { mode: 0o755 })
  t.equal((await daemon.run(['run', 'web', '--', './script', 'a b'])).stdout, 'a b\n', 'a script without #!')

  t.equal((await daemon.run(['run', 'web', '--', 'sh', '-c', 'exit 7'])).code, 7)
  t.equal((await daemon.run(['run', 'web', '--', 'sh', '-c', 'kill -9 $$'])).code, 137)
  const missing = await daemon.run(['run', 'web', '--', 'no-such-command', 'x'])
  t.match(missing, { code: 127, stderr: 'Error: command not found: no-such-command [SPAWN_FAILED]\n' })
  t.equal((await daemon.run(['run', 'web', '--', daemon.home])).code, 126)
  for (const [signal, code] of [
    ['TERM', 143],
    ['INT', 130],
  ] as const) {
    // The signal comes as soon as the command can: it is handled before the command starts.
    const script = `trap 'exit ${code}' TERM INT; kill -${signal} $PPID; for n in $(seq 200); do sleep 0.05; done`
    const stopped = await daemon.run(['run', 'web', '--', 'sh', '-c', script])
    t.equal(stopped.code, code, signal)
  }
})

t.test('run: Ctrl-C in a terminal reaches the command once', async t => {
  const { daemon } = await project(t)
  daemon.on('POST /v1/services/one-off', json({ dir: daemon.home, env: { PATH: process.env['PATH'] }, notRunning: [] }))
  const script = `let n = 0
    process.on('SIGINT', () => { console.log('got', ++n); setTimeout(() => process.exit(40 + n), 300) })
    setInterval(() => {}, 1000)
    console.log(process.stdin.isTTY ? 'up on a terminal' : 'up')`
  const screen = new Screen(t, daemon, ['run', 'web', '--', process.execPath, '-e', script])
  await screen.shows('up on a terminal')
  screen.press('\x03')
  t.equal(await screen.ends(), 'code 41, restored')
})
