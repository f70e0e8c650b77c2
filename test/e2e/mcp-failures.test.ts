import { once } from 'node:events'
import { createServer } from 'node:net'
import t from 'tap'
import { McpClient } from '../lib/mcp.ts'
import { until } from '../lib/running.ts'
import { type Files, Sandbox } from '../lib/sandbox.ts'

const node = process.execPath

/** A project with a fault, and the fact without which no one finds it. */
interface Fault {
  readonly files: Files
  /** What the first answer of `up` has. */
  readonly facts: readonly RegExp[]
}

function toml(name: string, services: string): string {
  return `[project]\nname = "${name}"\n${services}`
}

function web(command: string, more = ''): string {
  return `[services.web]\ncommand = ${JSON.stringify(command)}\n${more}`
}

const listening = `require('node:http').createServer((q, s) => s.end('ok'))`

function faults(taken: number): Readonly<Record<string, Fault>> {
  return {
    'exit-1': {
      files: { 'locald.toml': toml('exit-1', web('echo "FATAL: no table orders" >&2; exit 1', 'restart = "no"')) },
      facts: [/web failed: exited with code 1/, /\| FATAL: no table orders/],
    },
    'missing-command': {
      files: { 'locald.toml': toml('missing-command', web('exec uvicornn app:app', 'restart = "no"')) },
      facts: [/uvicornn.*not found/],
    },
    'port-in-use': {
      files: { 'locald.toml': toml('port-in-use', web(`exec ${node} -e "1"`, `port = ${taken}`)) },
      facts: [new RegExp(`port ${taken} is in use by node`)],
    },
    'wrong-port': {
      files: {
        'locald.toml': toml('wrong-port', web(`exec ${node} web.cjs`, 'ready_timeout = 3\nport = 1')),
        'web.cjs': `${listening}.listen(0, '127.0.0.1')`,
      },
      facts: [/port/],
    },
    'failing-dependency': {
      files: {
        'locald.toml': toml(
          'failing-dependency',
          `${web(`exec ${node} web.cjs`, 'depends_on = ["db"]')}\n[services.db]\ntype = "worker"\nrestart = "no"\ncommand = "echo data folder is locked; exit 4"`,
        ),
        'web.cjs': `${listening}.listen(process.env.PORT)`,
      },
      facts: [/db failed: exited with code 4/, /data folder is locked/],
    },
    'bad-toml': {
      files: { 'locald.toml': toml('bad-toml', '[services.web]\ncomand = "npm run dev"\n') },
      facts: [/locald\.toml:4/, /comand/, /did you mean 'command'/i],
    },
    'missing-variable': {
      files: {
        'locald.toml': toml('missing-variable', web(`exec ${node} web.cjs`, 'restart = "no"')),
        'web.cjs': `if (!process.env.STRIPE_KEY) throw new Error('STRIPE_KEY is not set')`,
      },
      facts: [/STRIPE_KEY is not set/],
    },
    'failing-health-check': {
      files: {
        'locald.toml': toml(
          'failing-health-check',
          web(
            `exec ${node} web.cjs`,
            'ready_timeout = 3\nhealth_check = { type = "http", path = "/healthz", interval = 0.2 }',
          ),
        ),
        'web.cjs': `require('node:http').createServer((q, s) => { s.statusCode = 503; s.end() }).listen(process.env.PORT, '127.0.0.1')`,
      },
      facts: [/\/healthz/, /503/],
    },
    'crash-loop': {
      files: {
        'locald.toml': toml('crash-loop', web(`exec ${node} web.cjs`)),
        'web.cjs': `console.log('reading cache'); throw new RangeError('cache version 9 is unknown')`,
      },
      facts: [/5 crashes/, /RangeError: cache version 9 is unknown/],
    },
    'missing-packages': {
      files: {
        'locald.toml': toml('missing-packages', web(`exec ${node} web.cjs`, 'restart = "no"')),
        'package.json': JSON.stringify({ name: 'x', dependencies: { 'no-such-framework': '1' } }),
        'web.cjs': `require('no-such-framework')`,
      },
      facts: [/no-such-framework/, /node_modules is missing: run `npm install`/],
    },
  }
}

t.test('the first answer of up has the cause of ten failures', async t => {
  const blocker = createServer().listen(0, '127.0.0.1')
  t.teardown(() => blocker.close())
  await once(blocker, 'listening')
  const address = blocker.address()
  const sandbox = new Sandbox(t, { user: 'self' })
  const agent = await McpClient.start(t, sandbox, sandbox.home)
  const seeded = faults(typeof address === 'object' && address !== null ? address.port : 0)
  await Promise.all(
    Object.entries(seeded).map(async ([name, { files, facts }]) => {
      const folder = sandbox.project(name, files)
      const { text, isError, bytes } = await agent.call('up', { project: folder })
      t.ok(isError, name)
      t.ok(bytes < 12_000, `${name}: ${bytes} bytes`)
      for (const fact of facts) t.match(text, fact, name)
      t.match(text, name === 'bad-toml' ? /Hint: / : /Fix the cause below/, `${name}: how to go on`)
      if (name !== 'bad-toml') t.match((await agent.call('why', { project: folder })).text, facts[0], `${name}: why`)
    }),
  )
})

t.test('explains a service that crashes again and again after it was ready, also while it is', async t => {
  const sandbox = new Sandbox(t, { user: 'self' })
  const folder = sandbox.project('later', {
    'locald.toml': toml('later', web(`exec ${node} web.cjs`)),
    // It crashes once, so that it is ready when it is explained.
    'web.cjs': `const { existsSync, writeFileSync } = require('node:fs')
${listening}.listen(process.env.PORT, '127.0.0.1')
if (!existsSync('crashed')) setTimeout(() => {
  writeFileSync('crashed', '')
  throw new Error('cache is corrupted')
}, 1000)`,
  })
  const agent = await McpClient.start(t, sandbox, folder)
  t.match((await agent.call('up')).text, /All are ready/)
  await until('it to be ready again', async () => /web ready .*1 restarts/.test((await agent.call('status')).text))
  const { text } = await agent.call('why')
  t.match(text, /web is running, healthy .*restarted once/)
  t.match(text, /last restart: .*cache is corrupted/)
})
