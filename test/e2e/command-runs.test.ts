import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { RunAnswer, RunsAnswer, RunView } from '../../kernel/protocol.ts'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { callApi } from '../lib/dashboard.ts'
import { processList } from '../lib/process-list.ts'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'
import { TerminalClient } from '../lib/terminal-client.ts'

const secret = 'canary-5d1f'
/** A type whose services can be reset. */
const plugin = `export default {
  name: 'store', api: 1,
  setup(host) {
    host.service({
      type: 'store', network: 'none',
      shape: { schema: { type: 'object', properties: {}, additionalProperties: false } },
      start: run => host.use.processes.spawn({ ...run, argv: ['/bin/sleep', '1000'], tty: false }),
      reset: async () => {},
    })
  },
}`

const sandbox = new Sandbox(t)
const { data, daemonLog, socket } = resolvePaths({ env: sandbox.env })
const manifest = { name: 'store', version: '1.0.0', type: 'module', exports: './index.js', locald: { api: 1 } }
sandbox.write(join(data, 'plugins', 'node_modules', 'store', 'package.json'), JSON.stringify(manifest))
sandbox.write(join(data, 'plugins', 'node_modules', 'store', 'index.js'), plugin)

function tomlOf(services: readonly string[]): string {
  const own = services.map(name => `[services.${name}]\ntype = "worker"\ncommand = "exec sleep 1000"\n`)
  return `[project]\nname = "shop"\n[services.store]\ntype = "store"\n${own.join('')}
[services.api]
workdir = "api"
command = "exec sleep 1000"
health_check = "true"
depends_on = ["store"]
env = { API_TOKEN = "${secret}", OWN = "\${services.api.port}" }\n`
}

const path = sandbox.project('shop', { 'locald.toml': tomlOf(['extra']), 'api/kept': '' })

/** Starts a command in the place of a service. */
async function start(service: string, argv: readonly string[]): Promise<RunAnswer> {
  return await callApi(socket, 'POST', '/v1/services/run', { path, service, argv })
}

async function list(): Promise<readonly RunView[]> {
  const { runs } = await callApi<RunsAnswer>(socket, 'GET', '/v1/runs')
  return runs
}

async function close(id: string): Promise<RunsAnswer> {
  return await callApi(socket, 'POST', '/v1/runs/close', { id })
}

function look({ run: { id } }: RunAnswer, size?: readonly [number, number]): TerminalClient {
  return new TerminalClient(t, { socket, of: { id }, ...(size === undefined ? {} : { size }) })
}

/** Returns the pid that a command has written. */
async function pidIn(file: string): Promise<number> {
  const text = await until(
    file,
    () => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n') && readFileSync(file, 'utf8'),
  )
  return Number(text)
}

async function exits(pid: number): Promise<void> {
  await until(`the exit of ${pid}`, () => !processList.isAlive(pid))
}

t.before(async () => {
  await sandbox.ok(['up', '--detach'], { cwd: path })
})

t.test('a command gets the folder and the environment of `locald run`', async t => {
  const script = 'env | sort >"$1"; pwd >>"$1"'
  for (const isUp of [true, false]) {
    if (!isUp) await sandbox.ok(['stop'], { cwd: path })
    await sandbox.ok(['run', 'api', '--', 'sh', '-c', script, 'sh', join(path, 'cli')], { cwd: path })
    const answer = await start('api', ['sh', '-c', script, 'sh', join(path, 'page')])
    t.strictSame(answer.notRunning, isUp ? [] : ['shop:store'])
    await look(answer).shows(/exited with code 0/)
    const [ofCli, ofPage] = ['cli', 'page'].map(name => readFileSync(join(path, name), 'utf8').split('\n'))
    const extra = new Set(['TERM=xterm-256color', 'COLORTERM=truecolor'])
    t.match(
      ofPage?.filter(line => extra.has(line)),
      { length: 2 },
    )
    // The keeper of a command has a socket of its own for notices, as that of a service has.
    const rest = ofPage?.filter(line => !extra.has(line) && !line.startsWith('NOTIFY_SOCKET='))
    t.strictSame(rest, ofCli)
    t.ok(ofPage?.includes(`API_TOKEN=${secret}`))
    t.ok(ofPage?.includes(join(path, 'api')))
    await close(answer.run.id)
  }
  await sandbox.ok(['up', '--detach'], { cwd: path })
})

t.test('takes what is typed, sees the size of the pane, and stays with its exit code until it is closed', async t => {
  const answer = await start('api', ['sh', '-c', 'echo "name?"; read name; stty size; echo "hi $name"; exit 3'])
  t.match(answer.run, { service: 'shop:api', exit: null, argv: ['sh', '-c', /^echo/] })
  const client = look(answer, [70, 20])
  await client.shows(/name\?/)
  client.resize(61, 17)
  await client.until(() => client.size.join() === '61,17', 'the size')
  client.type('Ann\r')
  await client.shows(/^name\?\nAnn\n17 61\nhi Ann\n\n\[exited with code 3\]$/)
  t.match(await list(), [{ id: answer.run.id, exit: { code: 3, signal: null } }])
  const late = look(answer)
  await late.shows(/hi Ann\n\n\[exited with code 3\]$/)
  t.match(late.notes[0], { screen: { input: false } })
  t.strictSame(await close(answer.run.id), { runs: [] })
  t.strictSame(readdirSync(join(data, 'runs')), [], 'its output is deleted')
  await t.rejects(close(answer.run.id), /404 .*UNKNOWN_RUN/)
  const unknown = look(answer)
  await unknown.until(() => unknown.closed?.reason.includes('404') === true, 'a refusal')
})

