import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { constants } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type ControlConnection, eachVariant, type Keeper, keeperTest, ownFolder } from '../../lib/keeper.ts'
import { buildTestProgram, includes, keeperSources, type Variant, variants } from '../../lib/keeper-programs.ts'
import { until } from '../../lib/running.ts'

const { release, asan, xnu } = variants()

const tools = ownFolder(t)
const testProgram = buildTestProgram(tools)

eachVariant(t, [asan, release, xnu], (t, variant) => {
  hostile(t, variant)
  attached(t, variant)
  removed(t, variant)
})

t.test('parsers take noise', { skip: asan === undefined && 'the compiler has no sanitizers' }, async t => {
  const path = join(tools, 'fuzz')
  const sources = keeperSources().filter(file => !file.endsWith('/main.c'))
  const flags = [
    '-O1',
    '-g',
    '-fsanitize=address,undefined',
    '-fno-sanitize-recover=undefined',
    '-DFUZZ_ALONE',
    '-D_GNU_SOURCE',
    includes,
  ]
  t.equal(spawnSync(process.env['CC'] || 'cc', [...flags, ...sources, '-o', path], { stdio: 'inherit' }).status, 0)
  t.match(spawnSync(path, ['100000'], { encoding: 'utf8' }), { status: 0, stderr: '' })
})

/** A bare connection to the control socket. */
async function raw(one: Keeper): Promise<Socket> {
  const socket = createConnection(one.socketPath)
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  socket.on('error', () => {})
  return socket
}

const closed = (socket: Socket) => new Promise(resolve => socket.once('close', resolve))

function hostile(t: Test, variant: Variant) {
  keeperTest(t, variant, 'answers garbage with errors and commands with their answers', async (t, start) => {
    const one = start(['sleep', '1000'])
    await one.line.next('started')
    t.equal(statSync(one.socketPath).mode & 0o777, 0o600)
    const line = await one.connect()
    const wrong = [
      '',
      ' state',
      'state ',
      'STATE',
      'stop',
      'stop 15',
      'stop 0 1',
      'stop 65 1',
      'stop 15 -1',
      'stop 15 1 1',
    ]
    wrong.push(
      'stop  15 1',
      'stop 015 1',
      'stop 15 86400001',
      'signal 99999999999999999999',
      'resize 0 1',
      'resize 1 0',
    )
    wrong.push('poke\r', '\0\x01\x02', 'é'.repeat(100), 'a'.repeat(256))
    for (const command of wrong) {
      line.send(command)
      t.strictSame(await line.next('error'), { event: 'error', error: 'unknown command' })
    }
    for (const command of ['a'.repeat(257), 'b'.repeat(1_000_000), 'state'.repeat(300)]) {
      line.send(command)
      t.strictSame(await line.next('error'), { event: 'error', error: 'command too long' })
    }
    t.match(await line.state(), { main: null })
    t.strictSame(line.events, [], 'one error for each')
    for (const part of ['st', 'a', 'te', '\nsta']) line.socket.write(part)
    await line.next('state')
    line.socket.write('te\nstate\nstate\n')
    for (let i = 0; i < 3; i++) await line.next('state')
    const half = await raw(one)
    half.end('stop 9 0')
    await closed(half)
    t.match(await line.state(), { main: null }, 'half a command is none')
  })

  keeperTest(t, variant, 'accepts eight connections and rejects more with an error', async (t, start) => {
    const one = start(['sleep', '1000'])
    await one.line.next('started')
    const lines: ControlConnection[] = []
    for (let i = 0; i < 20; i++) lines.push(await one.connect())
    const answers = await Promise.all(lines.map(line => line.state().catch(() => undefined)))
    t.equal(answers.filter(answer => answer !== undefined).length, 7)
    t.equal(lines.filter(line => line.closed).length, 13)
    const late = await one.connect()
    t.match(await late.next('error'), { error: 'too many connections' })
    for (const line of lines) line.socket.destroy()
    await until('a free place', async () => {
      const line = await one.connect()
      const state = await line.state().catch(() => undefined)
      line.socket.destroy()
      return state !== undefined
    })
  })

  keeperTest(t, variant, 'a client that never reads does not block the others', async (t, start) => {
    const one = start(['sleep', '1000'])
    await one.line.next('started')
    const deaf = await raw(one)
    deaf.pause()
    for (let i = 0; i < 200; i++) deaf.write('state\n'.repeat(100))
    for (let i = 0; i < 20; i++) await one.line.state()
    one.line.send(`stop ${constants.signals.SIGTERM} 1000`)
    t.match(await one.line.next('exit'), { signal: 'SIGTERM' })
    deaf.destroy()
  })
}

/** An attached connection and all it has shown so far. */
async function attach(one: Keeper): Promise<{ socket: Socket; text: () => string }> {
  const socket = await raw(one)
  let text = ''
  socket.on('data', data => (text += data))
  socket.write('attach 80 24\n')
  return { socket, text: () => text }
}

