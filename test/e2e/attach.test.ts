/** `locald attach` in terminals, against a real daemon. */
import { constants } from 'node:os'
import t, { type Test } from 'tap'
import { PseudoTerminal } from '../lib/pseudo-terminal.ts'
import { Sandbox } from '../lib/sandbox.ts'

/** Asks, and says what it was answered; `bytes`: prints what it is sent, until `q`. */
const ask = `
process.stdout.write('\\x1b[32mgo on?\\x1b[39m (y/N) ')
process.stdin.setEncoding('latin1').on('data', text => {
  for (const line of text.split(/\\r?\\n/)) if (line !== '') console.log('got ' + line + ' 日本 ✅ |')
})
process.on('SIGINT', () => console.log('interrupted'))
`

/** Switches on all that a program may leave, and all that would reach beyond it, when it gets a line. */
const hostile = `
const { stdin, stdout } = process
stdout.write('ready\\n')
stdin.setRawMode(true)
let got = ''
stdin.on('data', data => {
  const text = data.toString('latin1')
  if (text === 'g') stdout.write([
    '\\x1b]52;c;aGVsbG8=\\x07', '\\x1b]0;title\\x07', '\\x1b[21t', '\\x1b[c', '\\x1b[6n', '\\x1b[>q', '\\x1b[5i',
    '\\x1b[?1049h', '\\x1b[?1000h', '\\x1b[?1006h', '\\x1b[?2004h', '\\x1b[?1h', '\\x1b=', '\\x1b[?1004h', '\\x1b[?25l',
    '\\x1b(0', '\\x0e', '\\x1b[2;3r', '\\x1b[?6h', '\\x1b[?7l', '\\x1b[4h', '\\x1b[5 q', '\\x1b[Hfull',
  ].join(''))
  else {
    got += text
    stdout.write('\\x1b[4l\\x1b[?6l\\x1b[r\\x1b[5;1H\\x1b(B\\x0f' + JSON.stringify(got))
  }
})
`

const config = `
[project]
name = "att"

[services.ask]
type = "worker"
command = "exec node ask.js"

[services.hostile]
type = "worker"
command = "exec node hostile.js"

[services.lines]
type = "worker"
command = "seq 1 60; exec cat"

[services.size]
type = "worker"
command = "trap 'stty size' WINCH; stty size; while :; do sleep 0.05; done"

[services.page]
type = "worker"
command = "seq 1 500 > page.txt; exec less page.txt"

[services.pipe]
type = "worker"
tty = false
command = "echo piped; exec sleep 1000"

[services.once]
type = "worker"
restart = "no"
command = "echo bye; exit 3"
`

const sandbox = new Sandbox(t, { user: 'self' })
const folder = sandbox.project('att', { 'locald.toml': config, 'ask.js': ask, 'hostile.js': hostile })

t.before(async () => {
  await sandbox.run(['up', '--detach'], { cwd: folder })
})

function attach(t: Test, service: string, size: { readonly columns?: number; readonly rows?: number } = {}) {
  const argv = [process.execPath, sandbox.main, 'attach', service]
  return new PseudoTerminal(t, argv, { cwd: folder, env: sandbox.env, ...size })
}

/** Ctrl-] */
const leave = '\x1d'
const clean = { code: 0, isRestored: true }

t.test('answers a prompt; Ctrl-C is for the program, Ctrl-] leaves', async t => {
  const screen = attach(t, 'ask')
  await screen.shows(/go on\? \(y\/N\)[\s\S]*Attached to ask · Ctrl-\] leaves/)
  screen.press('yes\r')
  await screen.shows(/^go on\? \(y\/N\) yes\ngot yes 日本 ✅ \|$/m)
  t.notMatch(screen.text, 'Attached to ask ·', 'the first key removes the message')
  t.equal(screen.xterm.style(0, 0), '32')
  screen.press('\x03')
  await screen.shows('interrupted')
  screen.press(leave)
  t.same(await screen.exit, clean)
  t.match(screen.text, /got yes[\s\S]*interrupted\nDetached from ask\n/)
  t.match(screen.output, 'Attached to ask; press Ctrl-] to leave')
})

t.test('two see the same and both type', async t => {
  const [one, two] = [attach(t, 'lines', { rows: 30 }), attach(t, 'lines', { columns: 60, rows: 20 })]
  await Promise.all([one.shows(/60\n/), two.shows(/60\n/)])
  one.press('from one\r')
  await two.shows('from one\nfrom one')
  two.press('from two\r')
  await one.shows('from two\nfrom two')
  const lines = Array.from({ length: 40 }, (_, index) => String(index + 1))
  const above = two.xterm.above.filter(line => line !== '')
  t.same(
    above.slice(0, 41),
    ['Attached to lines; press Ctrl-] to leave', ...lines],
    'older lines are in the scrollback',
  )
  two.press(leave)
  t.same(await two.exit, clean)
  one.press(leave)
  t.same(await one.exit, clean)
})

t.test('the program follows the size of the smallest', async t => {
  const one = attach(t, 'size', { columns: 100, rows: 30 })
  await one.shows('30 100')
  const two = attach(t, 'size', { columns: 60, rows: 40 })
  await one.shows('30 60')
  await two.resize(50, 20)
  await one.shows('20 50')
  two.press(leave)
  t.same(await two.exit, clean)
  await one.shows(/20 50\n30 100/)
  await one.resize(90, 25)
  await one.shows('25 90')
})

