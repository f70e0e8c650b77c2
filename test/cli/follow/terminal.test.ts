import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import t from 'tap'
import type { LocaldEvent } from '../../../kernel/events.ts'
import { shortHash } from '../../../kernel/system/paths.ts'
import { done, environment, FakeDaemon, json, main, state, stream, type Test, view } from '../fake-daemon.ts'

/**
 * Runs argv in a terminal of 80 columns, its keys from stdin and its screen to stdout, and says at its end on stderr how it
 * ended and whether the terminal is as before.
 */
const terminal = `
import fcntl, os, pty, select, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    # Here, as the parent may come to it only after the program has looked.
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
    os.execvp(sys.argv[1], sys.argv[1:])
keys = [0]
while True:
    ready, _, _ = select.select([fd] + keys, [], [])
    if 0 in ready:
        data = os.read(0, 1024)
        if data: os.write(fd, data)
        else: keys = []
    if fd in ready:
        try: data = os.read(fd, 65536)
        except OSError: break
        if not data: break
        os.write(1, data)
_, status = os.waitpid(pid, 0)
os.write(2, b'code %d' % os.waitstatus_to_exitcode(status))
`

/** As above, but the terminal is kept by a shell that tells its state afterwards. */
const shell =
  'trap : INT; stty -a > "$BEFORE"; "$@"; code=$?; stty -a > "$AFTER"; diff "$BEFORE" "$AFTER" >&2 && echo restored >&2; exit $code'

class Screen {
  text = ''
  state = ''
  readonly #child: ChildProcess
  readonly #changed: (() => void)[] = []

  constructor(t: Test, daemon: FakeDaemon, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const all = environment(daemon.home, {
      LOCALD_SOCKET: daemon.socket,
      TERM: 'xterm',
      BEFORE: `${daemon.home}/before`,
      AFTER: `${daemon.home}/after`,
      ...env,
    })
    const argv = ['-c', terminal, 'sh', '-c', shell, 'sh', process.execPath, main, ...args]
    this.#child = spawn('python3', argv, { cwd: daemon.home, env: all })
    // With the terminal gone, what runs in it gets SIGHUP.
    t.teardown(() => this.#child.kill('SIGKILL'))
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.text += text
      for (const look of this.#changed) look()
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.state += text
    })
  }

  press(keys: string): void {
    this.#child.stdin?.write(keys)
  }

  /** Resolves when the screen has shown the text. */
  async shows(text: string): Promise<void> {
    const timer = AbortSignal.timeout(20_000)
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (this.text.includes(text)) resolve()
      }
      this.#changed.push(look)
      timer.addEventListener('abort', () => reject(new Error(`never shown: ${text}\n${JSON.stringify(this.text)}`)))
      look()
    })
  }

  /** The exit code; the terminal must be as before. */
  async ends(): Promise<string> {
    await once(this.#child, 'close')
    return this.text.includes('restored') ? `${this.state}, restored` : `${this.state}\n${this.text}`
  }
}

const line = (text: string) =>
  `${JSON.stringify({ time: '2026-01-01T00:00:00.000001Z', service: 'shop:web', stream: 'stdout', text })}\n`

/** A daemon with a project that starts, logs until it is stopped, and stops. */
async function project(t: Test) {
  const daemon = await FakeDaemon.start(t)
  const logs: ServerResponse[] = []
  const events: ServerResponse[] = []
  const stopped = state('web', { status: 'stopped', health: null })
  const hello = line('\x1b[32mhello\x1b[39m')
  /** Last words, which are in the log before who follows it has them. */
  const late: string[] = []
  daemon
    .on('POST /v1/projects/up', stream(state('web', { status: 'starting' }), state('web'), done(view('web'))))
    .on('GET /v1/logs', (response, { query }) => {
      const first = query.has('resume') ? '' : hello
      if (query.get('follow') === null) return void response.end(`${first}${late.join('')}`)
      logs.push(response)
      response.write(first)
    })
    .on('GET /v1/events', response => {
      events.push(response)
      response.writeHead(200).flushHeaders()
    })
    .on('POST /v1/projects/stop', (response, asked) => {
      stream(state('web', { status: 'stopping' }), stopped, done())(response, asked)
      late.push(line('bye'))
    })
  return { daemon, logs, events, stopped, late }
}

