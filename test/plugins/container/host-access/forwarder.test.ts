/** Containers of real rootless podman that reach a server on this machine's 127.0.0.1 alone. */
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { noContainers } from '../../../lib/containers.ts'
import { until } from '../../../lib/running.ts'
import { root } from '../../../lib/user.ts'
import { AccessSandbox, forwarderName } from './harness.ts'

t.setTimeout(280_000)
const client = join(root, 'build', 'test', 'plugins', 'container', 'host-access', 'client.js')

/** A server on loopback that sends back what it gets, and the end. */
async function echo(t: Test, host = '127.0.0.1'): Promise<number> {
  return await serve(t, host, socket => socket.pipe(socket))
}

/** A server on loopback that answers HTTP. */
async function hello(t: Test): Promise<number> {
  const answer = 'HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n'
  return await serve(t, '127.0.0.1', socket => void socket.once('data', () => socket.end(answer)))
}

async function serve(t: Test, host: string, take: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer({ allowHalfOpen: true }, socket => take(socket.on('error', () => {})))
  server.listen(0, host)
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A shell command that asks for a page by HTTP and prints the answer; it fails without one. */
function ask(port: number): string {
  return `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | timeout 20 nc host.docker.internal ${port} | grep . `
}

/** The address in `--add-host host.docker.internal:ADDRESS`. */
function addressOf(flags: readonly string[]): string {
  return flags[1]?.split(':')[1] ?? ''
}

t.test('host.docker.internal', { skip: noContainers }, async t => {
  const sandbox = await AccessSandbox.make(t)
  const side = await sandbox.daemonSide()
  const [web, echoes, six] = await Promise.all([hello(t), echo(t), echo(t, '::1')])
  const started = performance.now()
  const flags = await side.ensure([web, echoes, six])
  t.comment(`the first forwarder: ${Math.round(performance.now() - started)} ms`)
  const work = async (port: number, ...words: readonly string[]): Promise<unknown> => {
    const ran = await sandbox.inNetwork([process.execPath, client, addressOf(flags), String(port), ...words]).done
    if (ran.code !== 0) throw new Error(ran.stderr)
    return JSON.parse(ran.stdout)
  }

  await t.test('containers reach a server on 127.0.0.1 or ::1 by name', async t => {
    t.match(flags, ['--add-host', /^host\.docker\.internal:10\.\d+\.\d+\.254$/])
    for (const more of [flags, []]) {
      const ran = await sandbox.shell(more, ask(web))
      t.match(ran, { code: 0, stdout: /^HTTP.*hello\n$/s }, more.length > 0 ? 'by /etc/hosts' : 'by the alias')
    }
    for (const port of [echoes, six]) {
      const ran = await sandbox.shell(flags, `echo half-closed | nc host.docker.internal ${port}`)
      t.match(ran, { code: 0, stdout: 'half-closed\n' })
    }
  })

  await t.test('100 MB both ways at once', async t => {
    const bytes = 100 * 1024 * 1024
    const result = await work(echoes, 'both', String(bytes))
    t.comment(JSON.stringify(result))
    t.match(result, { bytes })
  })

  await t.test('200 connections at once, and one that is idle', async t => {
    const [count, words] = await Promise.all([work(echoes, 'many', '200'), work(echoes, 'idle', '3000')])
    t.equal(count, 200)
    t.strictSame(words, ['first', 'second'])
  })

  await t.test('a port that is not allowed is refused, also one that was, and another is added at once', async t => {
    const other = await hello(t)
    const get = async (port: number) => (await sandbox.shell(flags, ask(port))).code
    t.not(await get(other), 0)
    const calls = side.lines('call').length
    await side.ensure([other], 'worker')
    t.equal(side.lines('call').length, calls, 'the engine is not needed')
    t.equal(await get(other), 0)
    await side.call('withdraw', { service: 'worker' })
    t.not(await get(other), 0)
    t.equal(await get(web), 0)
  })

  await t.test('a port on which nothing listens is logged once', async t => {
    await side.ensure([web, echoes, six, 9], 'web')
    for (let i = 0; i < 2; i++) t.notMatch(await sandbox.shell(flags, ask(9)), { stdout: /./ })
    const lines = side.lines('log').filter(line => /port 9 /.test(line))
    t.strictSame(lines, [
      `host.docker.internal of project 'shop': port 9 is not reachable: connect ECONNREFUSED 127.0.0.1:9`,
    ])
  })

  await t.test('the forwarder has no rights, and is started again when it is killed', async t => {
    const state = await sandbox.inspect(
      forwarderName,
      '{{.HostConfig.ReadonlyRootfs}} {{.EffectiveCaps}} {{.Config.User}} {{len .NetworkSettings.Ports}}',
    )
    t.match(state, /^true \[\] 0:0 0$/)
    await sandbox.ask('kill', forwarderName)
    await until(
      'another forwarder',
      async () => (await sandbox.inspect(forwarderName, '{{.State.Running}}').catch(() => '')) === 'true',
    )
    t.strictSame(await side.ensure([web, echoes, six]), flags, 'with the same address')
    t.match(await sandbox.shell(flags, ask(web)), { code: 0, stdout: /hello/ })
  })
  await side.call('release')
  t.notOk((await sandbox.ask('ps', '-a', '--format', '{{.Names}}')).includes(forwarderName))
})

t.test('daemons and folders that are lost', { skip: noContainers }, async t => {
  const sandbox = await AccessSandbox.make(t)
  const first = await sandbox.daemonSide()
  const [web, echoes] = await Promise.all([hello(t), echo(t)])
  const flags = await first.ensure([web, echoes])
  const id = await sandbox.inspect(forwarderName, '{{.Id}}')
  const get = async () => await sandbox.shell(flags, ask(web))

  await first.kill()
  const waiting = get()
  const second = await sandbox.daemonSide()
  const started = performance.now()
  t.strictSame(await second.ensure([web, echoes]), flags)
  t.comment(`adopted in ${Math.round(performance.now() - started)} ms`)
  t.match(await waiting, { code: 0, stdout: /^HTTP.*hello\n$/s }, 'who came between two daemons is served by the next')
  t.strictSame(second.lines('call'), [], 'the engine is not needed')
  t.equal(await sandbox.inspect(forwarderName, '{{.Id}}'), id)

  rmSync(sandbox.runtime, { recursive: true })
  await until('another forwarder', async () => {
    const now = await sandbox.inspect(forwarderName, '{{.Id}}').catch(() => id)
    return now !== id && existsSync(sandbox.runtime)
  })
  t.strictSame(await second.ensure([web, echoes]), flags)
  t.match(await get(), { code: 0, stdout: /^HTTP.*hello\n$/s })

  await second.kill()
  const third = await sandbox.daemonSide()
  await third.call('release')
  t.notOk((await sandbox.ask('ps', '-a', '--format', '{{.Names}}')).includes(forwarderName), 'without ensure, too')
})
