import { request } from 'node:http'
import t from 'tap'
import type { LocaldEvent } from '../../kernel/events.ts'
import type { EnvAnswer, EnvVariable } from '../../kernel/protocol.ts'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { Sandbox } from '../lib/sandbox.ts'

const files = {
  'locald.toml': `[project]
name = "shop"
[env]
LOG_LEVEL = "debug"
[services.web]
command = "node web.mjs"
env_file = [".env.local"]
env = { DATABASE_URL = "postgres://app:\${DB_WORD}@127.0.0.1/shop", GREETING = "hello" }
`,
  '.env': 'DB_WORD=open-sesame\nLOG_LEVEL=info\n',
  '.env.local': '\nAPI_KEY=sk_live_1\n',
  'web.mjs': `import { createServer } from 'node:http'
    createServer((_, response) => response.end('web')).listen(Number(process.env.PORT), '127.0.0.1')`,
}

t.test('the environment of a service, with what sets each variable', async t => {
  const sandbox = new Sandbox(t)
  const path = sandbox.project('shop', files)
  await sandbox.up(path, [], { env: { EDITOR_TOKEN: 'shell-secret', COLOUR: 'green' } })
  const ask = async (...args: readonly string[]): Promise<EnvAnswer> =>
    JSON.parse((await sandbox.ok(['env', 'web', '--json', ...args], { cwd: path })).stdout)
  const shown = (answer: EnvAnswer, name: string): EnvVariable => {
    const found = answer.variables.find(variable => variable.name === name)
    if (found === undefined) throw new Error(`no ${name} in ${answer.variables.map(({ name }) => name)}`)
    return found
  }

  await t.test('says from where each value comes and masks secrets', async t => {
    const answer = await ask()
    t.match(answer, { key: 'shop:web', running: true, removed: [] })
    t.strictSame(
      answer.variables.map(({ name }) => name),
      answer.variables.map(({ name }) => name).toSorted(),
      'in the order of their names',
    )
    t.match(shown(answer, 'LOG_LEVEL'), {
      value: '••••',
      secret: true,
      from: { layer: '.env', text: '.env:2', line: 2 },
      overrides: [{ layer: 'project', text: 'locald.toml:4' }],
      current: true,
    })
    t.match(shown(answer, 'API_KEY'), { value: '••••', from: { layer: 'env_file', text: '.env.local:2' } })
    t.match(shown(answer, 'GREETING'), {
      value: 'hello',
      secret: false,
      from: { text: 'locald.toml:8' },
      overrides: [],
    })
    t.match(shown(answer, 'DATABASE_URL'), { value: 'postgres://app:••••@127.0.0.1/shop', secret: true })
    t.match(shown(answer, 'COLOUR'), { value: 'green', from: { layer: 'shell', text: 'shell' } })
    t.match(shown(answer, 'EDITOR_TOKEN'), { value: '••••', secret: true })
    t.match(shown(answer, 'PORT'), { secret: false, from: { layer: 'locald', text: 'locald' } })
    t.match(shown(answer, 'LOCALD_URL'), { from: { layer: 'plugin', plugin: 'proxy', text: 'plugin proxy' } })
    t.match(shown(answer, 'NODE_EXTRA_CA_CERTS'), { from: { plugin: 'https', text: 'plugin https' } })
    for (const secret of ['open-sesame', 'sk_live_1', 'shell-secret'])
      t.notMatch(JSON.stringify(answer), secret, 'no secret in the answer')
  })

  await t.test('reveals them on request, one or all, and reports it as an event', async t => {
    const { socket } = resolvePaths({ env: sandbox.env })
    const events = await follow(socket)
    t.teardown(events.close)
    t.match(shown(await ask('--reveal'), 'API_KEY'), { value: 'sk_live_1', secret: true })
    t.match(await events.notice(), /^5 secrets of shop:web were revealed$/)
    const query = `path=${encodeURIComponent(path)}&service=web&reveal=true&name=DB_WORD`
    const one: EnvAnswer = JSON.parse(await get(socket, `/v1/services/env?${query}`))
    t.match(shown(one, 'DB_WORD'), { value: 'open-sesame' })
    t.match(shown(one, 'API_KEY'), { value: '••••' }, 'the others stay masked')
    t.match(await events.notice(), /^DB_WORD of shop:web was revealed$/)
  })

  await t.test('shows what a restart changes', async t => {
    await sandbox.up(path, [], { env: { COLOUR: 'red', SHLVL: '7' } })
    const answer = await ask()
    t.match(shown(answer, 'COLOUR'), { value: 'red', current: false })
    t.match(shown(answer, 'SHLVL'), { value: '7', current: true }, 'what differs from shell to shell')
    t.match(answer.removed, ['EDITOR_TOKEN'])
    t.match(shown(answer, 'LOG_LEVEL'), { current: true })
    const { stdout, stderr } = await sandbox.ok(['env', 'web'], { cwd: path })
    t.match(stdout, /^COLOUR \* +shell +red$/m)
    t.match(stderr, /Run `locald restart web` to apply/)
    t.match(stdout, /^DB_WORD +\.env:1 +••••$/m)
  })

  await t.test('names file and line also after a restart of the daemon', async t => {
    await sandbox.ok(['server', 'restart'])
    const answer = await ask()
    t.match(shown(answer, 'GREETING'), { from: { layer: 'service', text: 'locald.toml:8' } })
    t.match(shown(answer, 'LOG_LEVEL').overrides, [{ layer: 'project', text: 'locald.toml:4' }])
  })

  await t.test('refuses an unknown service', async t => {
    t.match(await sandbox.run(['env', 'nowhere'], { cwd: path }), { code: 2, stderr: /UNKNOWN_SERVICE/ })
  })
})

function get(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path }, response => {
      let body = ''
      response.setEncoding('utf8').on('data', text => {
        body += text
      })
      response.once('end', () => resolve(body))
    })
      .once('error', reject)
      .end()
  })
}

/** Follows the events of a daemon; `notice` waits for the next notice. */
function follow(socketPath: string) {
  const seen: string[] = []
  let wake = () => {}
  return new Promise<{ notice(): Promise<string>; close(): void }>((resolve, reject) => {
    const asking = request({ socketPath, path: '/v1/events' }, response => {
      let rest = ''
      response.setEncoding('utf8').on('data', text => {
        const lines = `${rest}${text}`.split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines.filter(Boolean)) {
          const event: LocaldEvent = JSON.parse(line)
          if (event.event === 'notice') seen.push(event.message)
        }
        wake()
      })
      const notice = async () => {
        const end = Date.now() + 20_000
        while (seen.length === 0 && Date.now() < end)
          await new Promise<void>(done => {
            wake = done
            setTimeout(done, 1000)
          })
        return seen.shift() ?? 'no notice'
      }
      resolve({ notice, close: () => asking.destroy() })
    })
    asking.once('error', reject)
    asking.end()
  })
}
