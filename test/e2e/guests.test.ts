// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are references of locald, not of JavaScript.
/** Services that run elsewhere, by a plugin whose engine is a program of its own: what needs no process tree. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { DoctorAnswer } from '../../kernel/protocol.ts'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'

/** The program of a guest: listens on its ports, and writes what it was started with. */
const program = `
const { createServer } = require('node:net')
const { writeFileSync } = require('node:fs')
const [folder, ...ports] = process.argv.slice(2)
writeFileSync(folder + '/' + process.env.NAME + '.json', JSON.stringify({ env: process.env, pid: process.pid }))
for (const port of ports) createServer(socket => socket.on('error', () => {}).write('hello')).listen(Number(port), '127.0.0.1')
`

/** A type that starts such programs without a keeper, and adopts them by their pid. */
const plugin = `
import { spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

function instance(run, state, exited) {
  const kill = signal => { try { process.kill(state.pid, signal) } catch {} }
  return {
    pid: null, startedMs: state.startedMs, state, exited,
    stop: async () => { kill('SIGKILL'); await exited },
    exitReason: () => 'was stopped by its engine',
  }
}

function lost(pid) {
  return new Promise(resolve => {
    const timer = setInterval(() => {
      try { process.kill(pid, 0) } catch { clearInterval(timer); resolve({ code: null, signal: null }) }
    }, 20)
  })
}

export default {
  name: 'guest', api: 1,
  setup(host) {
    const engine = join(host.folders.data, 'engine')
    host.feature('guest:engine', () => existsSync(engine)
      ? { on: true, title: 'An engine' }
      : { on: false, title: 'An engine', reason: 'no engine is installed', hint: 'Install one.' })
    host.service({
      type: 'guest', reach: 'guest', network: 'port', hostName: 'host.test', requires: ['guest:engine'],
      shape: { schema: { type: 'object', properties: { ports: { type: 'array', items: { type: 'integer' }, default: [] } }, additionalProperties: false } },
      guestPort: () => 80, guestHost: run => run.name + '.inside', ports: options => options.ports,
      async start(run) {
        const argv = [join(run.dir, 'guest.cjs'), run.dir, run.port, ...Object.values(run.ports)].map(String)
        const child = spawn(process.execPath, argv, { detached: true, stdio: 'ignore', env: { ...run.env, NAME: run.name, TO_HOST: run.hostPorts.join() } })
        const exited = new Promise(resolve => child.once('exit', (code, signal) => resolve({ code, signal })))
        return instance(run, { pid: child.pid, startedMs: Date.now() }, exited)
      },
      async adopt(run, state) {
        writeFileSync(join(run.dir, run.name + '.adopted'), JSON.stringify([run.port, run.ports, run.hostPorts]))
        return instance(run, state, lost(state.pid))
      },
      oneOff: (run, argv, { tty }) => ({ argv: ['sh', '-c', 'echo "inside $AT:" "$@"', 'sh', ...argv, String(tty)], env: { AT: run.name } }),
    })
  },
}
`

const toml = `[project]
name = "shop"
[services.api]
command = "exec sleep 1000"
health_check = "true"
[services.cache]
type = "guest"
ports = [9001]
restart = "on-failure"
[services.worker]
type = "guest"
restart = "on-failure"
env = { API = "\${services.api.url}", CACHE = "\${services.cache.url}", MORE = "\${services.cache.ports.9001}" }
`