t.test('up follows the logs; d detaches', async t => {
  const { daemon } = await project(t)
  const screen = new Screen(t, daemon, ['up'])
  await screen.shows('Press Ctrl-C to stop the project, d to detach')
  await screen.shows('\x1b[36mweb |\x1b[39m \x1b[32mhello\x1b[39m\x1b[0m')
  screen.press('xd')
  t.equal(await screen.ends(), 'code 0, restored')
  t.match(screen.text, 'Detached')
  t.match(screen.text, '\x1b[32mready\x1b[39m')
  t.notOk(daemon.asked.some(asked => asked.path === '/v1/projects/stop'))
  const since = Date.parse(daemon.last('/v1/logs').query.get('since') ?? '')
  t.ok(since <= Date.now() && since > Date.now() - 60_000)
})

t.test('Ctrl-C stops the project, its last words are shown', async t => {
  const { daemon } = await project(t)
  const screen = new Screen(t, daemon, ['up', 'web'])
  await screen.shows('hello')
  screen.press('\x03')
  t.equal(await screen.ends(), 'code 0, restored')
  t.match(screen.text, /Stopping… \(press Ctrl-C again to quit immediately\)[\s\S]*bye/)
  t.same(daemon.last('/v1/projects/stop').body, { path: daemon.home, services: ['web'] })
})

t.test('a second Ctrl-C leaves at once', async t => {
  const { daemon } = await project(t)
  daemon.on('POST /v1/projects/stop', response => void response.writeHead(200).flushHeaders())
  const screen = new Screen(t, daemon, ['up'])
  await screen.shows('hello')
  screen.press('\x03')
  await screen.shows('Stopping')
  screen.press('\x03')
  t.equal(await screen.ends(), 'code 130, restored')
})

t.test('Ctrl-C while it starts stops what was started', async t => {
  const { daemon } = await project(t)
  const events = [state('db'), state('web', { status: 'starting' }), state('queue', { status: 'waiting' })]
  daemon.on('POST /v1/projects/up', response => {
    for (const event of events) response.write(`${JSON.stringify(event)}\n`)
  })
  const screen = new Screen(t, daemon, ['up'])
  await screen.shows('waiting')
  screen.press('\x03')
  t.equal(await screen.ends(), 'code 130, restored')
  const { id } = Object(daemon.last('/v1/projects/up').body)
  t.same(daemon.last('/v1/projects/stop').body, { path: daemon.home, begunBy: id })
})

t.test('Ctrl-C between ready and the logs stops the project', async t => {
  const { daemon } = await project(t)
  for (let round = 0; round < 5; round++) {
    const ran = await daemon.run(['up', '--attach'], {
      started: child => child.stdout?.once('data', () => child.kill('SIGINT')),
    })
    t.match(ran, { code: 0, stderr: /Stopping… \(press Ctrl-C again to quit immediately\)/ })
  }
})

t.test('it ends when somebody else stops the project', async t => {
  const { daemon, events, stopped, late } = await project(t)
  const listens = new Promise<void>(resolve => daemon.whenAsked('/v1/events', resolve))
  const screen = new Screen(t, daemon, ['up'])
  await screen.shows('hello')
  await listens
  late.push(line('its last words'))
  events.at(-1)?.write(`${JSON.stringify(state('web', { status: 'restarting' }))}\n`)
  events.at(-1)?.write(`${JSON.stringify(stopped)}\n`)
  t.equal(await screen.ends(), 'code 0, restored')
  t.match(screen.text, /its last words[\s\S]*All services have stopped/)
  t.equal(screen.text.split('hello').length, 2, 'what was shown is not shown again')
})

t.test('it goes on with the next daemon', async t => {
  const { daemon, events, logs } = await project(t)
  const asked = (path: string) => new Promise<void>(resolve => daemon.whenAsked(path, resolve))
  const listens = asked('/v1/events')
  const screen = new Screen(t, daemon, ['up'])
  await screen.shows('hello')
  await listens
  const again = Promise.all([asked('/v1/logs'), asked('/v1/events')])
  logs.at(-1)?.destroy()
  events.at(-1)?.destroy()
  await again
  t.same(daemon.last('/v1/logs').query.getAll('resume'), [
    `2026-01-01T00:00:00.000001Z stdout ${shortHash('\x1b[32mhello\x1b[39m', 16)} 1 shop:web`,
  ])
  events.at(-1)?.write(`${JSON.stringify(state('web'))}\n`)
  logs.at(-1)?.write(line('said meanwhile'))
  await screen.shows('said meanwhile')
  screen.press('\x03')
  t.equal(await screen.ends(), 'code 0, restored')
  t.equal(screen.text.split('hello').length, 2, 'no line is shown twice')
  t.match(screen.text, /hello[^\n]*\n[^\n]*said meanwhile/, 'and nothing is said about it')
  t.match(screen.text, 'Stopping…')
})

