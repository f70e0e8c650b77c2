import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import type { Engine, EngineCommand } from '../../../plugins/container/provides.ts'
import { guestCommand } from '../../../plugins/container-lima/guest/guest-command.ts'
import { planVariables } from '../../../plugins/container-lima/guest/variables.ts'
import { isShared } from '../../../plugins/container-lima/lima-engine.ts'
import { Limactl } from '../../../plugins/container-lima/limactl.ts'
import { freePort } from '../../lib/ports.ts'
import { fetchFrom } from '../../lib/web.ts'
import { bootLima } from './harness.ts'

interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** The command lines of all processes on this machine while it ran, as far as they were seen. */
  readonly argvs: string
}

/** Runs a command of an engine; `rest` follows its input. */
function run({ argv: [program, ...args], env, input = '' }: EngineCommand, rest = ''): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: 'pipe' })
    let [stdout, stderr, argvs] = ['', '', '']
    const look = setInterval(() => {
      argvs += commandLines()
    }, 15)
    child.stdout.setEncoding('utf8').on('data', text => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', text => {
      stderr += text
    })
    child.on('error', reject)
    child.on('close', code => {
      clearInterval(look)
      resolve({ code, stdout, stderr, argvs })
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input + rest)
  })
}

function commandLines(): string {
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  return pids
    .map(pid => {
      try {
        return readFileSync(join('/proc', pid, 'cmdline'), 'utf8')
      } catch {
        return ''
      }
    })
    .join('\n')
}

const hard = { PLAIN: 'secret-1', LINES: 'secret-2\n"$x" `id` \'quoted\'\n', EMPTY: '' }
const steering = { PATH: '/container/secret-3', HOME: '/root', 'my.var': 'a=b' }

async function runContainer(engine: Engine, port: number): Promise<EngineCommand> {
  const variables = { ...hard, ...steering }
  const words = ['run', '-d', '--name', 'web', '-p', `127.0.0.1:${port}:80`, 'image']
  const command = engine.command(words, { variables })
  const ran = await run(command)
  if (ran.code !== 0) throw new Error(`${ran.stdout}${ran.stderr}`)
  return command
}

/** The files of variables that a command names and that are still there. */
function filesOf({ argv }: EngineCommand): readonly string[] {
  const named = argv.join(' ').match(/\/tmp\/locald-[0-9a-f]+(?:\.sh)?/g) ?? []
  return named.filter(file => existsSync(file))
}

t.test('a container in the VM gets its variables whole, and its port answers on this machine', async t => {
  const lima = await bootLima(t)
  const engine = await lima.up()
  const port = await freePort()
  const command = await runContainer(engine, port)
  await engine.published?.([port])
  const { body } = await fetchFrom(port, 'localhost', '/')
  t.strictSame(JSON.parse(body), { name: 'web', variables: { ...hard, ...steering } })
  t.strictSame(filesOf(command), [], 'no file of variables stays')
  const quiet = await run(engine.command(['rm', '-f', 'web']))
  t.equal(quiet.code, 0)
})

t.test('values of variables are in no command line, also with a terminal', async t => {
  const lima = await bootLima(t)
  const engine = await lima.up()
  for (const tty of [false, true]) {
    const variables = { ...hard, ...steering }
    const command = engine.command(['exec', 'web', 'env'], { variables, tty })
    t.notMatch(command.argv.join('\n'), /secret/)
    const ran = await run(command)
    t.match(ran, { code: 0, stderr: '' })
    t.strictSame(JSON.parse(ran.stdout), variables, `terminal: ${tty}`)
    t.match(ran.argvs, /exec/, 'the command lines were seen')
    t.notMatch(ran.argvs, /secret-[123]/)
    t.strictSame(filesOf(command), [])
  }
})

