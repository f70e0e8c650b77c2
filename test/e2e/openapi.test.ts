import { readFileSync } from 'node:fs'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import t from 'tap'
import type { RunAnswer } from '../../kernel/protocol.ts'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { ask } from '../lib/raw-http.ts'
import { Sandbox } from '../lib/sandbox.ts'
import { sourcesOf } from '../lib/sources.ts'

/** A plugin with a route. */
const greeter = `export default {
  name: 'greeter', api: 1,
  setup(host) {
    host.routes('/greeter', async app => {
      const schema = { querystring: { type: 'object', required: ['loud'], properties: { loud: { type: 'boolean' } } } }
      app.get('/hello/:name', { schema }, async ({ params, query }) => ({ hello: params.name, loud: query.loud }))
    })
  },
}`

/** One with routes that the kernel has already, and that throws. */
const clumsy = `export default {
  name: 'clumsy', api: 1,
  setup(host) {
    host.routes('/services', async app => void app.get('/why', async () => 'stolen'))
    host.routes('/clumsy', async () => { throw new Error('boom in routes') })
    host.routes('/clumsier', async app => void app.register(async () => { throw new Error('boom below') }))
    host.routes('/late', async app => void app.addHook('onReady', async () => { throw new Error('boom when ready') }))
    host.routes('/later', async app => void app.register(async below => void below.addHook('onReady', done => done(new Error('boom')))))
    host.routes('/never', async app => void app.addHook('onReady', () => new Promise(() => {})))
    host.routes('/odd', async app => void app.addHook('onReady', 'no function'))
  },
}`

/** The routes that are written down in the kernel, as the document would have them. */
function routesOfKernel(): readonly string[] {
  const route = /\bapp\.(get|post|put|delete)(?:<[^(]*>)?\(\s*'([^']+)'/g
  const found = sourcesOf('kernel/api').flatMap(({ text }) => [...text.matchAll(route)])
  return found.map(([, method, path = '']) => `${method} /v1${path.replace(/^\/v1/, '')}`.replace(/:(\w+)/g, '{$1}'))
}

/** As a schema, but what it does not name is refused. */
function closed(_: string, value: unknown): unknown {
  const isObject = typeof value === 'object' && value !== null && 'properties' in value && 'type' in value
  return isObject && value.type === 'object' ? { ...value, additionalProperties: false } : value
}