t.test('what locald does is told between the lines of services', async t => {
  const { daemon, events, logs } = await project(t)
  const listens = new Promise<void>(resolve => daemon.whenAsked('/v1/events', resolve))
  const followed = daemon.run(['up', '--attach'])
  await listens
  const tell = (event: LocaldEvent) => void events.at(-1)?.write(`${JSON.stringify(event)}\n`)
  const api = { path: '/home/me/shop', port: null, url: null } as const
  tell(state('web'))
  tell(
    state('web', {
      status: 'restarting',
      health: null,
      pid: null,
      reason: 'exited with code 1; restarting in 0.1 s (attempt 1 of 5)',
    }),
  )
  tell(state('web', { status: 'starting', health: 'starting', pid: 77 }))
  tell(state('web', { pid: 77 }))
  tell(state('web', { status: 'restarting', health: null, pid: 77, reason: 'src/a.js changed' }))
  tell(state('web', { status: 'starting', health: 'starting', pid: 77 }))
  tell(state('web', { status: 'starting', health: 'starting', pid: 78 }))
  tell(state('web', { pid: 78, health: 'unhealthy', reason: 'GET / answered 500' }))
  tell({ event: 'warning', key: 'shop:web', message: 'it listens\x1b[2J on 5173', hint: 'use $PORT' })
  tell({ event: 'warning', path: '/home/me/shop', message: 'shop: not taken over:\nlocald.toml:3: no' })
  tell({ event: 'warning', path: '/home/me/other', message: 'other: not taken over' })
  tell(state('web', { key: 'other:web', path: '/home/me/other', status: 'failed' }))
  const reopened = new Promise<void>(resolve => daemon.whenAsked('/v1/logs', resolve))
  tell(state('batch', { ...api, status: 'waiting', reason: 'waiting for web' }))
  await reopened
  logs.at(-1)?.write(line('of the new stream'))
  tell({ event: 'removed', key: 'shop:batch' })
  tell(state('web', { status: 'failed', health: null, pid: null, reason: 'gave up after 5 crashes in 60 s' }))
  const { code, stdout, stderr } = await followed
  t.equal(code, 1, 'it ends as its services do')
  t.match(stdout, /^[\s\S]*web \| hello\nweb \| of the new stream\n$/)
  t.equal(
    stderr.slice(stderr.indexOf('locald |')),
    `locald | web exited with code 1; restarting in 0.1 s (attempt 1 of 5)
locald | web was started (pid 77)
locald | web is ready
locald | web is restarting: src/a.js changed
locald | web was started (pid 78)
locald | web is unhealthy: GET / answered 500
locald | warning: web: it listens on 5173 (use $PORT)
locald | warning: shop: not taken over:
locald | locald.toml:3: no
locald | batch is waiting for web
locald | batch was removed
locald | web failed: gave up after 5 crashes in 60 s
web failed: gave up after 5 crashes in 60 s
Error: service 'web' failed [SERVICE_FAILED]
Hint: Run \`locald why web\` or \`locald logs web\` for details.
`,
  )
})

t.test('signals without a terminal', async t => {
  const { daemon } = await project(t)
  const seen = (route: string) => new Promise<void>(resolve => daemon.whenAsked(route, resolve))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const followed = seen('/v1/events')
    const ran = await daemon.run(['up', '--attach', 'web'], {
      started: child => void followed.then(() => child.kill(signal)),
    })
    t.match(ran, {
      code: 0,
      stdout: /web \| hello\nweb \| bye\n/,
      stderr: /Press Ctrl-C to stop the project\nStopping/,
    })
    t.same(daemon.last('/v1/projects/stop').body, { path: daemon.home, services: ['web'] })
  }
  daemon.on('POST /v1/projects/up', response => {
    response.write(`${JSON.stringify(state('db', { status: 'starting' }))}\n`)
  })
  const ran = await daemon.run(['up'], {
    started: child => child.stderr?.once('data', () => child.kill('SIGINT')),
  })
  t.match(ran, { code: 130, stdout: '', stderr: /db {7}starting\nStopping what was started/ })
  const { id } = Object(daemon.last('/v1/projects/up').body)
  t.same(daemon.last('/v1/projects/stop').body, { path: daemon.home, begunBy: id })
})

