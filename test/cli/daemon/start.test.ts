import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { freePort } from '../../lib/ports.ts'
import { end, noServices, ofOtherProcessors, place } from './scripted-daemon.ts'

t.test('the first command starts the daemon, the next finds it', async t => {
  const { home, lines, run } = place(t)
  t.match(await run(['up']), { code: 0, stderr: noServices })
  t.match(await run(['up']), { code: 0, stderr: noServices })
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

t.test('the daemon gets listed variables only, not the environment of the shell that starts it', async t => {
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
  const port = String(await freePort())
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
    t.match(await run(['up'], other), { code: 0, stderr: noServices })
    t.match(await run(['server', 'status', '--json'], other), { code: 0, stdout: socket })
  }
  t.equal(lines('daemons').length, 1)
  t.comment('it exited: the next one starts in the same folder')
  lines('daemons').forEach(end)
  t.match(await run(['up'], { XDG_RUNTIME_DIR: join(home, 'other') }), { code: 0, stderr: noServices })
  t.match(lines('keeper').at(-1), `lock ${runtime}/daemon.lock`)
})

t.test('twenty commands at once start one daemon', async t => {
  const { lines, run } = place(t)
  const all = await Promise.all(Array.from({ length: 20 }, () => run(['up', '--json'])))
  t.same(
    new Set(all.map(ran => ran.stdout + ran.stderr + ran.code)),
    new Set(['{"event":"done","ok":true,"services":[]}\n0']),
  )
  t.equal(lines('daemons').length, 1)
})

t.test('a sandbox starts a separate daemon', async t => {
  const { home, lines, run } = place(t)
  const socket = join(home, 'data', 'locald', 'sandboxes', 'a-1', 'run', 'locald.sock')
  t.match(await run(['--sandbox', 'a-1', 'up'], { LOCALD_FAKE_SOCKET: socket }), { code: 0, stderr: noServices })
  t.match(JSON.parse(lines('facts')[0] ?? ''), { sandbox: 'a-1' })
})

t.test('reports why a daemon fails to start, with its last lines', async t => {
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
    const ran = await run(['up'], { LOCALD_HTTPS_PORT: wrong })
    t.match(ran, { code: 2, stderr: `LOCALD_HTTPS_PORT '${wrong}' is not a port [USAGE]` })
  }
  const doctor = await run(['doctor'], { LOCALD_FAKE_MODE: 'refuses' })
  t.match(doctor, {
    code: 1,
    stdout: /fail {2}daemon {2}no room \(critical\)[\s\S]*To fix:\n {2}Make some\.\n/,
    stderr: '',
  })
  writeFileSync(join(home, 'native', 'locald-keeper'), '#!/none/sh\n')
  t.match((await run(['up'])).stderr, /^Error: the daemon failed to start: .* \[DAEMON_START\]/)
  writeFileSync(join(home, 'spawn.cjs'), ofOtherProcessors)
  const wrong = await run(['up'], { NODE_OPTIONS: `--require=${join(home, 'spawn.cjs')}` })
  t.match(wrong.stderr, /^Error: .*locald-keeper is for another processor architecture \[KEEPER_MISSING\]\nHint: .*npm/)
})

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
  t.match(await run(['doctor', '--fix']), { code: 1, stdout: /daemon {2}.* is not a folder of yours \(critical\)/ })
  t.equal(met, 0)
})

t.test('the daemon has its own session, apart from the terminal that started it', async t => {
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