t.test('stdin goes on to the command after the variables', async t => {
  const lima = await bootLima(t)
  await lima.up()
  const limactl = new Limactl(join(lima.home, '..', 'limactl'), lima.home, { PATH: process.env['PATH'] })
  for (const variables of [hard, { ...hard, PATH: '/x' }]) {
    const command = guestCommand(limactl, { dialect: 'docker', version: '1' }, ['cat'], { variables })
    // The same command line with another program than docker.
    const argv = command.argv.map(word => (word === 'docker' ? 'sh' : word === 'cat' ? '-c' : word))
    const at = argv.indexOf('-c', argv.indexOf('sh', argv.indexOf('locald', argv.indexOf('locald') + 1)))
    const [first = '', ...words] = [...argv.slice(0, at + 1), 'printf "%s|" "$LINES"; cat', ...argv.slice(at + 1)]
    const ran = await run({ ...command, argv: [first, ...words] }, 'line 1\nline 2')
    t.match(ran, { code: 0, stdout: `${hard.LINES}|line 1\nline 2`, stderr: '' })
  }
})

t.test('a variable that no way passes is refused by name', async t => {
  t.throws(() => planVariables({ PATH: 'a\nb' }), {
    code: 'CONFIG_INVALID',
    message: /^variable 'PATH' has a line break/,
  })
  t.throws(() => planVariables({ HOME: '/x ' }), { code: 'CONFIG_INVALID', message: /white space at its end/ })
  t.throws(() => planVariables({ 'a\nb': 'x' }), { code: 'CONFIG_INVALID' })
  t.strictSame(planVariables({ A: '1', B_2: '2' }).flags, ['-e', 'A', '-e', 'B_2'])
  for (const name of ['UID', 'LD_PRELOAD', 'http_proxy', 'HTTPS_PROXY', 'CONTAINERD_NAMESPACE', 'NERDCTL_TOML', 'a-b'])
    t.match(planVariables({ [name]: '1' }).flags, ['--env-file', /^\/tmp\/locald-/], name)
})

t.test('a port that Lima cannot forward is an error of its own, and the next container works', async t => {
  const lima = await bootLima(t)
  const engine = await lima.up()
  const holder = createServer()
  await new Promise<void>(resolve => holder.listen(0, '127.0.0.1', resolve))
  const address = holder.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await runContainer(engine, port)
  const hint = /lsof -nP -iTCP:\d+/
  await t.rejects(Promise.resolve(engine.published?.([port])), {
    code: 'PORT_TAKEN',
    message: new RegExp(`^Lima: port ${port} of this machine is in use: .*address already in use`),
    hint,
  })
  await new Promise(resolve => holder.close(resolve))
  await run(engine.command(['rm', '-f', 'web']))
  const free = await freePort()
  await runContainer(engine, free)
  await engine.published?.([free])
  t.match(await fetchFrom(free, 'localhost', '/'), { status: 200 })
  await t.test('ordered by the fault', async t => {
    const other = await bootLima(t)
    const engine = await other.up()
    other.order('port-failed')
    const port = await freePort()
    await runContainer(engine, port)
    await t.rejects(Promise.resolve(engine.published?.([port])), { code: 'PORT_TAKEN', hint })
  })
})

t.test('a wait for a port ends with its signal', async t => {
  const lima = await bootLima(t)
  const engine = await lima.up()
  const stop = new AbortController()
  const waiting = Promise.resolve(engine.published?.([await freePort()], stop.signal))
  stop.abort(new Error('stopped'))
  await t.rejects(waiting, { message: 'stopped' })
})

t.test('only folders below a mount are shared, by their real paths', async t => {
  const folder = t.testdir({ code: { web: {} }, other: {} })
  symlinkSync(join(folder, 'other'), join(folder, 'code', 'link'))
  const mounts = [{ path: join(folder, 'code'), isWritable: true }]
  t.ok(await isShared(mounts, join(folder, 'code', 'web')))
  t.ok(await isShared(mounts, join(folder, 'code')))
  t.notOk(await isShared(mounts, join(folder, 'code', 'link')))
  t.notOk(await isShared(mounts, join(folder, 'codes')))
  t.notOk(await isShared([], folder))
  mkdirSync(join(folder, 'place'))
  symlinkSync(join(folder, 'place'), join(folder, 'named'))
  t.ok(await isShared([{ path: join(folder, 'named'), isWritable: true }], join(folder, 'named', 'x')))
})
