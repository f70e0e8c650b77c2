import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { McpClient } from '../lib/mcp.ts'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'

const server = `import { createServer } from 'node:http'
console.log('ready to serve')
createServer((request, response) => {
  console.log(request.method + ' ' + request.url)
  response.statusCode = request.url === '/broken' ? 500 : 200
  response.end('ok')
}).listen(Number(process.env.PORT), '127.0.0.1')`

const toml = `[project]
name = "shop"
[services.web]
command = "exec ${process.execPath} server.mjs"
[services.api]
command = "exec ${process.execPath} server.mjs"
`

t.test('serves a project to an agent', async t => {
  const sandbox = new Sandbox(t, { user: 'self' })
  const folder = sandbox.project('shop', { 'locald.toml': toml, 'server.mjs': server })
  const agent = await McpClient.start(t, sandbox, folder)

  await t.test('lists ten tools with schemas and hints, and starts nothing for that', async t => {
    const { tools } = await agent.client.listTools()
    const names = ['status', 'up', 'wait', 'restart', 'stop', 'logs', 'why', 'run', 'requests', 'doctor']
    t.strictSame(
      tools.map(({ name }) => name),
      names,
    )
    for (const { name, inputSchema, outputSchema, annotations, description } of tools) {
      t.equal(inputSchema.type, 'object', name)
      t.equal(outputSchema?.type, 'object', name)
      t.type(annotations?.readOnlyHint, 'boolean', name)
      t.ok((description ?? '').length < 500, name)
    }
    t.ok(JSON.stringify(tools).length < 16_000, 'what every session pays')
    t.strictSame(
      sandbox.processes().filter(({ command }) => command.includes('daemon')),
      [],
    )
    const status = await agent.call('status')
    t.match(status, { isError: false, data: { services: [] } })
    t.match(status.text, /No daemon is running.*`up`/s)
  })

  await t.test('starts it, and says the second time that it runs', async t => {
    const first = await agent.call('up')
    t.match(first, { isError: false, data: { ok: true, project: { name: 'shop', path: folder } } }, first.text)
    t.match(first.text, /web ready https?:\S+ \(started now/)
    const again = await agent.call('up')
    t.match(again.text, /web ready \S+ \(already running, started \S+ ago by you/)
    const other = await McpClient.start(t, sandbox, sandbox.home)
    t.match(
      (await other.call('up', { project: 'shop' })).text,
      /already running, started \S+ ago by lease of test \(pid \d+\)/,
    )
    t.match(
      (await other.call('stop', { project: 'shop', all: true })).text,
      /^Error: not started by you: web \(started \S+ ago by lease of test.*\[USAGE\]\nHint: /,
    )
    t.match((await other.call('status', { project: 'nope' })).text, /^Error: unknown project 'nope' .*shop \(/s)
    t.match((await agent.call('stop')).text, /Hint: Use `services`/)
    t.match((await agent.call('status')).text, /2 ready/)
  })

  await t.test('shows what is new in the logs since the last look', async t => {
    t.match((await agent.call('logs')).text, /web \| ready to serve/)
    t.match((await agent.call('logs')).text, /No lines new since your last look/)
    await sandbox.get('shop.localhost', '/cart')
    const fresh = await agent.call('logs', { services: ['web'] })
    t.match(fresh.text, /web \| GET \/cart/)
    t.notMatch(fresh.text, /ready to serve/)
    t.match((await agent.call('logs', { grep: 'READY to' })).text, /web \| ready to serve/)
    t.match(await agent.call('logs', { grep: '(' }), { isError: true, text: /\[USAGE\]/ })
  })

  await t.test('lists, shows and replays requests', async t => {
    await sandbox.get('shop.localhost', '/broken')
    const { data } = await agent.call('requests', { status: '5xx' })
    t.match(data, { requests: [{ method: 'GET', path: '/broken', status: 500 }], more: 0 })
    const [first] = Array.isArray(data['requests']) ? data['requests'] : []
    const { id }: { id: string } = first
    t.match((await agent.call('requests', { id })).text, /GET https?:\/\/shop\.localhost\S*\/broken[\s\S]*500/)
    t.match((await agent.call('requests', { id, replay: true })).text, /^Replayed \S+ as \S+: 500/)
  })

  await t.test('runs a command with its exit code, within its time', async t => {
    t.match(await agent.call('run', { service: 'web', command: 'echo "port $PORT"; exit 3' }), {
      ...{ isError: true, data: { exitCode: 3, timedOut: false, lines: [/port \d+/] } },
    })
    const late = await agent.call('run', { service: 'web', command: 'sleep 60 & sleep 60', timeout: 0.2 })
    t.match(late, { isError: true, data: { exitCode: null, timedOut: true } })
    t.ok(late.ms < 10_000)
    const much = await agent.call('run', { service: 'web', command: 'seq 1 200000; echo the end' })
    t.match(much.text, /the end$/m)
    const earlier = await agent.call('run', { cursor: much.data['cursor'] })
    t.ok(earlier.text.split('\n').includes('1'), 'earlier lines by the cursor')
    t.match(await agent.call('run', { service: 'web' }), { isError: true })
  })

  await t.test('kills a command whose call the client cancels', async t => {
    const runs = () => sandbox.processes().some(({ command }) => command === 'sleep 200603')
    const cancel = new AbortController()
    const args = { service: 'web', command: 'sleep 200603' }
    const call = agent.client.callTool({ name: 'run', arguments: args }, { signal: cancel.signal })
    await until('the command', runs)
    cancel.abort()
    await t.rejects(call)
    await until('it to exit', () => !runs())
  })

  await t.test('restarts and stops what it has started', async t => {
    t.match(await agent.call('restart', { services: ['web'] }), { isError: false, data: { ok: true } })
    t.match(await agent.call('wait', { services: ['web'] }), { isError: false, data: { ok: true } })
    // The other client has exited.
    await until('its lease to be over', async () => !/, test \(pid/.test((await agent.call('status')).text))
    t.match((await agent.call('stop', { services: ['api'] })).text, /Stopped\.\napi stopped/)
    t.match(await agent.call('why'), { isError: false })
    t.match((await agent.call('doctor')).data, { ok: Boolean })
  })

  await t.test('finds the project by the roots of the client', async t => {
    const other = await McpClient.start(t, sandbox, '/', [`${folder}/sub`, folder])
    t.match((await other.call('status')).data, { project: { name: 'shop', path: folder } })
  })

  await t.test('answers a client of 2025, and exits with its input or by a signal', async t => {
    const env = Object.entries(sandbox.env).map(([key, value]) => `${key}=${value}`)
    const begin = () => spawn('env', ['-i', ...env, process.execPath, sandbox.main, 'mcp'], { cwd: folder })
    const child = begin()
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'old', version: '1' } }
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })}\n`)
    const [bytes]: Buffer[] = await once(child.stdout, 'data')
    t.match(JSON.parse(String(bytes)), { id: 1, result: { serverInfo: { name: 'locald' } } })
    const notified = { jsonrpc: '2.0', method: 'notifications/initialized' }
    const slow = { name: 'run', arguments: { service: 'web', command: 'sleep 87' } }
    child.stdin.write(`${JSON.stringify(notified)}\n`)
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: slow })}\n`)
    const isSleeping = () => sandbox.processes().some(({ command }) => command.includes('sleep 87'))
    await until('the command', isSleeping)
    child.stdin.end()
    t.strictSame(await once(child, 'exit'), [0, null])
    await until('the exit of the command', () => !isSleeping())
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
      const next = begin()
      next.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })}\n`)
      await once(next.stdout, 'data')
      next.kill(signal)
      t.strictSame(await once(next, 'exit'), [0, null], signal)
    }
  })

  await t.test(
    'what it alone has started stops with its client, what a person has started is not stopped for it',
    async t => {
      const own = sandbox.project('own', { 'locald.toml': toml.replace('"shop"', '"own"'), 'server.mjs': server })
      await sandbox.ok(['up', 'api', '--detach'], { cwd: own })
      const other = await McpClient.start(t, sandbox, own)
      const { text } = await other.call('up')
      t.match(text, /api ready \S+ \(already running, started \S+ ago by the user/)
      t.match(text, /web ready \S+ \(started now/)
      t.match(
        (await other.call('stop', { services: ['api'] })).text,
        /not started by you: api \(started \S+ ago by the user\)/,
      )
      process.kill(other.transport.pid ?? Number.NaN, 'SIGKILL')
      const running = async () => (await sandbox.status(own)).flatMap(({ name, pid }) => (pid === null ? [] : [name]))
      await until('web to stop', async () => (await running()).join() === 'api', 6000)
    },
  )
})
