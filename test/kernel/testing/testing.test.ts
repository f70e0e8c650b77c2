import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import { shape } from '../../../kernel/contract/index.ts'
import type { Exit, Instance, Plugin, Run, ShapeOf } from '../../../kernel/contract/plugin.ts'
import { testKernel } from '../../../kernel/testing/index.ts'
import type { Desktop } from '../../lib/plugin-loader.ts'

const options = shape({
  type: 'object',
  properties: { text: { type: 'string' }, fail: { type: 'boolean', default: false } },
  required: ['text'],
  additionalProperties: false,
})
type Options = ShapeOf<typeof options>

/** A runtime without a process: a server in the daemon. */
const echo: Plugin = {
  name: 'locald-plugin-echo',
  api: 1,
  after: ['exec-runtime'],
  options: shape({ type: 'object', properties: { greeting: { type: 'string', default: 'hello' } } }),
  setup(host) {
    host.log.info(`set up with ${JSON.stringify(host.options)}`)
    host.service<Options>({
      type: 'echo',
      shape: options,
      requires: ['vm'],
      async prepare(run) {
        run.step('making its folder')
        await mkdir(run.data, { recursive: true })
        await writeFile(join(run.data, 'prepared'), run.options.text)
      },
      start: serve,
    })
    host.check({ id: 'a', title: 'a', run: async () => ({ status: 'pass', severity: 'optional', summary: 'fine' }) })
    host.command({
      name: 'echo',
      description: 'says it back',
      run: async argv => ({ exitCode: 0, text: argv.join(' '), data: { opener: host.use.desktop.openArgv('x') } }),
    })
    host.hooks.env.tap('echo', env => ({ ...env, ECHO: 'on' }))
  },
}

function serve(run: Run<Options>): Promise<Instance> {
  const server = createServer((_, response) => response.end(run.options.text))
  let end: (exit: Exit) => void = () => {}
  const exited = new Promise<Exit>(resolve => {
    end = resolve
  })
  server.on('close', () => end({ code: 0, signal: null }))
  run.log.write('stdout', `\u001b[32m${run.env['ECHO']} ${run.env['PORT']}\u001b[0m\n`)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(run.port, '127.0.0.1', () => {
      if (run.options.fail) server.close()
      const stop = async () => void server.close()
      resolve({ pid: null, startedMs: Date.now(), exited, state: null, stop })
    })
  })
}

const desktop: Desktop = { openArgv: url => ['open', url] }
const vm = { on: true }

t.test('starts a plugin with its services', async t => {
  const settings = { echo: { greeting: 'hi' } }
  const kernel = await testKernel({ plugins: [echo], settings, features: { vm }, provide: { desktop } })
  t.match(kernel.plugins, [{ name: 'locald-plugin-echo', state: 'active', types: ['echo'], commands: ['echo'] }])
  t.equal(kernel.logged.at(-1), 'locald-plugin-echo info: set up with {"greeting":"hi"}')
  t.match(await kernel.doctor(), {
    ok: true,
    checks: [{ plugin: 'locald-plugin-echo', id: 'a', status: 'pass', fix: null }],
  })
  t.strictSame(await kernel.command('echo', 'a', 'b'), { exitCode: 0, text: 'a b', data: { opener: ['open', 'x'] } })
  await t.rejects(kernel.command('eco'), { code: 'UNKNOWN_COMMAND' })
  t.equal(kernel.type('echo').type, 'echo')

  const service = await kernel.start({ type: 'echo', text: 'said', env: { A: `\${PORT}` } })
  await service.ready()
  const { run } = service
  t.equal(await (await fetch(`http://127.0.0.1:${run.port}/`)).text(), 'said')
  t.match(run, { name: 'tested', options: { text: 'said', fail: false }, env: { A: `${run.port}`, HOST: '127.0.0.1' } })
  t.ok(existsSync(join(run.data, 'prepared')))
  t.strictSame(await service.lines(), ['making its folder', `on ${run.port}`])
  const other = await kernel.start({ type: 'echo', text: 'other' })
  t.not(other.run.port, run.port)
  t.strictSame(await service.stop(), { code: 0, signal: null })
  t.strictSame(await service.stop(), { code: 0, signal: null }, 'again: how it exited')

  await t.rejects(kernel.start({ type: 'echo' }), {
    code: 'CONFIG_INVALID',
    message: /services\..*\.text: missing key/,
  })
  await t.rejects(kernel.start({ type: 'eco', text: 'a' }), {
    code: 'SERVICE_TYPE_UNSUPPORTED',
    message: /no plugin provides it; did you mean 'echo'\?$/,
  })
  await kernel.close()
  t.strictSame(await other.instance.exited, { code: 0, signal: null }, 'closing stops what runs')
  t.notOk(existsSync(kernel.folders.data))
})

