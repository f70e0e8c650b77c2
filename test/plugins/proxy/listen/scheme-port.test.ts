import net from 'node:net'
import t from 'tap'
import { AsyncSeriesHook } from 'tapable'
import type { Check } from '../../../../kernel/contract/plugin.ts'
import proxyPlugin from '../../../../plugins/proxy/index.ts'
import { freePort } from '../../../lib/ports.ts'
import { boot, type Running } from '../lib/boot.ts'
import { Wire } from '../lib/client.ts'
import { listening } from '../lib/services.ts'

t.test('ports of the proxy', async t => {
  const check = async (run: Running, id: string) => run.checks.get(id)?.run()

  await t.test('listens on any port of both families', async t => {
    const run = await boot(t)
    t.ok(run.port > 0)
    t.equal(run.web.url('shop.localhost'), `http://shop.localhost:${run.port}`)
    t.equal(run.web.https, null)
    t.match(await check(run, 'proxy-http'), {
      status: 'pass',
      summary: `listening on 127.0.0.1:${run.port} and [::1]:${run.port}`,
    })
    t.match(await check(run, 'proxy-port'), { status: 'pass' })
    const six = new Wire(run.port, '::1')
    t.match(await six.send('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n').end(), /200 OK/)
    await run.close()
    const again = new Wire(run.port)
    await again.until(wire => wire.closed, 'the port is free again')
    t.match(again.error, { code: 'ECONNREFUSED' })
    t.equal(run.catalog.listeners.size, 0)
  })

  await t.test('listens on the port in LOCALD_HTTP_PORT or not at all', async t => {
    const other = await listening(t, net.createServer())
    const run = await boot(t, { env: String(other.port), holder: 'nginx (pid 12)' })
    t.equal(run.web.http, null)
    t.match(run.log, [`error HTTP proxy is not running: port ${other.port} is in use`])
    t.match(await check(run, 'proxy-http'), {
      status: 'fail',
      summary: `HTTP proxy is not running: port ${other.port} is in use by nginx (pid 12)`,
    })
    t.match(run.warnings(), [
      { message: `HTTP proxy is not running: port ${other.port} is in use`, hint: /locald doctor/ },
    ])
    t.match(await check(run, 'proxy-port'), { status: 'skip' })
    t.equal(run.web.url('shop.localhost'), 'http://shop.localhost')
    const six = await listening(t, net.createServer(), '::1')
    const half = await boot(t, { env: String(six.port) })
    t.equal(half.web.http, null, 'a port in use on one family is in use')
    const free = net.connect(six.port, '127.0.0.1')
    t.match(
      await new Promise(resolve => free.once('error', resolve)),
      { code: 'ECONNREFUSED' },
      'and let go of on the other',
    )
    const exact = await freePort()
    t.equal((await boot(t, { env: String(exact) })).port, exact)
    for (const env of ['http', '70000', '-1', '80 ']) {
      const bad = await boot(t, { env })
      t.equal(bad.web.http, null)
      t.match(await check(bad, 'proxy-http'), {
        status: 'fail',
        summary: `LOCALD_HTTP_PORT is '${env}', which is not a port`,
      })
      t.match(bad.log, [/^error HTTP proxy is not running: LOCALD_HTTP_PORT/])
    }
  })

  await t.test('listens on 8080 or the next free port by default', async t => {
    const first = await boot(t, { env: undefined })
    t.ok(first.port >= 8080 && first.port < 8180)
    const second = await boot(t, { env: undefined, holder: 'someone' })
    t.ok(second.port > first.port)
    t.match(await check(second, 'proxy-port'), {
      status: 'warn',
      severity: 'optional',
      summary: `listening on ${second.port}: port 8080 is in use by someone`,
    })
    const privileged = await boot(t, { env: '', features: ['privileged-ports'] })
    if (privileged.port === 80) t.equal(privileged.web.url('shop.localhost'), 'http://shop.localhost')
    else
      t.match(await check(privileged, 'proxy-port'), {
        status: 'warn',
        summary: /: port 80 (?:is in use|cannot be used)/,
      })
  })

  await t.test('names a program that listens on the same port of all addresses (macOS)', async t => {
    const run = await boot(t, { overshadowed: 'python3 (pid 812)' })
    t.match(await check(run, 'proxy-http'), {
      status: 'warn',
      summary:
        /^listening on .*; python3 \(pid 812\) listens on the same port of all addresses and gets no loopback connections/,
      fix: /^Change the port of python3 \(pid 812\), or set LOCALD_HTTP_PORT/,
    })
  })

  await t.test('skips its checks before the daemon has booted', async t => {
    const run = await boot(t)
    const checks = new Map<string, Check>()
    const hooks = { ...run.host.hooks, booted: new AsyncSeriesHook<[]>([]) }
    await proxyPlugin.setup({ ...run.host, hooks, provide: () => undefined, check: it => void checks.set(it.id, it) })
    t.match(await checks.get('proxy-http')?.run(), { status: 'skip' })
    t.match(await checks.get('proxy-port')?.run(), { status: 'skip' })
  })
})
