import { writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import t from 'tap'

import { done, folder, json, locald, state, stream, view } from '../fake-daemon.ts'
import { Scripted } from './scripted.ts'

const failed = { status: 'failed', health: null, pid: null, cpu: null, memory: null } as const
const shop = [
  view('web'),
  view('api', { ...failed, reason: 'exited with code 1: Error: connect ECONNREFUSED' }),
  view('日本語', { port: null, url: null, health: null }),
]

t.test('shows services with their states, and why one failed', async t => {
  const scripted = await Scripted.start(t, shop)
  scripted.past.push(scripted.line('api', '\x1b[31mError:\x1b[39m connect ECONNREFUSED\x1b[2J'))
  const screen = scripted.open([], { columns: 110, rows: 24 })
  await screen.shows('connect ECONNREFUSED\n')
  await screen.shows(/10:00|[0-9]{2}:00:00 Error: connect ECONNREFUSED$/m)
  t.match(screen.xterm.lines[0], /^ locald {2}shop +● 2 ready {2}▲ 1 failed$/)
  t.match(screen.text, /NAME +STATUS +HEALTH +PORT +CPU +MEM +UPTIME +URL/)
  t.match(screen.text, /^ {2}● web +Running +Healthy +3000 +1\.3% +45\.3M +3m +https:\/\/web\.shop\.localhost$/m)
  t.match(
    screen.text,
    /^▌ ▲ api +Failed +- +3000 .*\n▌ {3}exited with code 1: Error: connect ECONNREFUSED$/m,
    'selected',
  )
  t.match(screen.text, /^ {2}● 日本語 +Running +- +- /m)
  const row = screen.xterm.lines.findIndex(line => line.includes('▲ api'))
  t.equal(screen.xterm.style(2, row), '31', 'the shape of a failed service is red')
  const names = screen.xterm.lines.filter(line => line.includes('Running')).map(line => line.indexOf('Running'))
  t.strictSame(names, [18, 15], 'columns are aligned: three characters are six columns wide')
  screen.press('q')
  t.same(await screen.exit, { code: 0, isRestored: true })
  t.notOk(screen.xterm.isAlternate)
})

t.test('shows why a sleeping service is stopped, and of no other stopped one', async t => {
  const stopped = { status: 'stopped', health: null, pid: null, cpu: null, memory: null } as const
  const scripted = await Scripted.start(t, [
    view('db', { ...stopped, asleep: true, reason: 'idle for 15m; starts with what needs it' }),
    view('web', { ...stopped, reason: 'stopped by you' }),
  ])
  const screen = scripted.open()
  await screen.shows(/○ db +Stopped .*\n▌? +idle for 15m; starts with what needs it\n/)
  t.notMatch(screen.text, 'stopped by you')
  screen.press('q')
  await screen.exit
})

t.test('says nothing before it knows what runs, and that it connects where that takes long', async t => {
  const scripted = await Scripted.start(t, shop)
  scripted.isSilent = true
  const screen = scripted.open()
  await screen.shows(/locald[\s\S]*Connecting…/)
  t.notMatch(screen.output, 'Nothing is running')
  scripted.greet()
  await screen.shows(text => text.includes('▌ ▲ api') && !text.includes('Connecting'))
  screen.press('q')
  await screen.exit
})

t.test('the usage that the daemon sends is shown until the service exits', async t => {
  const scripted = await Scripted.start(t, shop)
  const screen = scripted.open([], { columns: 120 })
  await screen.shows(/● web .* 1\.3% +45\.3M/)
  scripted.push('usage', { services: [{ key: 'shop:web', cpu: 7, memory: 2 ** 30 }], daemon: { cpu: 0, memory: 0 } })
  await screen.shows(/● web .* 7\.0% +1\.0G/)
  scripted.send(state('web', { pid: 77, cpu: null, memory: null }))
  await screen.shows(/● web .* 7\.0% +1\.0G/)
  scripted.send(state('web', { status: 'stopped', health: null, pid: null, cpu: null, memory: null }))
  await screen.shows(/○ web +Stopped .* - +- +-/)
  t.notOk(scripted.daemon.asked.some(({ path }) => path === '/v1/services'))
  screen.press('q')
  await screen.exit
})

t.test('frames are whole, small, and none while nothing changes', async t => {
  const scripted = await Scripted.start(t, shop)
  const screen = scripted.open([], { columns: 120, rows: 40 })
  await screen.shows('● web')
  await screen.shows('No output yet.')
  screen.press('j')
  await screen.shows(/^▌ ● 日本語/m)
  await scripted.follows('日本語')
  const before = screen.output.length
  scripted.log('日本語', 'a new line')
  await screen.shows('a new line')
  const frame = screen.output.slice(before)
  t.match(frame, /^(?:\x1b\[\?2026h(?:(?!\x1b\[\?2026)[\s\S])*\x1b\[\?2026l)+$/, 'each between the marks')
  t.notMatch(frame, '\x1b[2J')
  t.ok(frame.length < 500, `${frame.length} bytes`)
  const quiet = screen.output.length
  const { length: asked } = scripted.daemon.asked
  await new Promise(wake => setTimeout(wake, 2500))
  t.equal(screen.output.length, quiet)
  t.equal(scripted.daemon.asked.length, asked, 'nor is anything asked for')
  screen.press('q')
  await screen.exit
})

t.test('keys restart, stop, start and explain the selected service', async t => {
  const scripted = await Scripted.start(t, shop)
  const { daemon } = scripted
  daemon
    .on('POST /v1/projects/restart', stream(state('api', { status: 'starting' }), done(view('api'))))
    .on('POST /v1/projects/stop', stream(state('web', { status: 'stopping' }), done()))
    .on('POST /v1/projects/up', stream({ event: 'done', ok: false, services: [view('api', failed)] }))
    .on('GET /v1/services/why', json({ key: 'shop:api', text: 'api failed: exited with code 1', because: ['because'] }))
  const screen = scripted.open()
  await screen.shows('▌ ▲ api')
  screen.press('r')
  await screen.shows('Restarted api')
  t.same(daemon.last('/v1/projects/restart').body, { path: '/home/me/shop', services: ['shop:api'] })
  screen.press('s')
  await screen.shows('api failed · See why with w.')
  t.same(daemon.last('/v1/projects/up').body, { path: '/home/me/shop', services: ['shop:api'] })
  screen.press('w')
  await screen.shows(/─ why api ─.*\n {2}api failed: exited with code 1\n {4}because/)
  screen.press('w\x1b[A')
  await screen.shows('▌ ● web')
  screen.press('s')
  await screen.shows('Stopped web · press s to start it')
  screen.press('?')
  await screen.shows(/j ↓ +Select the next service/)
  screen.press('q')
  await screen.shows('─ web ─')
  screen.press('\x03')
  t.same(await screen.exit, { code: 0, isRestored: true })
})

t.test('the log scrolls, stays while lines come, is searched and copied', async t => {
  const scripted = await Scripted.start(t, shop)
  for (let index = 1; index <= 100; index++) scripted.past.push(scripted.line('api', `line ${index} of Many`))
  const screen = scripted.open([], { columns: 90, rows: 24 })
  await screen.shows('line 100 of Many')
  await screen.shows(/─ api ─+ following ─/)
  screen.press('\x1b[5~')
  await screen.shows('paused')
  const shown = screen.xterm.lines.slice(8, 22)
  scripted.log('api', 'one', 'two', 'three')
  await screen.shows('3 new ↓')
  t.strictSame(screen.xterm.lines.slice(8, 22), shown, 'what is read does not move')
  screen.press('f')
  await screen.shows(/three$/m)
  screen.press('/LINE 5')
  await screen.shows('/ LINE 5')
  screen.press('\x7f\x7f\x7f\x7f\x7f\x7fline 5\r')
  await screen.shows('“line 5” 11 of 11 lines')
  await screen.shows('line 59 of Many')
  const row = screen.xterm.lines.findIndex(line => line.includes('line 59'))
  const column = screen.xterm.lines[row]?.indexOf('line 59') ?? 0
  t.strictSame(
    [5, 6].map(at => screen.xterm.style(column + at, row)),
    ['30;46', ''],
    'the hit is highlighted',
  )
  screen.press('nn')
  await screen.shows('“line 5” 9 of 11 lines')
  screen.press('N')
  await screen.shows('“line 5” 10 of 11 lines')
  screen.press('y')
  await screen.shows('Copied the line')
  t.same(screen.xterm.copied, ['line 58 of Many\n'])
  screen.press('&')
  await screen.shows(/only “line 5”/)
  t.notMatch(screen.text, 'line 60')
  screen.press('\x1b')
  await screen.shows(text => !text.includes('only'))
  screen.press('fy')
  await screen.shows('Copied 50 lines')
  t.match(screen.xterm.copied[1], /^line 54 of Many\n[\s\S]*three\n$/)
  screen.press('Y')
  await screen.shows('Copied https://api.shop.localhost')
  t.equal(screen.xterm.copied[2], 'https://api.shop.localhost')
  screen.press('q')
  await screen.exit
})

t.test('fits 40x10 to 200x60, and asks for more below that', async t => {
  const scripted = await Scripted.start(t, shop)
  scripted.past.push(scripted.line('api', 'x'.repeat(300)))
  const screen = scripted.open([], { columns: 40, rows: 10 })
  await screen.shows('▌ ▲ api')
  await screen.shows('xxxxx')
  t.equal(screen.xterm.lines.length, 10)
  await screen.resize(200, 60)
  await screen.shows(/▲ api .*│ /)
  t.match(screen.text, /│ ─ api ─/, 'the log is beside the list')
  await screen.resize(30, 8)
  await screen.shows('30x8 is too small:')
  await screen.resize(40, 10)
  await screen.shows(text => text.includes('▌ ▲ api') && !text.includes('small') && !text.includes('│'))
  screen.press('q')
  t.same(await screen.exit, { code: 0, isRestored: true })
})

t.test('text that is pasted is no command', async t => {
  const scripted = await Scripted.start(t, shop)
  const screen = scripted.open()
  await screen.shows('▌ ▲ api')
  screen.press('\x1b[200~srq\x1b[201~/\x1b[200~pasted\nwords\x1b[201~')
  await screen.shows('/ pasted words')
  screen.press('\x1b')
  await screen.shows('? help')
  t.notOk(scripted.daemon.asked.some(({ method }) => method === 'POST'))
  screen.press('q')
  await screen.exit
})

t.test('a lost daemon is shown with what was last known, and comes back', async t => {
  const scripted = await Scripted.start(t, shop)
  scripted.past.push(scripted.line('api', 'an old line'))
  const screen = scripted.open()
  await screen.shows('an old line')
  const asked = new Promise<void>(resolve => scripted.daemon.whenAsked('/v1/logs', resolve))
  scripted.breakStreams()
  await screen.shows(/daemon lost, last seen \d s ago · reconnecting/)
  t.match(screen.text, '● web')
  t.equal(screen.xterm.style(4, 2), '90', 'grey')
  await asked
  await screen.shows(text => !text.includes('lost'))
  scripted.log('api', 'a line of the next daemon')
  await screen.shows(/an old line\n.*a line of the next daemon/)
  screen.press('q')
  t.same(await screen.exit, { code: 0, isRestored: true })
})

t.test('signals and a closed terminal end it, and restore the terminal', async t => {
  const scripted = await Scripted.start(t, shop)
  for (const [signal, code] of [
    [1, -1],
    [2, 130],
    [3, 131],
    [15, 143],
  ] as const) {
    const screen = scripted.open()
    await screen.shows('▌ ▲ api')
    screen.signal(signal)
    t.same(await screen.exit, { code, isRestored: true })
    t.notOk(screen.xterm.isAlternate)
    t.match(screen.output, /\x1b\[\?25h\x1b\[\?1049l$/)
  }
  const screen = scripted.open()
  await screen.shows('▌ ▲ api')
  screen.hangUp()
  t.equal((await screen.exit).code, -1, 'SIGHUP')
})

t.test('an internal error is printed after the terminal was restored', async t => {
  const scripted = await Scripted.start(t, shop)
  const file = join(scripted.daemon.home, 'throws.cjs')
  writeFileSync(file, "process.on('SIGUSR2', () => { process.stderr.write('held\\n'); throw new Error('broken') })")
  const screen = scripted.open([], { env: { NODE_OPTIONS: `--require ${file}` } })
  await screen.shows('▌ ▲ api')
  screen.signal(constants.signals.SIGUSR2)
  t.same(await screen.exit, { code: 1, isRestored: true })
  t.notOk(screen.xterm.isAlternate)
  t.match(screen.text, /^held\nError: internal error: broken \[INTERNAL\]\nHint: /)
})

t.test('without colours, states are words and shapes', async t => {
  const scripted = await Scripted.start(t, shop)
  const screen = scripted.open([], { env: { NO_COLOR: '1' } })
  await screen.shows('▌ ▲ api')
  t.notMatch(screen.output, /\x1b\[[\d;]*(?:3[0-7]|9[0-7])m/)
  screen.press('q')
  await screen.exit
})

t.test('without a terminal it is an error with a hint', async t => {
  const ran = await locald(['monitor'], { home: folder(t) })
  t.match(ran, { code: 2, stdout: '', stderr: /needs a terminal \[USAGE\]\nHint: Run `locald status`/ })
  for (const alias of ['tui', 'top'])
    t.match(await locald([alias], { home: folder(t) }), { code: 2, stderr: /monitor/ })
})
