import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { waitForShutdown } from '../../../cli/daemon/start.ts'
import { addressFile } from '../../../kernel/system/daemon-address.ts'
import { resolvePaths } from '../../../kernel/system/paths.ts'
import { folder, locald, type Test } from '../fake-daemon.ts'

/** flock(1), which macOS has not: what it runs inherits the file. */
const flock = `perl -MFcntl=:flock -e '$^F = 255; open(F, ">>", shift) && flock(F, LOCK_EX | LOCK_NB) or exit 75; exec @ARGV'`

/** Stands for the keeper: `lock FILE -- …` runs the scripted daemon under an exclusive lock, exit code 75 when it is held. */
const keeper = `#!/bin/sh
test "$LOCALD_FAKE_MODE" != killed || kill -9 $$
printf '%s\\n' "$*" >> "$HOME/keeper"
lock=$2; shift 3
test "$2" = lock && exec ${flock} "$lock" "$@"
exec ${flock} "$lock" "$1" "$HOME/daemon.mjs"
`

const daemon = `
import { appendFileSync, closeSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { createServer } from 'node:http'
const { HOME, LOCALD_FAKE_MODE, LOCALD_SANDBOX, ...others } = process.env
appendFileSync(HOME + '/daemons', process.pid + '\\n')
appendFileSync(HOME + '/facts', JSON.stringify({ cwd: process.cwd(), sandbox: LOCALD_SANDBOX }) + '\\n')
console.error('a line of', process.pid)
if (LOCALD_FAKE_MODE === 'dies') process.exit(3)
if (LOCALD_FAKE_MODE === 'hangs') await new Promise(resolve => setTimeout(resolve, 1_000_000))
if (LOCALD_FAKE_MODE === 'refuses') {
  writeSync(3, JSON.stringify({ ok: false, error: { code: 'PATHS_UNUSABLE', message: 'no room', hint: 'Make some.' } }) + '\\n')
  process.exit(1)
}
const socket = others.LOCALD_FAKE_SOCKET
appendFileSync(HOME + '/environment', Object.keys(others).join(' ') + '\\n')
if (others.LOCALD_FAKE_PORT) {
  const port = createServer().listen(Number(others.LOCALD_FAKE_PORT), '127.0.0.1')
  const word = await new Promise(resolve => port.once('listening', () => resolve('free')).once('error', ({ code }) => resolve(code)))
  appendFileSync(HOME + '/port', word + '\\n')
  port.close()
}
rmSync(socket, { force: true })
let isClosing = false
const server = createServer(async (request, response) => {
  let text = ''
  for await (const piece of request) text += piece
  const answer = (value, status = 200) => {
    const body = JSON.stringify(value)
    response.writeHead(status, { 'content-length': Buffer.byteLength(body) }).end(body)
  }
  if (request.url === '/v1/server') return answer({ pid: process.pid, socket, http: null, https: null, version: '0', startedAt: '' })
  if (isClosing) return answer({ error: { code: 'DAEMON_CLOSING', message: 'it is ending' } }, 503)
  if (LOCALD_FAKE_MODE === 'mute' && request.url === '/v1/projects/up') return process.kill(process.pid, 'SIGKILL')
  if (LOCALD_FAKE_MODE === 'dying' && request.url.startsWith('/v1/services')) return process.kill(process.pid, 'SIGKILL')
  if (request.url.startsWith('/v1/services')) return answer({ services: [] })
  if (request.url === '/v1/server/shutdown') {
    appendFileSync(HOME + '/facts', text + '\\n')
    isClosing = true
    response.write(JSON.stringify({ event: 'done', ok: true, services: [] }) + '\\n')
    // The socket goes first, the lock with the process.
    setTimeout(() => server.close(), 200)
    setTimeout(() => process.exit(), 1200)
    return response.end()
  }
  response.end(JSON.stringify({ event: 'done', ok: true, services: [] }) + '\\n')
})
setTimeout(() => server.listen(socket, () => {
  writeSync(3, '{"ok":true}\\n')
  if (LOCALD_FAKE_MODE === 'short' && readFileSync(HOME + '/daemons', 'utf8').split('\\n').length === 2) {
    rmSync(socket)
    process.exit()
  }
  closeSync(3)
}), 100)
setTimeout(() => process.exit(), 60000)
`