t.test('a full screen is on the alternate screen, and removed on leaving', async t => {
  const screen = attach(t, 'page', { columns: 40, rows: 10 })
  await screen.shows(/^1\n2\n3\n/)
  t.ok(screen.xterm.isAlternate)
  screen.press('G')
  await screen.shows(/499\n500\n/)
  screen.press('/42\r')
  screen.press('g')
  await screen.shows(/^1\n/)
  screen.press(leave)
  t.same(await screen.exit, clean)
  t.notOk(screen.xterm.isAlternate)
  t.match(screen.text, 'Detached from page')
})

t.test('nothing of hostile output reaches the terminal, and all modes are restored', async t => {
  const screens = [attach(t, 'hostile'), attach(t, 'hostile')] as const
  const [one, two] = screens
  await Promise.all(screens.map(screen => screen.shows('ready')))
  one.press('g')
  await Promise.all(screens.map(screen => screen.shows('full')))
  one.press('x')
  // The answers to the queries come once, from the daemon.
  await two.shows('"\\u001b[?1;2c\\u001b[2;1Rx"')
  t.ok(one.xterm.isAlternate)
  t.match(one.output, '\x1b[?1000h')
  t.match(one.output, '\x1b[?1006h')
  for (const screen of screens) {
    for (const foreign of ['\x1b]', '\x1b[21t', '\x1b[c', '\x1b[6n', '\x1b[>q', '\x1b[5i', '\x1b(0', '\x0e', '\x1b[4h'])
      t.notOk(screen.output.includes(foreign), JSON.stringify(foreign))
  }
  two.press(leave)
  t.same(await two.exit, clean)
  one.signal(constants.signals.SIGTERM)
  t.same(await one.exit, { code: 143, isRestored: true })
  for (const { output, xterm } of screens) {
    for (const mode of ['1000', '1006', '2004', '1', '1004', '1049'])
      t.ok(output.lastIndexOf(`\x1b[?${mode}l`) > output.lastIndexOf(`\x1b[?${mode}h`), mode)
    t.ok(output.lastIndexOf('\x1b>') > output.lastIndexOf('\x1b='))
    t.ok(output.lastIndexOf('\x1b[0 q') > output.lastIndexOf('\x1b[5 q'))
    t.ok(output.lastIndexOf('\x1b[?25h') > output.lastIndexOf('\x1b[?25l'), 'the cursor is shown')
    t.notOk(xterm.isAlternate)
  }
})

t.test('a terminal that is closed leaves the service running', async t => {
  const screen = attach(t, 'lines')
  await screen.shows('60')
  screen.hangUp()
  t.equal((await screen.exit).code, -constants.signals.SIGHUP)
  t.equal((await sandbox.service(folder, 'lines')).status, 'running')
})

t.test('shows a service without a terminal, and takes no text', async t => {
  const screen = attach(t, 'pipe')
  await screen.shows(/^piped\n[\s\S]*pipe has no terminal: nothing can be typed/)
  screen.press('\x03')
  t.same(await screen.exit, clean)
})

t.test('stays through a restart, and exits with 0 when the service stops', async t => {
  const screen = attach(t, 'ask')
  await screen.shows('go on?')
  await sandbox.ok(['restart', 'ask'], { cwd: folder })
  await screen.shows(/\[terminated by SIG[A-Z]+\]\ngo on\?/)
  screen.press('again\r')
  await screen.shows('got again')
  await sandbox.ok(['stop', 'ask'], { cwd: folder })
  t.same(await screen.exit, clean)
  t.match(screen.text, /\nask stopped/)
  await sandbox.ok(['up', '--detach', 'ask'], { cwd: folder })
})

t.test('continues with the next daemon, also when one is killed', async t => {
  const screen = attach(t, 'ask')
  await screen.shows('go on?')
  process.kill((await sandbox.server()).pid, 'SIGKILL')
  await screen.shows('Lost connection to the daemon')
  await screen.shows(text => text.includes('go on?') && !text.includes('Lost connection'))
  screen.press('one\r')
  await screen.shows('got one')
  await sandbox.ok(['server', 'restart'])
  screen.press('two\r')
  await screen.shows('got two')
  screen.press(leave)
  t.same(await screen.exit, clean)
})

t.test('the key a of an attached up shows one service, and comes back to the logs', async t => {
  const argv = [process.execPath, sandbox.main, 'up', 'ask', 'lines']
  const screen = new PseudoTerminal(t, argv, { cwd: folder, env: sandbox.env, columns: 120 })
  await screen.shows('? for more keys')
  screen.press('a')
  await screen.shows('attach to (Esc: none):')
  screen.press(/(\d) lines/.exec(screen.text)?.[1] ?? '')
  await screen.shows('Attached to lines ·')
  screen.press('typed in up\r')
  await screen.shows(/^typed in up\ntyped in up$/m)
  screen.press(leave)
  await screen.shows('lines | typed in up')
  screen.press('d')
  t.same(await screen.exit, clean)
  t.match(screen.text, /Detached from lines\n(?:.*\n)*lines \| typed in up\n(?:.*\n)*Detached\./)
})

t.test('refuses what it cannot attach to', async t => {
  const without = await sandbox.run(['attach', 'ask'], { cwd: folder })
  t.match(without, { code: 2, stderr: /attaching needs a terminal[\s\S]*locald logs ask -f/ })
  const stopped = attach(t, 'once', { columns: 120 })
  t.same(await stopped.exit, { code: 1, isRestored: true })
  t.match(stopped.text, /service 'once' is failed/)
  const unknown = attach(t, 'asc', { columns: 120 })
  t.same(await unknown.exit, { code: 2, isRestored: true })
  t.match(unknown.text, /asc/)
})
