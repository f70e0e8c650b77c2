import t from 'tap'
import type { DetailsAnswer } from '../../kernel/protocol.ts'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { ask } from '../lib/raw-http.ts'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'

const scripts = {
  serve: 'node server.js',
  polite: 'node polite.js',
  deaf: 'node deaf.js',
  fail: 'node -e "process.exit(7)"',
  killed: 'node -e "process.kill(process.pid, \'SIGKILL\')"',
}
const names = ['polite', 'deaf', 'fail', 'killed']

/** Each script twice: the second one has another script before it, so that npm runs both. */
const manifest = {
  ...{ name: 'page', version: '1.0.0' },
  scripts: Object.fromEntries(
    Object.entries(scripts).flatMap(([name, text]) => [
      ...[
        [name, text],
        [`${name}-npm`, text],
      ],
      [`pre${name}-npm`, 'true'],
    ]),
  ),
}
const missing = 'Missing script: "missing"'
const worker = (name: string) => `
[services.${name}]
type = "worker"
command = "npm run ${name}"
restart = "no"
stop_timeout = 1
tty = false
`
const files = {
  'locald.toml': `[project]
name = "page"
[services.web]
command = "npm run serve"
[services.web-npm]
command = "npm run serve-npm"
${names
  .flatMap(name => [name, `${name}-npm`])
  .map(worker)
  .join('')}
${worker('missing')}`,
  'package.json': JSON.stringify(manifest),
  'server.js': `const { env, stdout } = process
console.log(['seen', env.npm_lifecycle_event, env.npm_package_name, env.COLOR, stdout.isTTY].join(' '))
require('http').createServer((_, response) => response.end('page')).listen(env.PORT, '127.0.0.1')`,
  'polite.js': `process.on('SIGTERM', () => { console.log('stopping'); process.exit(0) })
setInterval(() => {}, 1000)
console.log('up')`,
  'deaf.js': `process.on('SIGTERM', () => console.log('no'))
setInterval(() => {}, 1000)
console.log('up')`,
}

t.test('scripts of package.json', async t => {
  const sandbox = new Sandbox(t)
  const folder = sandbox.project('page', files)
  const linesOf = async (name: string) => {
    const lines = await sandbox.logs(folder, [name])
    return lines.map(({ text }) => text).filter(text => text !== '' && !/^(?:>|npm )/.test(text))
  }
  const statesOf = async (list: readonly string[]) => {
    const views = await sandbox.status(folder)
    return list.map(name => {
      const { status, reason } = views.find(view => view.name === name) ?? {}
      return { status, reason }
    })
  }

  await t.test('run without npm, unless another one runs before', async t => {
    await sandbox.up(folder, ['web', 'web-npm'])
    const runners = sandbox.processes().filter(({ command }) => command.startsWith('npm '))
    t.strictSame(
      runners.map(({ command }) => command.trim()),
      ['npm run serve-npm'],
    )
    t.strictSame(await linesOf('web'), ['seen serve page 1 true'])
    // npm draws there, too.
    t.match((await linesOf('web-npm')).at(-1), /seen serve-npm page 1 true$/)
  })

  await t.test('are shown as they are written', async t => {
    const { socket } = resolvePaths({ env: sandbox.env })
    const path = `/v1/services/details?path=${encodeURIComponent(folder)}&service=web`
    const details: DetailsAnswer = JSON.parse((await ask({ path: socket }, path)).body)
    t.match(details, { command: 'npm run serve', commandReason: null })
  })

  await t.test('stop and exit as under npm', async t => {
    const stopped = ['polite', 'polite-npm', 'deaf', 'deaf-npm']
    await sandbox.up(folder, stopped)
    for (const name of stopped) await until(`${name} to print`, async () => (await linesOf(name)).includes('up'))
    await sandbox.ok(['stop', ...stopped], { cwd: folder })
    for (const name of ['polite', 'deaf']) {
      const [own, npm] = await statesOf([name, `${name}-npm`])
      t.strictSame(own, npm, name)
      t.strictSame(await linesOf(name), await linesOf(`${name}-npm`), name)
    }
    t.match(await linesOf('polite'), ['up', 'stopping'])
    t.strictSame(await linesOf('deaf'), ['up', 'no'])
    const failing = ['fail', 'fail-npm', 'killed', 'killed-npm']
    await sandbox.up(folder, failing)
    await until('all to exit', async () => (await statesOf(failing)).every(({ status }) => status === 'failed'))
    for (const name of ['fail', 'killed']) {
      const [own, npm] = await statesOf([name, `${name}-npm`])
      t.strictSame(own, npm, name)
    }
    t.match(await statesOf(['fail']), [{ reason: /7/ }])
  })

  await t.test('that are missing fail with the message of npm', async t => {
    await sandbox.up(folder, ['missing'])
    const isSaid = async () => (await sandbox.logs(folder, ['missing'])).some(({ text }) => text.includes(missing))
    t.ok(await until('the message', isSaid))
  })
})
