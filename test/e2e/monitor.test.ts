/** `locald monitor` in a terminal, against a real daemon. */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { PseudoTerminal } from '../lib/pseudo-terminal.ts'
import { Sandbox } from '../lib/sandbox.ts'

const config = `
[project]
name = "talk"

[services.counter]
type = "worker"
command = "node counter.js"

[services.broken]
type = "worker"
command = "sh -c 'echo cannot connect; exit 3'"
restart = "no"
`

/** Prints numbered lines, and so many at once on a line of input. */
const counter = `
let count = 0
const print = () => console.log('数 ' + ++count)
setInterval(print, 200)
require('node:fs').watch(__dirname, (_, name) => {
  if (name === 'flood') for (let round = 0; round < 50; round++) setTimeout(() => {
    let text = ''
    for (let line = 0; line < 1000; line++) text += '\\x1b[32mflood\\x1b[0m ' + round + ' ' + line + '\\n'
    process.stdout.write(text)
  }, round * 50)
})
`

/** Prints 40,000 lines at once, of which four have a needle. */
const web = `
let text = ''
for (let line = 0; line < 40000; line++) text += (line % 10000 === 0 ? 'needle ' : 'line ') + line + '\\n'
process.stdout.write(text)
require('node:http').createServer((request, response) => {
  response.writeHead(418).end('authorization of length ' + (request.headers.authorization || '').length)
}).listen(process.env.PORT)
`

/** Starts the project. */
async function start(t: Test) {
  const sandbox = new Sandbox(t, { user: 'self' })
  const folder = sandbox.project('talk', { 'locald.toml': config, 'counter.js': counter })
  await sandbox.run(['up', '--detach'], { cwd: folder })
  return { sandbox, folder }
}

/** Starts the project, and the monitor in a terminal of that size. */
async function open(t: Test, size: { readonly columns: number; readonly rows: number }) {
  const { sandbox, folder } = await start(t)
  const argv = [process.execPath, sandbox.main, 'monitor']
  return { sandbox, folder, screen: new PseudoTerminal(t, argv, { cwd: folder, env: sandbox.env, ...size }) }
}

t.test('outlives a daemon that is killed, and shows each line once', async t => {
  const { sandbox, screen } = await open(t, { columns: 100, rows: 30 })
  await screen.shows(/▌ ▲ broken +Failed[^\n]*\n▌ +exited with code 3/)
  await screen.shows(/─ broken ─[^\n]*\n[^\n]*cannot connect/)
  screen.press('k')
  await screen.shows(/数 \d+\n[^\n]*数 \d+/)
  const { pid } = await sandbox.server()
  process.kill(pid, 'SIGKILL')
  await screen.shows(/daemon lost, last seen \d+ s ago/)
  t.match(screen.text, /● counter +Running/)
  await screen.shows(text => !text.includes('daemon lost') && text.includes('● counter'))
  t.not((await sandbox.server()).pid, pid)
  const numbers = () => [...screen.text.matchAll(/数 (\d+)$/gm)].map(([, number]) => Number(number))
  const seen = numbers().at(-1) ?? 0
  await screen.shows(() => (numbers().at(-1) ?? 0) > seen + 3)
  const shown = numbers()
  t.strictSame(
    shown,
    shown.map((_, index) => (shown[0] ?? 0) + index),
  )
  screen.press('q')
  t.same(await screen.exit, { code: 0, isRestored: true })
})

t.test('keys act while a service prints 20,000 lines a second', async t => {
  const { sandbox, folder, screen } = await open(t, { columns: 160, rows: 40 })
  await screen.shows(/▌ ▲ broken/)
  screen.press('k')
  await screen.shows(/▌ ● counter[\s\S]*数/)
  sandbox.write(join(folder, 'flood'), '')
  await screen.shows(/flood \d+ \d+/)
  const [frames, begunMs] = [countFrames(screen.output), Date.now()]
  screen.press('?')
  await screen.shows('─ keys ─')
  screen.press('\x1b')
  await screen.shows('flood 49 999')
  const seconds = (Date.now() - begunMs) / 1000
  const drawn = countFrames(screen.output) - frames
  t.ok(drawn <= 20 * seconds + 2, `${drawn} frames in ${seconds} s`)
  screen.press('sj')
  await screen.shows(/○ counter +Stopped/)
  screen.press('k')
  await screen.shows(/▌ ○ counter/)
  screen.press('s')
  await screen.shows(/▌ ● counter +Running/)
  screen.press('q')
  t.same(await screen.exit, { code: 0, isRestored: true })
})