t.test('a service that has no process of this machine', async t => {
  const sandbox = new Sandbox(t)
  const { data } = resolvePaths({ env: sandbox.env })
  const manifest = { name: 'guest', version: '1.0.0', type: 'module', exports: './index.js' }
  const files = {
    'package.json': JSON.stringify({ ...manifest, locald: { api: 1, types: ['guest'] } }),
    'index.js': plugin,
  }
  for (const [path, text] of Object.entries(files))
    sandbox.write(join(data, 'plugins', 'node_modules', 'guest', path), text)
  const shop = sandbox.project('shop', { 'locald.toml': toml, 'guest.cjs': program })
  const started = (name: string): { readonly env: Record<string, string>; readonly pid: number } =>
    JSON.parse(readFileSync(join(shop, `${name}.json`), 'utf8'))

  t.comment('the flag is read each time')
  const refused = await sandbox.run(['up'], { cwd: shop })
  t.match(refused, { code: 2, stderr: /type 'guest' is not available: no engine is installed/ })
  t.equal(existsSync(join(shop, 'cache.json')), false)
  sandbox.write(join(data, 'engine'), '')
  await sandbox.up(shop)
  const { checks }: DoctorAnswer = JSON.parse((await sandbox.run(['doctor', '--json'], { cwd: shop })).stdout)
  t.match(
    checks.find(({ id }) => id === 'guest:engine'),
    { status: 'pass', summary: 'An engine: available' },
  )

  t.match((await sandbox.ok(['plugins', 'list'], { cwd: shop })).stdout, /guest +1\.0\.0 .*guest:engine/)

  t.comment('status and why')
  const cache = await sandbox.service(shop, 'cache')
  t.match(cache, { ...{ status: 'running', health: 'healthy', pid: null, cpu: null, memory: null }, reason: null })
  const table = (await sandbox.ok(['status'], { cwd: shop })).stdout
  t.match(table, new RegExp(`cache +Running +Healthy +${cache.port} +- +- +[\\d.]+s`))
  const why = await sandbox.ok(['why', 'cache'], { cwd: shop })
  t.match(why.stdout, `cache is running, healthy (port ${cache.port})`)

  t.comment('references')
  const api = await sandbox.service(shop, 'api')
  const { env } = started('worker')
  t.match(env, {
    ...{ API: `http://host.test:${api.port}`, CACHE: 'http://cache.inside:80', MORE: '9001', PORT: '80' },
    TO_HOST: String(api.port),
  })
  t.equal(env['HOME'], undefined)

  t.comment('one-off commands')
  const inside = await sandbox.ok(['run', 'cache', '--', 'ls', 'a b'], { cwd: shop })
  t.equal(inside.stdout, 'inside cache: ls a b false\n')

  t.comment('the next daemon')
  const { pid } = await sandbox.server()
  process.kill(pid, 'SIGKILL')
  await sandbox.ok(['server', 'start'])
  const passed = (name: string): readonly unknown[] => JSON.parse(readFileSync(join(shop, `${name}.adopted`), 'utf8'))
  t.match(passed('cache'), [cache.port, { 9001: Number }, []])
  t.match(passed('worker')[2], [api.port])
  const adopted = await sandbox.service(shop, 'cache')
  t.match(adopted, { ...cache, pid: null })
  await sandbox.up(shop)
  t.match(await sandbox.service(shop, 'worker'), { status: 'running', restarts: 0 })
  t.strictSame(started('worker').env, env, 'nothing has changed for it')
  t.equal((await sandbox.service(shop, 'cache')).startedAt, cache.startedAt)

  t.comment('a crash')
  process.kill(started('cache').pid, 'SIGKILL')
  await until('it restarts', async () => {
    const { restarts, health } = await sandbox.service(shop, 'cache')
    return restarts === 1 && health === 'healthy'
  })
  const explained = await sandbox.ok(['why', 'cache'], { cwd: shop })
  t.match(explained.stdout, 'last restart: was stopped by its engine')
  t.equal((await sandbox.service(shop, 'cache')).port, cache.port)
  const second = started('cache')
  process.kill(second.pid, 'SIGKILL')
  await until('it restarts again', async () => (await sandbox.service(shop, 'cache')).restarts === 2)
  t.match(
    (await sandbox.logs(shop)).filter(line => line.service === 'cache'),
    [],
    'no line of a keeper',
  )

  t.comment('restart and stop')
  await until('it is ready', async () => (await sandbox.service(shop, 'cache')).health === 'healthy')
  const before = started('cache').pid
  await sandbox.ok(['restart', 'cache'], { cwd: shop })
  t.not(started('cache').pid, before)
  await sandbox.ok(['stop'], { cwd: shop })
  t.match(await sandbox.service(shop, 'cache'), { status: 'stopped', pid: null })
  const stopped = await sandbox.run(['run', 'cache', '--', 'ls'], { cwd: shop })
  t.match(stopped, { code: 1, stderr: /cache is not running: commands run inside it \[SERVICE_NOT_RUNNING\]\nHint: / })
})