/** Programs for another processor, as libuv tells of them on macOS: it has no name for EBADARCH. */
const ofOtherProcessors = `
const programs = require('node:child_process')
const { spawn } = programs
programs.spawn = (program, ...rest) => {
  const child = spawn('/none', ...rest)
  const emit = child.emit.bind(child)
  const error = new Error('spawn ' + program + ' Unknown system error -86')
  child.emit = (name, ...values) => emit(name, ...(name === 'error' ? [error] : values))
  return child
}
require('node:module').syncBuiltinESMExports()
`

interface Place {
  readonly home: string
  readonly run: (args: readonly string[], env?: Readonly<Record<string, string>>) => ReturnType<typeof locald>
  readonly lines: (file: string) => readonly string[]
}

function place(t: Test): Place {
  const home = folder(t)
  const socket = join(home, 'run', 'locald', 'locald.sock')
  mkdirSync(join(home, 'native'))
  writeFileSync(join(home, 'native', 'locald-keeper'), keeper)
  chmodSync(join(home, 'native', 'locald-keeper'), 0o755)
  writeFileSync(join(home, 'daemon.mjs'), daemon)
  const lines = (file: string) =>
    existsSync(join(home, file)) ? readFileSync(join(home, file), 'utf8').trimEnd().split('\n') : []
  t.teardown(() => lines('daemons').forEach(end))
  return { home, lines, run: (args, env) => locald(args, { home, env: { LOCALD_FAKE_SOCKET: socket, ...env } }) }
}

function end(pid: string): void {
  try {
    process.kill(Number(pid), 'SIGKILL')
  } catch {
    // It has ended.
  }
}

t.test('the first command starts the daemon, the next finds it', async t => {
  const { home, lines, run } = place(t)
  t.match(await run(['up']), { code: 0, stderr: '' })
  t.match(await run(['up']), { code: 0, stderr: '' })
  t.equal(lines('daemons').length, 1)
  const [asked = '', then = ''] = lines('keeper')
  t.match(asked, `lock ${home}/data/locald/daemon.lock -- ${home}/native/locald-keeper ${then}`)
  t.match(then, new RegExp(`^lock ${home}/run/locald/daemon.lock -- ${process.execPath} .*/dist/kernel/daemon.js$`))
  t.same(JSON.parse(lines('facts')[0] ?? ''), { cwd: '/' })
  t.match(readFileSync(join(home, 'data', 'locald', 'daemon.log'), 'utf8'), /^a line of \d+\n$/)

  t.comment('it was killed: its socket is left behind')
  lines('daemons').forEach(end)
  t.match(await run(['server', 'start']), { code: 0, stdout: /^Daemon is running \(pid \d+\)\n$/ })
  t.equal(lines('daemons').length, 2)
})

t.test('it lives in an environment of its own, not in that of the shell that came first', async t => {
  const { lines, run } = place(t)
  const others = {
    PGHOST: 'db',
    NODE_OPTIONS: '--no-warnings',
    NODE_ENV: 'x',
    npm_config_prefix: '/x',
    TOKEN: 'x',
    NODE_V8_COVERAGE: '/dev/null',
  }
  const kept = { LC_ALL: 'C.UTF-8', HTTPS_PROXY: 'http://proxy', NODE_EXTRA_CA_CERTS: '/dev/null', DISPLAY: ':0' }
  t.match(await run(['up'], { ...others, ...kept }), { code: 0 })
  const names = new Set(lines('environment')[0]?.split(' '))
  t.strictSame(
    Object.keys(others).filter(name => names.has(name)),
    [],
  )
  t.strictSame(
    Object.keys(kept).filter(name => !names.has(name)),
    [],
  )
})