function attached(t: Test, variant: Variant) {
  const tty = { args: ['--tty', '20x10'] }

  keeperTest(
    t,
    variant,
    'passes typed text to the service and its output to all attached clients',
    async (t, start) => {
      const one = start(['cat'], tty)
      await one.line.next('started')
      const first = await attach(one)
      first.socket.write('hello\n')
      await until('echo and answer', () => first.text() === 'hello\r\nhello\r\n')
      const second = await attach(one)
      // Typed in the same breath as the command.
      const third = await raw(one)
      third.write('attach 80 24\nagain\n')
      await until('both', () => /again\r\nagain\r\n$/.test(first.text()) && /again\r\nagain\r\n$/.test(second.text()))
      first.socket.write('\x04')
      await Promise.all([closed(first.socket), one.line.next('exit')])
      t.strictSame(
        one.entries.map(([, , text]) => text),
        ['hello', 'hello', 'again', 'again'],
      )
    },
  )

  keeperTest(
    t,
    variant,
    'replays the last output, with its length, to a client that attaches late',
    async (t, start) => {
      const replay = async (one: Keeper) => {
        const socket = await raw(one)
        let text = ''
        socket.on('data', data => (text += data))
        socket.write('replay 80 24\nanswer\n')
        await until('the answer', () => text.endsWith('answer\r\nanswer\r\n'))
        const [head = '', ...rest] = text.split('\n')
        const { event, history } = JSON.parse(head)
        const before = rest.join('\n').slice(0, history)
        socket.destroy()
        return { event, history, before, live: rest.join('\n').slice(history) }
      }
      const short = start(['sh', '-c', 'echo first; exec cat'], tty)
      await short.logged('first')
      t.strictSame(await replay(short), {
        event: 'attached',
        history: 7,
        before: 'first\r\n',
        live: 'answer\r\nanswer\r\n',
      })
      const long = start(['sh', '-c', 'seq -w 1 99999; echo end; exec cat'], tty)
      await long.logged('end')
      const late = await replay(long)
      t.equal(late.history, 128 * 1024)
      t.ok(late.before.endsWith('99998\r\n99999\r\nend\r\n'))
      t.equal(late.live, 'answer\r\nanswer\r\n')
    },
  )

  keeperTest(t, variant, 'attaching sets the terminal size; ^C interrupts the service', async (t, start) => {
    const one = start(
      ['sh', '-c', "trap 'stty size' WINCH; trap 'exit 9' INT; echo up; while :; do sleep 0.02; done"],
      tty,
    )
    await one.logged('up')
    const { socket } = await attach(one)
    await one.logged('24 80')
    socket.write('\x03')
    t.match(await one.line.next('exit'), { code: 9 })
  })

  keeperTest(t, variant, 'typed text waits when the terminal is full', async (t, start) => {
    const one = start(['sh', '-c', 'stty -icanon -echo; echo up; sleep 0.2; head -c 100000 | wc -c | tr -d " "'], tty)
    await one.logged('up')
    const { socket } = await attach(one)
    for (let i = 0; i < 100; i++) socket.write('x'.repeat(1000))
    await one.line.next('exit')
    t.match(one.log, 'F 100000\n')
  })

  keeperTest(t, variant, 'disconnects a slow attached client without slowing the service', async (t, start, dir) => {
    const one = start([testProgram, 'steps', 'up\n', `${'y'.repeat(70)}\n`.repeat(1500), 'done\n'], tty)
    await one.logged('up')
    const slow = await raw(one)
    slow.pause()
    slow.write('attach 80 24\n')
    const quick = await attach(one)
    await one.line.state()
    one.line.send(`signal ${constants.signals.SIGUSR1}`)
    await until('all shown', () => quick.text().length >= 1500 * 72)
    one.line.send(`signal ${constants.signals.SIGUSR1}`)
    await one.line.next('exit')
    const go = join(dir, 'go')
    const many = start(['sh', '-c', `while ! test -e ${go}; do sleep 0.01; done; exec ${testProgram} lines 30000`], tty)
    await many.line.next('started')
    const deaf = await raw(many)
    deaf.pause()
    deaf.write('attach 80 24\n')
    // Not before: the service would exit, and its keeper with it.
    writeFileSync(go, '')
    await many.line.next('exit', 20_000)
    t.equal(many.entries.filter(([, , text]) => /^\d+ \.+$/.test(text)).length, 30_000)
    deaf.destroy()
    slow.destroy()
  })
}

function removed(t: Test, variant: Variant) {
  keeperTest(t, variant, 'binds removed sockets again at SIGHUP, and keeps its connections', async (t, start, dir) => {
    const script = `while ! test -e ${dir}/go; do sleep 0.01; done; ${testProgram} notify READY=1; exec sleep 1000`
    const one = start(['sh', '-c', script], { args: ['--notify', join(dir, 'n')] })
    const { keeper } = await one.line.next('started')
    for (const path of [one.socketPath, join(dir, 'n')]) rmSync(path)
    await t.rejects(one.connect(), { code: 'ENOENT' })
    process.kill(Number(keeper), 'SIGHUP')
    const isBack = () => existsSync(join(dir, 'n')) && one.connect().then(Boolean, () => false)
    await until('the sockets', isBack)
    t.equal(statSync(one.socketPath).mode & 0o777, 0o600)
    t.match(await (await one.connect()).state(), { keeper, main: null })
    writeFileSync(join(dir, 'go'), '')
    t.match(await one.line.next('notify'), { ready: true }, 'the first connection gets it')
  })
}
