import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { ConfigAnswer, RunAnswer } from '../../kernel/protocol.ts'
import { callApi } from '../lib/dashboard.ts'
import { IdleProject } from '../lib/idle-project.ts'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'
import { TerminalClient } from '../lib/terminal-client.ts'

const toml = (extra = '') => `[project]
name = "shop"
[services.web]
command = "exec node -e 'setInterval(() => {}, 1e6)'"
health_check = { type = "command", command = "true" }
env = { LEVEL = "debug" }
workdir = "app"
[services.web.commands.show]
run = 'printf "<%s>\\n" \${size} "[\${note}]" \${dry} \${services.web.port} "$LEVEL" "$PORT" "\${PWD##*/}"'
description = "Show what it gets"
args = { size = { type = "integer", default = 100 }, note = { default = "-" }, dry = { type = "boolean", default = false } }
[services.web.commands.fail]
run = "exit 3"
${extra}`

t.test("a service's own command runs in its place, with its arguments as words", async t => {
  const sandbox = new Sandbox(t)
  const folder = sandbox.project('shop', { 'locald.toml': toml(), 'app/x': '' })
  const run = (...args: readonly string[]) => sandbox.run(['run', ...args], { cwd: folder })
  const first = await run('web', 'show')
  t.equal(first.code, 0, first.stderr)
  const [size, note, dry, port, level, own, dir] = first.stdout.split('\n')
  t.strictSame([size, note, dry, level, dir], ['<100>', '<[-]>', '<false>', '<debug>', '<app>'])
  t.equal(port, own, 'the references of env')
  t.match(port, /^<\d+>$/)

  const hostile = `'; exit 9; "$(exit 9)\` \${HOME}\n*`
  const shown = await run('shop:web', 'show', '--note', hostile, '--dry', '--size=7')
  t.ok(shown.stdout.startsWith(`<7>\n<[${hostile}]>\n<true>\n`), shown.stdout)
  t.equal((await run('web', 'fail')).code, 3)
  const wrong = await run('web', 'show', '--size', 'x', '--dry=maybe')
  t.match(wrong, { code: 2, stdout: '' })
  t.match(wrong.stderr, "Error: web show: 'size' must be a whole number; 'dry' must be true or false [USAGE]")
  t.match(await run('web', '--', 'show'), { code: 127, stderr: 'Error: command not found: show' })

  t.comment('a change of a command applies at once, and restarts nothing')
  await sandbox.run(['up'], { cwd: folder })
  const { pid } = await sandbox.service(folder, 'web')
  sandbox.write(join(folder, 'locald.toml'), toml('[services.web.commands.more]\nrun = "echo more"\n'))
  await sandbox.run(['up'], { cwd: folder })
  t.equal((await run('web', 'more')).stdout, 'more\n')
  t.equal((await sandbox.service(folder, 'web')).pid, pid)
  t.match((await run('web')).stdout, /^Commands of web:\n {2}show {2}Show what it gets\n {2}fail {2}exit 3\n {2}more/)

  t.comment('the configuration')
  const shownConfig = await sandbox.run(['config', 'show', '--json'], { cwd: folder })
  const { values }: ConfigAnswer = JSON.parse(shownConfig.stdout)
  const line = toml().split('\n').indexOf('run = "exit 3"') + 1
  t.match(
    values.find(({ key }) => key === 'services.web.commands.fail.run'),
    { value: 'exit 3', file: join(folder, 'locald.toml'), line },
  )
})

t.test('a command on a terminal of its own wakes what sleeps, and keeps it awake as long as it runs', async t => {
  const sandbox = new Sandbox(t)
  const project = new IdleProject(sandbox, { db: [], other: [], web: ['db'] })
  const { folder } = project
  const config = join(folder, 'locald.toml')
  const command = `run = 'echo "got \${note}"; until [ -e over ]; do sleep 0.05; done'\nargs = { note = {} }\n`
  sandbox.write(config, `${readFileSync(config, 'utf8')}[services.web.commands.hold]\n${command}`)
  const waitFor = async (name: string, status: string) =>
    await until(`${name} ${status}`, async () => (await sandbox.service(folder, name)).status === status)
  await sandbox.up(folder)
  await waitFor('db', 'stopped')
  const { socket } = await sandbox.server()
  const call = { path: folder, service: 'web', command: { name: 'hold', args: { note: 'a b' } } }
  const { run }: RunAnswer = await callApi(socket, 'POST', '/v1/services/run', call)
  t.match(run.argv, ['hold', '--note=a b'], 'what people see of it')
  const terminal = new TerminalClient(t, { socket, of: { id: run.id } })
  await terminal.shows(/^got a b$/)
  t.equal((await sandbox.service(folder, 'db')).status, 'running')

  t.comment('another service, used later, sleeps before it')
  await project.findPort()
  t.equal((await project.ask('other', '/')).body, '0 bytes')
  await waitFor('other', 'stopped')
  t.equal((await sandbox.service(folder, 'db')).status, 'running')
  sandbox.write(join(folder, 'at', 'web', 'over'), '')
  await terminal.shows(/\[exited with code 0\]$/)
  await waitFor('db', 'stopped')
  const wrong = callApi(socket, 'POST', '/v1/services/run', { ...call, command: { name: 'hold' } })
  await t.rejects(wrong, /400 .*web hold: 'note' is required/)
})