t.test('shows what a command printed that exited at once', async () => {
  for (let round = 0; round < 5; round++) {
    const answer = await start('api', ['sh', '-c', 'echo quick; exit 1'])
    await look(answer).shows(/^quick\n\n\[exited with code 1\]$/)
    await close(answer.run.id)
  }
})

t.test('stops a command that ignores SIGHUP and SIGTERM, with what it has started', async t => {
  const stubborn = "trap '' HUP TERM; while :; do sleep 1; done"
  const script = `(echo $$ >pid; exec setsid sh -c 'echo $$ >child; ${stubborn.replaceAll("'", '"')}') & ${stubborn}`
  const answer = await start('api', ['sh', '-c', script])
  const pids = [await pidIn(join(path, 'api', 'pid')), await pidIn(join(path, 'api', 'child'))]
  const begun = Date.now()
  t.strictSame(await close(answer.run.id), { runs: [] })
  t.ok(Date.now() - begun >= 4500, 'after the grace period')
  for (const pid of pids) t.notOk(processList.isAlive(pid))
})

t.test('stops a command that ignores SIGHUP alone by SIGTERM', async t => {
  const answer = await start('api', [
    'sh',
    '-c',
    "trap '' HUP; trap 'exit 0' TERM; echo up; while :; do sleep 0.1; done",
  ])
  await look(answer).shows(/up/)
  const begun = Date.now()
  await close(answer.run.id)
  const tookMs = Date.now() - begun
  t.ok(tookMs >= 1400 && tookMs < 4500, `${tookMs} ms`)
})

t.test('leaves nothing of a command that has put another into the background', async () => {
  const answer = await start('api', ['sh', '-c', 'sleep 1000 & echo $! >background'])
  await look(answer).shows(/\[exited with code 0\]/)
  await exits(await pidIn(join(path, 'api', 'background')))
  await close(answer.run.id)
})

t.test('refuses what cannot run, and more than eight at a time', async t => {
  await t.rejects(start('api', ['no-such-command']), /command not found: no-such-command.*Check the PATH of 'api'/)
  await t.rejects(start('api', ['/']), /409 .*"\/ failed to start: exec: Permission denied/)
  await t.rejects(start('api', []), /400 .*REQUEST_INVALID/)
  await t.rejects(start('none', ['true']), /404 .*UNKNOWN_SERVICE/)
  t.strictSame(await list(), [])
  const over = await start('api', ['true'])
  for (let count = 0; count < 7; count++) await start('api', ['sleep', '1000'])
  await look(over).shows(/exited/)
  const last = await start('api', ['sleep', '1000'])
  t.notOk(
    (await list()).some(({ id }) => id === over.run.id),
    'one that has exited makes room',
  )
  await t.rejects(start('api', ['true']), /503 .*too many commands are running \(limit 8\).*Close one of those/)
  await close(last.run.id)
  t.ok(await start('api', ['true']))
  for (const { id } of await list()) await close(id)
})

t.test('keeps little of what a command prints, but its end', async t => {
  const answer = await start('api', ['sh', '-c', 'seq 1 500000; echo over'])
  const client = look(answer)
  await client.shows(/500000\nover\n\n\[exited/)
  const folder = join(data, 'runs', answer.run.id)
  const bytes = readdirSync(folder).reduce((sum, file) => sum + readFileSync(join(folder, file)).length, 0)
  t.ok(bytes > 100_000 && bytes <= 2_000_000, `${bytes} bytes`)
  await close(answer.run.id)
})

t.test('a reset stops the commands in the place of the service, and so does its removal', async t => {
  const [inStore, inExtra, inApi] = [
    await start('store', ['sleep', '1000']),
    await start('extra', ['sleep', '1000']),
    await start('api', ['sleep', '1000']),
  ]
  await sandbox.ok(['service', 'reset', 'store', '--yes'], { cwd: path })
  t.strictSame(
    (await list()).map(({ id }) => id),
    [inExtra.run.id, inApi.run.id],
  )
  t.not(inStore.run.id, inExtra.run.id)
  sandbox.write(join(path, 'locald.toml'), tomlOf([]))
  await until('the removal', async () => (await list()).length === 1)
  t.match(await list(), [{ id: inApi.run.id }])
  await close(inApi.run.id)
})

t.test('no command outlives its daemon, not even one that was killed', async t => {
  const script = 'echo $$ >mark; exec sleep 1000'
  const mark = join(path, 'api', 'mark')
  await start('api', ['sh', '-c', script])
  const first = await pidIn(mark)
  await sandbox.ok(['server', 'shutdown'])
  t.notOk(processList.isAlive(first), 'no other daemon had to stop it')
  t.strictSame(readdirSync(join(data, 'runs')), [])
  await sandbox.ok(['up', '--detach'], { cwd: path })
  t.strictSame(await list(), [])

  sandbox.write(mark, '')
  await start('api', ['sh', '-c', script])
  const second = await pidIn(mark)
  const { pid } = await sandbox.server()
  process.kill(pid, 'SIGKILL')
  await exits(pid)
  t.ok(processList.isAlive(second))
  await sandbox.ok(['server', 'start'])
  t.strictSame(await list(), [], 'the next daemon does not adopt it')
  await exits(second)
  await until('the deletion of its output', () => !existsSync(join(data, 'runs')))
  const { status } = await sandbox.service(path, 'api')
  t.equal(status, 'running', 'services go on')
})

t.test('writes no value of the environment anywhere', async t => {
  const answer = await start('api', ['env'])
  await look(answer).shows(/API_TOKEN=canary/)
  t.notMatch(JSON.stringify(await list()), secret)
  t.notMatch(readFileSync(daemonLog, 'utf8'), secret)
  for (const { command } of sandbox.processes()) t.notMatch(command, secret)
})