t.test('the port of a debugger that NODE_OPTIONS opens is free while a command runs', async t => {
  const { lines, run } = place(t)
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  const port = typeof address === 'object' && address !== null ? String(address.port) : ''
  await new Promise(resolve => probe.close(resolve))
  const ran = await run(['up'], { NODE_OPTIONS: `--inspect=127.0.0.1:${port}`, LOCALD_FAKE_PORT: port })
  t.match(ran, { code: 0, stderr: `127.0.0.1:${port}/` })
  t.strictSame(lines('port'), ['free'])
})

t.test('a shell with another runtime folder finds the daemon of the same data folder', async t => {
  const { home, lines, run } = place(t)
  t.match(await run(['up']), { code: 0 })
  const runtime = join(home, 'run', 'locald')
  const socket = join(runtime, 'locald.sock')
  const file = join(home, 'data', 'locald', 'daemon.json')
  const { version }: { version: string } = JSON.parse((await run(['--version', '--json'])).stdout)
  writeFileSync(file, JSON.stringify({ pid: Number(lines('daemons')[0]), version, runtime, socket }))
  for (const other of [{ XDG_RUNTIME_DIR: join(home, 'other') }, { XDG_RUNTIME_DIR: '', TMPDIR: join(home, 'tmp') }]) {
    t.match(await run(['up'], other), { code: 0, stderr: '' })
    t.match(await run(['server', 'status', '--json'], other), { code: 0, stdout: socket })
  }
  t.equal(lines('daemons').length, 1)
  t.comment('it has ended: the next one is started where it was')
  lines('daemons').forEach(end)
  t.match(await run(['up'], { XDG_RUNTIME_DIR: join(home, 'other') }), { code: 0, stderr: '' })
  t.match(lines('keeper').at(-1), `lock ${runtime}/daemon.lock`)
})

t.test('a shutdown stops what a killed daemon left', async t => {
  const { home, lines, run } = place(t)
  t.match(await run(['server', 'shutdown']), { code: 0, stdout: 'Daemon is not running\n' })
  mkdirSync(join(home, 'data', 'locald', 'running', 'projects', 'shop'), { recursive: true })
  t.match(await run(['server', 'shutdown', '--pid=1']), { code: 0, stdout: /^No daemon with pid 1 is running\n$/ })
  t.equal(lines('daemons').length, 0, 'another one is not meant')
  t.match(await run(['server', 'shutdown']), { code: 0, stdout: 'Daemon stopped\n' })
  t.same(JSON.parse(lines('facts').at(-1) ?? ''), { keepServices: false })
})

t.test('twenty at once: one daemon', async t => {
  const { lines, run } = place(t)
  const all = await Promise.all(Array.from({ length: 20 }, () => run(['up', '--json'])))
  t.same(
    new Set(all.map(ran => ran.stdout + ran.stderr + ran.code)),
    new Set(['{"event":"done","ok":true,"services":[]}\n0']),
  )
  t.equal(lines('daemons').length, 1)
})

t.test('a sandbox has a daemon of its own', async t => {
  const { home, lines, run } = place(t)
  const socket = join(home, 'data', 'locald', 'sandboxes', 'a-1', 'run', 'locald.sock')
  t.match(await run(['--sandbox', 'a-1', 'up'], { LOCALD_FAKE_SOCKET: socket }), { code: 0, stderr: '' })
  t.match(JSON.parse(lines('facts')[0] ?? ''), { sandbox: 'a-1' })
})

