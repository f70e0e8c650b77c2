/** locald-tunnel with a daemon that the test plays. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { freePorts } from '../../lib/ports.ts'
import { until } from '../../lib/running.ts'
import {
  dial,
  drain,
  FakeDaemon,
  Tunnel,
  type TunnelProgram,
  tunnelCorpus,
  tunnelPrograms,
  tunnelSources,
} from '../../lib/tunnel.ts'

const isLinux = process.platform === 'linux'
const mega = 1024 * 1024

for (const program of isLinux ? tunnelPrograms() : []) {
  t.test(program.name, async t => {
    relays(t, program)
    ports(t, program)
    faults(t, program)
    limits(t, program)
    t.test('refuses wrong arguments', async t => {
      for (const words of [
        [],
        ['/s'],
        ['/s', ''],
        ['/s', 'xyz'],
        ['', 'abc'],
        [`/${'x'.repeat(108)}`, 'abc'],
        ['/s', 'a', 'b'],
      ]) {
        t.match(spawnSync(program.path, words, { encoding: 'utf8' }), { status: 64, stderr: /^locald-tunnel: / })
      }
    })
  })
}

function subtest(
  t: Test,
  name: string,
  program: TunnelProgram,
  body: (t: Test, tunnel: Tunnel) => Promise<void>,
  through: readonly string[] = [],
): void {
  t.test(name, async t => {
    const tunnel = await Tunnel.start(program, through)
    t.teardown(() => tunnel.end())
    await body(t, tunnel)
  })
}

function relays(t: Test, program: TunnelProgram): void {
  subtest(t, 'carries bytes both ways, by IPv4 and IPv6, with half-close', program, async (t, tunnel) => {
    const { ports } = await tunnel.listen(1)
    const [port = 0] = ports
    for (const host of ['127.0.0.1', '::1']) {
      const client = await dial(port, host)
      client.end('request')
      const service = await tunnel.daemon.next(new RegExp(`^${port}$`))
      service.write('+')
      t.equal((await drain(service)).bytes, 'request'.length, 'the service sees the end')
      service.end('response')
      t.strictSame(await drain(client), { bytes: 'response'.length, isReset: false })
    }
    const { client, service } = await tunnel.pair(port)
    service.end('first')
    t.equal((await drain(client)).bytes, 'first'.length, 'the client sees the end')
    client.end('later')
    t.equal((await drain(service)).bytes, 'later'.length)
  })

  subtest(t, 'carries 20 MB both ways at once, with slow readers', program, async (t, tunnel) => {
    const { ports } = await tunnel.listen(1)
    const { client, service } = await tunnel.pair(ports[0] ?? 0)
    const data = Buffer.alloc(20 * mega, 'x')
    client.end(data)
    service.end(data)
    await pause(200)
    t.ok(client.bytesWritten > 0 && tunnel.busyMs < 5000)
    const before = tunnel.busyMs
    await pause(300)
    t.ok(tunnel.busyMs - before <= 50, 'it waits without work while no one reads')
    t.strictSame(await Promise.all([drain(client), drain(service)]), [
      { bytes: data.length, isReset: false },
      { bytes: data.length, isReset: false },
    ])
  })

  subtest(t, 'resets a client whose port was not reached', program, async (t, tunnel) => {
    const { ports } = await tunnel.listen(1)
    const client = await dial(ports[0] ?? 0)
    const service = await tunnel.daemon.next(/^\d+$/)
    service.end()
    t.strictSame(await drain(client), { bytes: 0, isReset: true })
  })

  subtest(t, 'closes one side when the other is closed', program, async (t, tunnel) => {
    const { ports } = await tunnel.listen(1)
    const before = tunnel.descriptors
    const first = await tunnel.pair(ports[0] ?? 0)
    first.client.resetAndDestroy()
    t.equal((await drain(first.service)).bytes, 0)
    const second = await tunnel.pair(ports[0] ?? 0)
    second.service.write('last words')
    second.service.destroySoon()
    t.strictSame(await drain(second.client), { bytes: 'last words'.length, isReset: false })
    // Neither reads: what was sent is lost with them, and nothing is left of the connection.
    const third = await tunnel.pair(ports[0] ?? 0)
    third.client.write(Buffer.alloc(4 * mega))
    third.service.write(Buffer.alloc(4 * mega))
    await pause(100)
    third.service.destroy()
    await pause(100)
    const busy = tunnel.busyMs
    await pause(300)
    t.ok(tunnel.busyMs - busy <= 50, 'it waits without work for a client that does not read')
    third.client.resetAndDestroy()
    await until('all descriptors to be closed', () => tunnel.descriptors === before)
  })
}

function ports(t: Test, program: TunnelProgram): void {
  subtest(t, 'listens on the ports of the last list, and keeps connections', program, async (t, tunnel) => {
    const { forwarder, ports } = await tunnel.listen(2)
    const [first = 0, second = 0] = ports
    const { client, service } = await tunnel.pair(first)
    t.equal(await tunnel.daemon.order(forwarder, String(second)), 'listening\n')
    await t.rejects(dial(first), { code: 'ECONNREFUSED' })
    client.end('still there')
    t.equal((await drain(service)).bytes, 'still there'.length)
    service.end()
    ;(await tunnel.pair(second)).client.destroy()
    t.equal(await tunnel.daemon.order(forwarder, ''), 'listening\n')
    await t.rejects(dial(second), { code: 'ECONNREFUSED' })
  })

  subtest(t, 'names a port on which it cannot listen, and listens on the others', program, async (t, tunnel) => {
    const { forwarder } = await tunnel.listen(1)
    const [mine = 0, taken = 0] = await freePorts(2)
    const blocker = await Tunnel.start(program)
    t.teardown(() => blocker.end())
    t.equal(await blocker.daemon.order(await blocker.daemon.next(/^forwarder/), String(taken)), 'listening\n')
    t.equal(await tunnel.daemon.order(forwarder, `${taken} ${mine}`), `failed ${taken} Address already in use\n`)
    ;(await tunnel.pair(mine)).client.destroy()
  })

  subtest(t, 'connects again after a list that is none', program, async (t, tunnel) => {
    let forwarder = await tunnel.daemon.next(/^forwarder abc123$/)
    for (const line of ['0', '65536', 'x', '80 80', '80  81', ' 80', '080', '9'.repeat(2000)]) {
      forwarder.write(`${line}\n`)
      t.equal((await drain(forwarder)).bytes, 0, line.slice(0, 10))
      forwarder = await tunnel.daemon.next(/^forwarder abc123$/)
    }
    const [port = 0] = await freePorts(1)
    t.equal(await tunnel.daemon.order(forwarder, String(port)), 'listening\n')
  })
}

function faults(t: Test, program: TunnelProgram): void {
  subtest(t, 'clients wait for the next daemon, which gets the forwarder, too', program, async (t, tunnel) => {
    const { ports } = await tunnel.listen(1)
    await tunnel.daemon.close()
    const client = await dial(ports[0] ?? 0)
    client.end('request')
    await pause(200)
    const next = new FakeDaemon()
    t.teardown(() => next.close())
    await next.listen(tunnel.socket)
    const service = await next.next(/^\d+$/)
    service.write('+')
    t.equal((await drain(service)).bytes, 'request'.length)
    service.end('response')
    t.equal((await drain(client)).bytes, 'response'.length)
    t.equal(await next.order(await next.next(/^forwarder abc123$/), String(ports[0])), 'listening\n')
  })

  subtest(t, 'resets clients after 5 s without a daemon', program, async (t, tunnel) => {
    const { ports } = await tunnel.listen(1)
    await tunnel.daemon.close()
    const client = await dial(ports[0] ?? 0)
    const started = Date.now()
    t.strictSame(await drain(client), { bytes: 0, isReset: true })
    t.ok(Date.now() - started >= 4900)
    t.ok(tunnel.busyMs < 1000)
  })

  subtest(t, 'exits at once on SIGTERM, as the first process, too', program, async (t, tunnel) => {
    const { ports } = await tunnel.listen(1)
    const { client } = await tunnel.pair(ports[0] ?? 0)
    const started = Date.now()
    tunnel.child.kill('SIGTERM')
    const [code]: unknown[] = await once(tunnel.child, 'exit')
    t.equal(code, 0)
    t.ok(Date.now() - started < 2000)
    client.destroy()
  })
}

function limits(t: Test, program: TunnelProgram): void {
  subtest(t, 'serves 300 connections in turn and at once without leaving descriptors', program, async (t, tunnel) => {
    const { ports } = await tunnel.listen(1)
    const [port = 0] = ports
    const before = tunnel.descriptors
    const talk = async (): Promise<void> => {
      const { client, service } = await tunnel.pair(port)
      client.end('x')
      service.end('y')
      await Promise.all([drain(client), drain(service)])
    }
    for (let i = 0; i < 100; i++) await talk()
    await Promise.all(Array.from({ length: 200 }, talk))
    await until('all descriptors to be closed', () => tunnel.descriptors === before)
    t.pass()
  })

  // Room for 14: (300 - 256 - 16) / 2.
  const through = ['sh', '-c', 'ulimit -n 300; exec "$@"', 'sh']
  subtest(
    t,
    'clients above the limit wait until another has left',
    program,
    async (t, tunnel) => {
      const { ports } = await tunnel.listen(1)
      const [port = 0] = ports
      const pairs = await Promise.all(Array.from({ length: 14 }, () => tunnel.pair(port)))
      const late = await dial(port)
      await until('the message', () => /new connections have to wait: too many are open/.test(tunnel.errors))
      late.end('late')
      pairs[0]?.client.destroy()
      pairs[0]?.service.destroy()
      const service = await tunnel.daemon.next(/^\d+$/)
      service.write('+')
      t.equal((await drain(service)).bytes, 'late'.length)
      service.end()
      for (const { client } of pairs) client.destroy()
    },
    through,
  )
}

t.test('the parser takes noise and its corpus', { skip: !isLinux && 'needs Linux' }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tunnel-fuzz-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'fuzz')
  const flags = [
    '-O1',
    '-g',
    '-fsanitize=address,undefined',
    '-fno-sanitize-recover=undefined',
    '-DFUZZ_ALONE',
    '-D_GNU_SOURCE',
  ]
  const made = spawnSync(process.env['CC'] || 'cc', [...flags, ...tunnelSources(), '-o', path], { stdio: 'inherit' })
  t.equal(made.status, 0)
  t.match(spawnSync(path, ['200000'], { encoding: 'utf8' }), { status: 0, stderr: '' })
  // Each entry is a list that is accepted.
  t.match(spawnSync(path, ['0', ...tunnelCorpus()], { encoding: 'utf8' }), { status: 0, stderr: '' })
})