t.test('is stopped by Ctrl-Z and continued by fg, in a shell', async t => {
  const { sandbox, folder } = await start(t)
  const argv = ['bash', '--norc', '--noprofile', '-i']
  const env = { ...sandbox.env, PS1: 'ready$ ' }
  const shell = new PseudoTerminal(t, argv, { cwd: folder, env, columns: 120 })
  await shell.shows('ready$')
  shell.press(`${process.execPath} ${sandbox.main} monitor\r`)
  await shell.shows('▌ ▲ broken')
  shell.press('\x1a')
  await shell.shows(/Stopped[\s\S]*ready\$/)
  t.notOk(shell.xterm.isAlternate)
  shell.press('fg\r')
  await shell.shows('▌ ▲ broken')
  t.ok(shell.xterm.isAlternate)
  shell.press('k')
  await shell.shows(/▌ ● counter/)
  shell.press('q')
  await shell.shows(/fg[\s\S]*ready\$/)
  // With `-b` the shell reports at once that it has exited: Node sets the mode of the terminal then.
  shell.press(`set -b; clear; ${process.execPath} ${sandbox.main} monitor &\r`)
  await shell.shows('runs in the background [USAGE]')
  await shell.shows(/Exit 2/)
  shell.press('exit\r')
  t.ok((await shell.exit).isRestored)
})

t.test('shows requests, replays one, and finds lines that only the log has', async t => {
  const sandbox = new Sandbox(t, { user: 'self' })
  const files = { 'locald.toml': '[project]\nname = "site"\n[services.web]\ncommand = "node web.js"', 'web.js': web }
  const folder = sandbox.project('site', files)
  await sandbox.run(['up', '--detach'], { cwd: folder })
  const argv = [process.execPath, sandbox.main, 'monitor']
  const screen = new PseudoTerminal(t, argv, { cwd: folder, env: sandbox.env, columns: 100, rows: 24 })
  await screen.shows(/▌ ● web +Running/)
  screen.press('i')
  await screen.shows('No requests yet')
  const answer = await sandbox.get('site.localhost', '/in?token=tellnoone&page=2', {
    authorization: 'Bearer tellnoone',
  })
  t.equal(answer.status, 418)
  await screen.shows(/▌ .*GET +418 \/in\?token=•+&page=2 +web +\d/)
  screen.press('r')
  await screen.shows(/Replayed GET \/in\?token=•+&page=2: 418/)
  screen.press('\r')
  await screen.shows(/418 I'm a Teapot from site:web[\s\S]*authorization of length 16/)
  t.notMatch(screen.output, 'tellnoone')
  screen.press('y')
  await screen.shows('Copied as curl')
  t.match(screen.xterm.copied[0], /^# without secret headers: authorization\ncurl 'http[^']*token=masked&page=2'/)
  t.notMatch(screen.xterm.copied[0], 'tellnoone')
  screen.press('qi')
  await screen.shows('line 39999')
  screen.press('/needle\r')
  await screen.shows(/“needle” 1 of \d older[\s\S]*line 29999\n[^\n]*needle 30000\n[^\n]*line 30001/)
  screen.press('n')
  await screen.shows(/“needle” 2 of 4 older[\s\S]*line 19999\n[^\n]*needle 20000\n[^\n]*line 20001/)
  screen.press('q')
  t.same(await screen.exit, { code: 0, isRestored: true })
})

t.test('without a daemon it says what to do, and starts none', async t => {
  const sandbox = new Sandbox(t, { user: 'self' })
  const argv = [process.execPath, sandbox.main, 'monitor']
  const screen = new PseudoTerminal(t, argv, { cwd: sandbox.home, env: sandbox.env })
  await screen.shows(/Nothing is running\.\n {2}Run `locald up`/)
  const folder = sandbox.project('talk', { 'locald.toml': config, 'counter.js': counter })
  t.equal(sandbox.processes().filter(({ command }) => command.includes('daemon.js')).length, 0)
  await sandbox.run(['up', '--detach'], { cwd: folder })
  await screen.shows(/● counter +Running/)
  screen.press('q')
  t.same(await screen.exit, { code: 0, isRestored: true })
})

function countFrames(output: string): number {
  return output.split('\x1b[?2026h').length - 1
}