t.test('a daemon that does not start', async t => {
  const { home, run } = place(t)
  const log = join(home, 'data', 'locald', 'daemon.log')
  const died = await run(['up'], { LOCALD_FAKE_MODE: 'dies' })
  t.equal(died.code, 1)
  t.match(
    died.stderr,
    /^Error: the daemon failed to start: exited with code 3 \[DAEMON_START\]\n {2}\| a line of \d+\nHint: Check its log: /,
  )
  const again = await run(['up'], { LOCALD_FAKE_MODE: 'dies' })
  t.equal(again.stderr.split('a line of').length, 2, 'only what this start wrote')
  t.match(readFileSync(log, 'utf8'), /^(a line of \d+\n){2}$/)
  const killed = await run(['up'], { LOCALD_FAKE_MODE: 'killed' })
  t.match(
    killed.stderr,
    /locald-keeper was killed by SIGKILL without output \[DAEMON_START\]\nHint: .*codesign --verify/,
  )
  t.match(await run(['up'], { LOCALD_FAKE_MODE: 'refuses' }), {
    code: 1,
    stderr: 'Error: no room [PATHS_UNUSABLE]\nHint: Make some.\n',
  })
  t.match(await run(['up'], { LOCALD_FAKE_MODE: 'hangs', LOCALD_START_TIMEOUT: '1' }), {
    code: 1,
    stderr: /^Error: the daemon failed to start: timed out after 1 s \[DAEMON_START\]/,
  })
  t.match(await run(['up'], { LOCALD_START_TIMEOUT: 'soon' }), {
    code: 2,
    stderr: /LOCALD_START_TIMEOUT 'soon'.*USAGE/,
  })
  for (const wrong of ['soon', '65536', '-1', '80.5']) {
    const told = await run(['up'], { LOCALD_HTTPS_PORT: wrong })
    t.match(told, { code: 2, stderr: `LOCALD_HTTPS_PORT '${wrong}' is not a port [USAGE]` })
  }
  const doctor = await run(['doctor'], { LOCALD_FAKE_MODE: 'refuses' })
  t.match(doctor, {
    code: 1,
    stdout: /fail {2}daemon: no room \(critical\)[\s\S]*To fix:\n {2}Make some\.\n/,
    stderr: '',
  })
  writeFileSync(join(home, 'native', 'locald-keeper'), '#!/none/sh\n')
  t.match((await run(['up'])).stderr, /^Error: the daemon failed to start: .* \[DAEMON_START\]/)
  writeFileSync(join(home, 'spawn.cjs'), ofOtherProcessors)
  const wrong = await run(['up'], { NODE_OPTIONS: `--require=${join(home, 'spawn.cjs')}` })
  t.match(wrong.stderr, /^Error: .*locald-keeper is for another processor architecture \[KEEPER_MISSING\]\nHint: .*npm/)
})

t.test('shutdown and restart', async t => {
  const { lines, run } = place(t)
  await run(['up'])
  t.match(await run(['server', 'shutdown']), { code: 0, stdout: 'Daemon stopped\n' })
  t.same(JSON.parse(lines('facts')[1] ?? ''), { keepServices: false })
  t.comment('its lock is still held')
  t.match(await run(['up']), { code: 0, stderr: '' })
  t.equal(lines('daemons').length, 2)
  t.match(await run(['server', 'restart']), { code: 0, stdout: /^Daemon restarted \(pid \d+\)\n$/ })
  t.same(JSON.parse(lines('facts')[3] ?? ''), { keepServices: true })
  t.equal(lines('daemons').length, 3)
  t.comment('a request while it is ending waits for the next')
  const ending = run(['server', 'shutdown'])
  while (lines('facts').length < 6) await new Promise(resolve => setTimeout(resolve, 10))
  t.match(await run(['up']), { code: 0, stderr: '' })
  t.equal((await ending).code, 0)
  t.equal(lines('daemons').length, 4)
})

t.test('killed before it has answered, the next is asked; once', async t => {
  const { lines, run } = place(t)
  await run(['server', 'start'], { LOCALD_FAKE_MODE: 'mute' })
  t.match(await run(['up']), { code: 0, stderr: '' })
  t.equal(lines('daemons').length, 2)
  lines('daemons').forEach(end)
  t.match(await run(['up'], { LOCALD_FAKE_MODE: 'mute' }), {
    code: 1,
    stderr: /lost connection to the daemon while starting the project/,
  })
  t.equal(lines('daemons').length, 4)
})

t.test('one that has ended as soon as it was started is followed by another', async t => {
  const { lines, run } = place(t)
  t.match(await run(['up'], { LOCALD_FAKE_MODE: 'short' }), { code: 0, stderr: '' })
  t.equal(lines('daemons').length, 2)
})