t.test('the OpenAPI document agrees with the API', async t => {
  const sandbox = new Sandbox(t)
  const { data, socket, daemonLog } = resolvePaths({ env: sandbox.env })
  for (const [name, text] of Object.entries({ clumsy, greeter })) {
    const manifest = { name, version: '1.0.0', type: 'module', exports: './index.js', locald: { api: 1 } }
    const folder = `${data}/plugins/node_modules/${name}`
    sandbox.write(`${folder}/package.json`, JSON.stringify(manifest))
    sandbox.write(`${folder}/index.js`, text)
  }
  const path = sandbox.project('shop', {
    'locald.toml': `[project]\nname = "shop"\n[services.web]\ncommand = "echo up; exec ${process.execPath} server.mjs"\n`,
    'server.mjs': `import { createServer } from 'node:http'
      createServer((_, response) => response.end('web')).listen(Number(process.env.PORT), '127.0.0.1')`,
  })
  await sandbox.up(path)
  const { status, body } = await ask({ path: socket }, '/v1/openapi.json')
  t.equal(status, 200)
  const document: { openapi: string; paths: Record<string, Record<string, unknown>> } = JSON.parse(body)

  const log = readFileSync(daemonLog, 'utf8')
  for (const what of ['services', 'clumsy', 'clumsier', 'late', 'later', 'never', 'odd'])
    t.match(
      log,
      `could not register all routes of /v1/${what}: `,
      'a failure of a plugin is reported and stops nothing',
    )

  await t.test('describes each route in OpenAPI 3.1', async t => {
    const { valid, errors } = await new Validator().validate(JSON.parse(body))
    t.ok(valid, JSON.stringify(errors))
    t.match(document.openapi, /^3\.1\./)
    const listed = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map(method => `${method} ${path}`),
    )
    const ofPlugins = [
      'get /v1/dashboard',
      'post /v1/dashboard/token',
      'get /v1/requests',
      'post /v1/shares',
      'get /v1/greeter/hello/{name}',
    ]
    t.strictSame(
      ofPlugins.filter(route => !listed.includes(route)),
      [],
    )
    const ofKernel = listed.filter(route => !/\/v1\/(?:dashboard|requests|shares|greeter)\b/.test(route))
    t.strictSame(ofKernel.toSorted(), routesOfKernel().toSorted())
    t.match(document.paths['/v1/greeter/hello/{name}'], {
      get: {
        parameters: [
          { name: 'loud', in: 'query', required: true },
          { name: 'name', in: 'path' },
        ],
      },
    })
    t.match(document.paths['/v1/projects/up'], {
      post: { requestBody: { content: { 'application/json': { schema: { required: ['path'] } } } } },
    })
  })

  await t.test('answers match their schemas', async t => {
    const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false })
    ajv.addSchema(JSON.parse(body, closed), 'api')
    const check = (route: string, answer: string, type: string, values: readonly unknown[]) => {
      const [method = '', path = ''] = route.split(' ')
      const pointer = ['paths', path, method, 'responses', answer, 'content', type, 'schema']
      const escaped = pointer.map(part => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
      const validate = ajv.compile({ $ref: `api#/${escaped.join('/')}` })
      t.ok(values.length > 0, `${route} answers`)
      for (const value of values) {
        const isRight = validate(value)
        t.ok(isRight, `${route} ${answer}: ${ajv.errorsText(validate.errors)} ${isRight ? '' : JSON.stringify(value)}`)
      }
    }
    const get = async (path: string, query = '') => {
      const { status, body } = await ask({ path: socket }, `/v1${path}${query}`)
      t.equal(status, 200, path)
      return body
    }
    const values = (text: string) =>
      text
        .split('\n')
        .filter(Boolean)
        .map(line => JSON.parse(line))
    t.strictSame(JSON.parse(await get('/greeter/hello/you', '?loud=true')), { hello: 'you', loud: true })
    const where = `?path=${encodeURIComponent(path)}`
    for (const plain of ['/ping', '/server', '/plugins', '/doctor', '/schema', '/registry', '/disk', '/runs'])
      check(`get /v1${plain}`, '200', 'application/json', [JSON.parse(await get(plain))])
    for (const [asked, more] of [
      ['/services', ''],
      ['/services/keys', ''],
      ['/services/why', '&service=web'],
      ['/services/one-off', '&service=web'],
      ['/services/env', '&service=web'],
      ['/services/details', '&service=web'],
      ['/services/history', '&service=web'],
      ['/services/usage', '&service=web'],
      ['/services/open', ''],
    ] as const)
      check(`get /v1${asked}`, '200', 'application/json', [JSON.parse(await get(asked, where + more))])
    const plain = sandbox.project('plain', { Procfile: 'web: sleep 1000\n' })
    const inferred = await get('/projects/inferred', `?path=${encodeURIComponent(plain)}`)
    check('get /v1/projects/inferred', '200', 'application/json', [JSON.parse(inferred)])
    check('get /v1/logs', '200', 'application/x-ndjson', values(await get('/logs', where)))
    const search = values(await get('/logs/search', `${where}&text=u`))
    t.ok(search.length > 1)
    check('get /v1/logs/search', '200', 'application/x-ndjson', search)

    const post = async (asked: string, more: object) =>
      await ask({ path: socket }, `/v1${asked}`, { method: 'POST', body: JSON.stringify({ path, ...more }) })
    const config = await post('/config', { env: {} })
    check('post /v1/config', '200', 'application/json', [JSON.parse(config.body)])
    const oneOff = await post('/services/one-off', { service: 'web', env: {} })
    check('post /v1/services/one-off', '200', 'application/json', [JSON.parse(oneOff.body)])
    const started = await post('/services/run', { service: 'web', argv: ['sleep', '1000'] })
    check('post /v1/services/run', '200', 'application/json', [JSON.parse(started.body)])
    check('get /v1/runs', '200', 'application/json', [JSON.parse(await get('/runs'))])
    const { run }: RunAnswer = JSON.parse(started.body)
    const after = await ask({ path: socket }, '/v1/runs/close', {
      method: 'POST',
      body: JSON.stringify({ id: run.id }),
    })
    check('post /v1/runs/close', '200', 'application/json', [JSON.parse(after.body)])
    for (const [asked, more] of [
      ['/services/wait', { timeoutMs: 10_000 }],
      ['/projects/restart', { env: sandbox.env }],
      ['/projects/up', { env: sandbox.env }],
      ['/projects/stop', {}],
    ] as const) {
      const { status, body } = await post(asked, more)
      t.equal(status, 200, asked)
      check(`post /v1${asked}`, '200', 'application/x-ndjson', values(body))
    }
    for (const [asked, more, status] of [
      ['/projects/up', { env: 1 }, 400],
      ['/services/reset', { service: 'web' }, 400],
      ['/services/wait', { timeoutMs: 1, services: ['nowhere'] }, 404],
    ] as const) {
      const refused = await post(asked, more)
      t.equal(refused.status, status, asked)
      check(`post /v1${asked}`, 'default', 'application/json', [JSON.parse(refused.body)])
    }
  })
})
