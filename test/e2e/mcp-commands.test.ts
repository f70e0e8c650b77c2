import { join } from 'node:path'
import t from 'tap'
import { IdleProject } from '../lib/idle-project.ts'
import { McpClient } from '../lib/mcp.ts'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'

const long = 'a-command-with-a-name-that-is-almost-as-long-as-a-label-may-be'
const toml = (more = '') => `[project]
name = "shop"
[services.seed]
type = "worker"
restart = "no"
command = "true"
[services.seed.commands.fresh]
run = 'printf "<%s>\\n" \${size} \${mode}; exit 3'
description = "Fill the database"
args = { size = { type = "integer", default = 100, description = "How many" }, mode = { type = "enum", values = ["a", "b"] } }
[services.seed.commands.wipe]
run = "echo wiped"
confirm = true
${more}`

t.test('commands that services declare are tools, and change with the configuration', async t => {
  const sandbox = new Sandbox(t, { user: 'self' })
  const folder = sandbox.project('shop', { 'locald.toml': toml() })
  const agent = await McpClient.start(t, sandbox, folder)
  let changes = 0
  agent.client.setNotificationHandler('notifications/tools/list_changed', async () => {
    changes += 1
  })
  const toolsOf = async () => (await agent.client.listTools()).tools.filter(({ name }) => name.startsWith('run_'))
  t.strictSame(await toolsOf(), [], 'nothing is started to list them')
  t.match(await agent.call('up'), { isError: false })
  await until('the notification', async () => changes > 0)
  const [fresh, wipe] = await toolsOf()
  t.match(fresh, {
    ...{ name: 'run_seed_fresh', description: 'Fill the database', annotations: { destructiveHint: false } },
    inputSchema: {
      properties: {
        args: {
          properties: {
            size: { type: 'integer', default: 100, description: 'How many' },
            mode: { type: 'string', enum: ['a', 'b'] },
          },
          required: ['mode'],
        },
      },
    },
  })
  t.match(wipe, { name: 'run_seed_wipe', annotations: { destructiveHint: true } })

  const ran = await agent.call('run_seed_fresh', { args: { size: 7, mode: 'b' } })
  t.match(ran, { isError: true, data: { exitCode: 3, lines: ['<7>', '<b>'] } })
  t.match(await agent.call('run_seed_wipe'), { isError: false, data: { exitCode: 0, lines: ['wiped'] } })

  t.comment('wrong arguments')
  const wrong: readonly (readonly [args: object, fault: string])[] = [
    [{ args: { size: 'x', mode: 'a' } }, `argument 'size' must be a whole number, it is "x"`],
    [{ args: { mode: 'c' } }, `argument 'mode' must be one of "a", "b", it is "c"`],
    [{ args: {} }, "argument 'mode' is missing"],
    [{ args: { mode: 'a', siez: 1 } }, "unknown argument 'siez'; did you mean 'size'?"],
    [{ args: 1 }, "argument 'args' must be an object, it is 1"],
    [{}, "argument 'args' is missing"],
    [{ args: { mode: 'a', size: 1.5 }, timeout: [] }, "argument 'timeout' must be a number, it is []"],
  ]
  for (const [args, fault] of wrong) {
    const { isError, text } = await agent.call('run_seed_fresh', { ...args })
    t.ok(isError, fault)
    t.match(text, /^Error: run_seed_fresh: .* \[USAGE\]\nHint: Read the input schema of the tool/)
    t.ok(text.includes(fault), `${fault} in ${text}`)
    t.notMatch(text, /data\/|Input validation/)
  }
  t.match(
    (await agent.call('logs', { seconds: 99, grp: 'x' })).text,
    "Error: logs: unknown argument 'grp'; did you mean 'grep'?; argument 'seconds' must be 30 or less, it is 99 [USAGE]",
  )

  const status = await agent.call('status')
  t.match(status.data, { services: [{ name: 'seed', commands: ['fresh', 'wipe'] }] })
  t.match(status.text, /^seed .*; commands: fresh, wipe$/m)

  t.comment('another configuration')
  sandbox.write(join(folder, 'locald.toml'), toml(`[services.seed.commands.${long}]\nrun = "true"\n`))
  const before = changes
  t.match(await agent.call('up'), { isError: false })
  await until('the notification', async () => changes > before)
  const names = (await toolsOf()).map(({ name }) => name)
  t.equal(names.length, 3)
  t.match(names[2], /^[A-Za-z0-9_-]{64}$/)
  t.match(await agent.call(names[2] ?? ''), { isError: false })

  t.comment('another client finds them at once')
  for (const [cwd, roots] of [
    [folder, []],
    [sandbox.home, [folder]],
  ] as const) {
    const other = await McpClient.start(t, sandbox, cwd, roots)
    const { tools } = await other.client.listTools()
    t.ok(
      tools.some(({ name }) => name === 'run_seed_fresh'),
      cwd,
    )
  }

  t.comment('a command that the system refuses')
  const large = await agent.call('run', { service: 'seed', command: `: ${'x'.repeat(200_000)}` })
  t.match(large, { isError: true })
  t.match(large.text, /^Error: the command is too long for this system \[SPAWN_FAILED\]\nHint: Write it to a file/)
})

t.test('run wakes what sleeps, and keeps it awake as long as the command runs', async t => {
  const sandbox = new Sandbox(t, { user: 'self' })
  const project = new IdleProject(sandbox, { db: [], other: [], web: ['db'] })
  const { folder } = project
  const stateOf = async (name: string) => (await sandbox.service(folder, name)).status
  await sandbox.run(['up'], { cwd: folder })
  await until('its sleep', async () => (await stateOf('db')) === 'stopped')
  const agent = await McpClient.start(t, sandbox, folder)
  const running = agent.call('run', { service: 'web', command: 'until [ -e over ]; do sleep 0.05; done' })
  await until('its wake', async () => (await stateOf('db')) === 'running')
  // It would sleep before another service that was used later.
  await project.findPort()
  t.equal((await project.ask('other', '/')).body, '0 bytes')
  await until('the sleep of the other', async () => (await stateOf('other')) === 'stopped')
  t.equal(await stateOf('db'), 'running')
  sandbox.write(join(folder, 'at', 'web', 'over'), '')
  t.match(await running, { isError: false })
  await until('its sleep', async () => (await stateOf('db')) === 'stopped')
})