t.test('status takes over what a killed daemon left', async t => {
  const { home, lines, run } = place(t)
  t.match(await run(['status', '--json']), { code: 0, stdout: '{"services":[]}\n' })
  t.equal(lines('daemons').length, 0)
  mkdirSync(join(home, 'data', 'locald', 'running', 'projects', 'shop'), { recursive: true })
  t.match(await run(['status', '--json']), { code: 0, stdout: '{"services":[]}\n' })
  t.equal(lines('daemons').length, 1)
})

t.test(
  'status asks the next daemon where one that has left services took the connection in its last moment',
  async t => {
    const { home, lines, run } = place(t)
    await run(['server', 'start'], { LOCALD_FAKE_MODE: 'dying' })
    mkdirSync(join(home, 'data', 'locald', 'running', 'projects', 'shop'), { recursive: true })
    t.match(await run(['status', '--json']), { code: 0, stdout: '{"services":[]}\n' })
    t.equal(lines('daemons').length, 2)
  },
)

const asRoot = process.getuid?.() === 0 ? false : 'only root can give a folder to another user'

t.test("no command connects to a socket in another user's folder", { skip: asRoot }, async t => {
  const { home, run } = place(t)
  const runtime = join(home, 'run', 'locald')
  mkdirSync(runtime, { recursive: true })
  let met = 0
  const server = createServer(() => met++).listen(join(runtime, 'locald.sock'))
  await once(server, 'listening')
  t.teardown(() => server.close())
  chownSync(runtime, 41_002, 41_002)
  const commands = [['up'], ['status'], ['server', 'status'], ['run', 'web', '--', 'true'], ['server', 'shutdown']]
  const refusal = `Error: ${runtime} is not a folder of yours [PATHS_UNUSABLE]`
  const ran = await Promise.all(commands.map(words => run(words)))
  for (const { code, stderr } of ran) t.match({ code, stderr }, { code: 1, stderr: refusal })
  t.match(await run(['doctor', '--fix']), { code: 1, stdout: /daemon: .* is not a folder of yours \(critical\)/ })
  t.equal(met, 0)
})

t.test('a daemon that refuses connections for a moment, as macOS does with a full queue, has not ended', async t => {
  const home = folder(t)
  const paths = resolvePaths({
    env: { HOME: home, XDG_RUNTIME_DIR: join(home, 'run'), XDG_DATA_HOME: join(home, 'data') },
  })
  mkdirSync(paths.data, { recursive: true })
  mkdirSync(paths.runtime, { recursive: true, mode: 0o700 })
  const { runtime, socket } = paths
  const isOf = (pid: number) =>
    writeFileSync(addressFile(paths.data), JSON.stringify({ pid, version: '0', runtime, socket }))
  const listen = async () => {
    const made = `${socket}.made`
    const server = createServer(client => client.destroy()).listen(made)
    await once(server, 'listening')
    renameSync(made, socket)
    return server
  }
  const refusing = await listen()
  await new Promise(resolve => refusing.close(resolve))
  isOf(process.pid)
  const end = waitForShutdown(paths, 60_000)
  const server = await listen()
  await once(server, 'connection')
  server.close()
  rmSync(socket)
  await end
  t.comment('its process has ended, or is another one')
  const other = await listen()
  await new Promise(resolve => other.close(resolve))
  await waitForShutdown(paths, 60_000)
  isOf(2 ** 30)
  await waitForShutdown(paths, 60_000)
})

t.test('the terminal that started it can go', async t => {
  const { home, lines, run } = place(t)
  const ran = await run(['up'])
  const [pid = ''] = lines('daemons')
  const group = spawn('ps', ['-o', 'pgid=,sid=', '-p', pid])
  let text = ''
  group.stdout.on('data', piece => {
    text += piece
  })
  await once(group, 'close')
  t.equal(ran.code, 0)
  t.same(text.trim().split(/\s+/), [pid, pid], `a session of its own in ${home}`)
})