t.test('nothing is followed where nothing runs on', async t => {
  const { daemon } = await project(t)
  daemon.on('POST /v1/projects/up', stream(done(view('seed', { status: 'exited', reason: 'exited with code 0' }))))
  const screen = new Screen(t, daemon, ['up'])
  t.equal(await screen.ends(), 'code 0, restored')
  t.notOk(daemon.asked.some(asked => asked.path === '/v1/logs'))
})

t.test('lines are redrawn in place, cut to the width, never in CI', async t => {
  const { daemon } = await project(t)
  const long = 'a reason that is much too long for a line of eighty columns, as reasons like to be'
  const steps = [
    state('web', { status: 'waiting', reason: long }),
    state('web', { status: 'starting' }),
    { event: 'warning', message: 'mind the gap' },
    { event: 'step', key: 'shop:web', text: 'pulling', progress: { done: 1, total: 2 } },
    state('web'),
  ]
  daemon.on('POST /v1/projects/up', response => {
    const next = () => {
      const event = steps.shift()
      if (event === undefined) response.end(`${JSON.stringify(done(view('web')))}\n`)
      else response.write(`${JSON.stringify(event)}\n`, () => setTimeout(next, 200))
    }
    next()
  })
  const screen = new Screen(t, daemon, ['up', '--detach'])
  t.equal(await screen.ends(), 'code 0, restored')
  t.match(screen.text, /\x1b\[1A\r\x1b\[2K[-\\|/] web/)
  t.match(screen.text, /warning.* mind the gap\r\n/)
  t.match(screen.text, 'pulling 50%')
  const drawn = screen.text.split('\r\n').map(text => text.replace(/\x1b\[[\d;]*[A-Za-z]|\r/g, ''))
  t.ok(
    drawn.every(text => text.length < 80),
    'no line wraps',
  )
  t.notOk(
    daemon.asked.some(asked => asked.path === '/v1/logs'),
    'it does not follow',
  )

  daemon.on('POST /v1/projects/up', stream(state('web', { status: 'starting' }), state('web'), done(view('web'))))
  const ci = new Screen(t, daemon, ['up'], { CI: 'true' })
  t.equal(await ci.ends(), 'code 0, restored')
  t.notMatch(ci.text, /\x1b\[\d*A/)
  const plain = new Screen(t, daemon, ['up', '--detach'], { NO_COLOR: '1', TERM: 'dumb' })
  t.equal(await plain.ends(), 'code 0, restored')
  t.notMatch(plain.text, '\x1b')
})

t.test('run in a terminal: Ctrl-C reaches the command once', async t => {
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

t.test('service reset asks on a terminal, and only there', async t => {
  const { daemon } = await project(t)
  const isAsked = () => daemon.asked.some(asked => asked.path === '/v1/services/reset')
  daemon
    .on('GET /v1/services/keys', json({ keys: ['shop:db'] }))
    .on('POST /v1/services/reset', stream(state('db'), done(view('db'))))
  for (const answer of ['\r', 'n\r', 'yep\r', '\x03', '\x04']) {
    const screen = new Screen(t, daemon, ['service', 'reset', 'db'])
    await screen.shows('Delete the data of shop:db and start it empty? [y/N] ')
    screen.press(answer)
    t.equal(await screen.ends(), 'code 1, restored', JSON.stringify(answer))
    t.match(screen.text, 'Nothing was changed')
  }
  t.notOk(isAsked(), 'no is the default')
  const screen = new Screen(t, daemon, ['service', 'reset', 'db'])
  await screen.shows('[y/N] ')
  screen.press('y\r')
  t.equal(await screen.ends(), 'code 0, restored')
  t.match(screen.text, 'Reset db')
  daemon.asked.splice(0)
  const sure = new Screen(t, daemon, ['service', 'reset', 'db', '-y'])
  t.equal(await sure.ends(), 'code 0, restored')
  t.match(await daemon.run(['service', 'reset', 'db']), { code: 0, stdout: 'Reset db\n' })
  t.notOk(daemon.asked.some(asked => asked.path === '/v1/services/keys'))
})