t.test('reports a service that exits before it is ready', async t => {
  const kernel = await testKernel({ plugins: [echo], features: { vm } })
  t.teardown(() => kernel.close())
  const service = await kernel.start({
    type: 'echo',
    text: 'said',
    fail: true,
    health_check: { type: 'http', path: '/', interval: 0.05 },
  })
  await t.rejects(service.ready(), {
    code: 'SERVICE_FAILED',
    message: 'exited with 0 before it was ready',
    hint: `making its folder\non ${service.run.port}`,
  })
})

t.test('uses the features and facts of the test', async t => {
  const off = await testKernel({
    plugins: [echo],
    features: { vm: { on: false, reason: 'no such thing', hint: 'Buy one.' } },
  })
  t.teardown(() => off.close())
  t.match(off.feature('vm'), { on: false, by: 'test' })
  t.throws(() => off.type('echo'), {
    code: 'SERVICE_TYPE_UNSUPPORTED',
    message: "type 'echo' is not available: no such thing",
    hint: 'Buy one.',
  })
  await t.rejects(off.start({ type: 'echo', text: 'a' }), { code: 'SERVICE_TYPE_UNSUPPORTED', hint: 'Buy one.' })
  const mac = await testKernel({ plugins: [{ ...echo, platforms: ['linux'] }], facts: { os: 'darwin' } })
  t.teardown(() => mac.close())
  t.match(mac.plugins, [{ state: 'off', reason: 'supports linux, not darwin' }])
})

t.test('exports all that a plugin test needs', async t => {
  const kernel = await testKernel({
    plugins: [],
    builtIns: ['exec-runtime', 'platform-linux', 'platform-darwin'],
    features: { vm },
  })
  t.match(kernel.feature('vm'), { on: true, by: 'test' }, 'whatever the platform plugin finds')
  t.strictSame(
    kernel.plugins.filter(({ state }) => state !== 'active').map(({ name }) => name),
    [process.platform === 'linux' ? 'platform-darwin' : 'platform-linux'],
  )
  const service = await kernel.start({ type: 'worker', command: 'echo "in $PWD"; exec sleep 1000', workdir: '.' })
  await service.ready()
  t.strictSame(await service.lines(), [`in ${service.run.dir}`])
  const { pid } = service.instance
  t.match(await kernel.use.processTable.start(pid ?? 0), String)
  t.strictSame(await service.stop(), { code: null, signal: 'SIGTERM' })
  t.equal(await kernel.use.processTable.start(pid ?? 0), undefined)
  await kernel.close()
  await t.rejects(testKernel({ plugins: [], builtIns: ['nothing'] }), {
    message: "there is no built-in plugin 'nothing'",
  })
})

t.test('reports what cannot be closed', async t => {
  const stubborn: Plugin = {
    name: 'stubborn',
    api: 1,
    setup(host) {
      host.onClose(() => Promise.reject(new Error('no')))
      host.hooks.closing.tapPromise('stubborn', () => Promise.reject(new Error('not yet')))
    },
  }
  const kernel = await testKernel({ plugins: [stubborn] })
  await t.rejects(kernel.close(), {
    message: "closing failed: plugin stubborn: hook 'closing' failed: not yet; stubborn: no",
  })
  t.notOk(existsSync(kernel.folders.data))
})
