import { join } from 'node:path'
import t from 'tap'
import { loadProject, type TypeSource } from '../../../kernel/config/load.ts'
import { type Shape, shape } from '../../../kernel/contract/shape.ts'
import { failure, fake, folder, load, types } from './projects.ts'
import { head, web } from './wrong-files/index.ts'

t.test('reads every key into the plan', async t => {
  const text = `
[project]
name = "shop"
domain = "shop.test"
[env]
LOG = "debug"
WORKERS = 4
RATIO = 0.5
COLOR = true
[services.web]
command = "npm run dev"
workdir = "./web"
port = 3000
env = { API = "\${services.api.url}", URL = "\${services.db.url}", DB = "\${services.db.socket_dir}" }
env_file = [".env.local"]
depends_on = { db = "ready", seed = "completed", cache = "started" }
health_check = { type = "http", path = "/healthz", interval = "500ms", timeout = 2 }
ready_timeout = "2m"
restart = "always"
stop_signal = "int"
stop_timeout = 0
watch = ["src/**/*.go"]
idle = "15m"
[services.api]
command = "x"
depends_on = ["db"]
health_check = "curl -f localhost"
env_file = ".env.local"
[services.db]
type = "postgres"
[services.seed]
type = "worker"
command = "seed"
hidden = true
health_check = { type = "log", pattern = "done" }
[services.seed.commands.fresh]
run = "seed \${size} \${mode} \${dry-run} \${services.db.url}"
description = "Fill the database"
args = { size = { type = "integer", default = 100 }, mode = { type = "enum", values = ["a", "b"] }, dry-run = { type = "boolean", default = false, description = "Only print" } }
confirm = true
[services.cache]
type = "container"
image = "redis"
command = ["redis-server", "--save", ""]
health_check = { type = "tcp" }
container_port = 6379
[routes]
"/api/" = "api"
"/old" = { service = "web", strip_prefix = true }
"/" = "web"
[plugins]
redis = "^1.2"
`
  const { root, places } = folder({ 'locald.toml': text, '.env.local': '' })
  const { plan, pluginsNeeded } = await loadProject(root, types, places)
  const common = {
    workdir: undefined,
    port: undefined,
    env: {},
    envFile: [],
    dependsOn: {},
    healthCheck: undefined,
    readyTimeout: 30_000,
    restart: 'on-failure',
    stopSignal: 'SIGTERM',
    stopTimeout: 5000,
    watch: [],
    idle: undefined,
  }
  const commands = {
    fresh: {
      run: `seed \${size} \${mode} \${dry-run} \${services.db.url}`,
      ...{ description: 'Fill the database', confirm: true },
      args: {
        size: { type: 'integer', default: 100 },
        mode: { type: 'enum', values: ['a', 'b'] },
        'dry-run': { type: 'boolean', default: false, description: 'Only print' },
      },
    },
  }
  const check = { interval: 1000, intervalGiven: false, timeout: 1000 }
  t.strictSame(plan, {
    name: 'shop',
    path: root,
    domain: 'shop.test',
    env: { LOG: 'debug', WORKERS: '4', RATIO: '0.5', COLOR: 'true' },
    services: [
      {
        name: 'web',
        type: 'exec',
        common: {
          workdir: './web',
          port: 3000,
          env: { API: `\${services.api.url}`, URL: `\${services.db.url}`, DB: `\${services.db.socket_dir}` },
          envFile: ['.env.local'],
          dependsOn: { db: 'ready', seed: 'completed', cache: 'started' },
          healthCheck: { type: 'http', path: '/healthz', interval: 500, intervalGiven: true, timeout: 2000 },
          readyTimeout: 120_000,
          restart: 'always',
          stopSignal: 'SIGINT',
          stopTimeout: 0,
          watch: ['src/**/*.go'],
          idle: 900_000,
        },
        options: { command: 'npm run dev', tty: true },
      },
      {
        name: 'api',
        type: 'exec',
        common: {
          ...common,
          envFile: ['.env.local'],
          dependsOn: { db: 'ready' },
          healthCheck: { type: 'command', command: 'curl -f localhost', ...check },
        },
        options: { command: 'x', tty: true },
      },
      { name: 'db', type: 'postgres', common, options: { version: '17' } },
      {
        name: 'seed',
        type: 'worker',
        common: { ...common, healthCheck: { type: 'log', pattern: 'done', ...check }, hidden: true, commands },
        options: { command: 'seed' },
      },
      {
        name: 'cache',
        type: 'container',
        common: { ...common, healthCheck: { type: 'tcp', ...check } },
        options: { image: 'redis', command: ['redis-server', '--save', ''], container_port: 6379 },
      },
    ],
    routes: [
      { prefix: '/api', service: 'api', stripPrefix: false },
      { prefix: '/old', service: 'web', stripPrefix: true },
      { prefix: '/', service: 'web', stripPrefix: false },
    ],
    files: [
      join(places.configDir, 'config.toml'),
      join(root, 'locald.toml'),
      join(root, '.env'),
      join(root, '.env.local'),
    ],
  })
  t.strictSame(pluginsNeeded, { redis: '^1.2' })
})

t.test('fills in defaults, and takes names of a prototype as keys', async t => {
  const { plan } = await load({ 'locald.toml': '[project]\nname = "a-1"' })
  t.strictSame([plan.domain, plan.services], ['a-1.localhost', []])
  t.equal((await load({ 'locald.toml': '\uFEFF[project]\r\nname = "crlf"\r\n' })).plan.name, 'crlf')
  const odd = await load({
    'locald.toml': `${head}[services.tostring]\ncommand = "x"\n[services.valueof]\ncommand = "x"\ndepends_on = ["tostring"]`,
  })
  t.strictSame(odd.plan.services[1]?.common.dependsOn, { tostring: 'ready' })
  const named = await load({
    'locald.toml': `${head}[services.constructor]\ncommand = "x"\n[services.b]\ncommand = "x"\ndepends_on = ["constructor"]\n[env]\nconstructor = "c"\n`,
  })
  t.strictSame(
    named.plan.services.map(({ name, common }) => [name, common.dependsOn]),
    [
      ['constructor', {}],
      ['b', { constructor: 'ready' }],
    ],
  )
  t.strictSame(named.plan.env, { constructor: 'c' })
  t.equal(
    (await load({ 'locald.toml': `[project]\nname = "locald"\ndomain = "d.localhost"` })).plan.domain,
    'd.localhost',
  )
})

t.test('refuses a type whose plugin has a broken schema', async t => {
  const from = (own: Shape<unknown>): TypeSource => ({
    ...types,
    names: ['bad'],
    defaultType: 'bad',
    find: () => fake('bad', own),
  })
  const clash = await failure(
    load({ 'locald.toml': web }, from(shape({ type: 'object', properties: { port: { type: 'integer' } } }))),
  )
  t.equal(
    clash.message,
    "service 'web': type 'bad' is not available: its plugin declares the key 'port', which every service has",
  )
  const broken = await failure(
    load({ 'locald.toml': web }, from({ schema: { type: 'object', properties: { command: { pattern: '(' } } } })),
  )
  t.match(broken, { code: 'SERVICE_TYPE_UNSUPPORTED', message: /its plugin's schema is broken/ })
})

t.test('takes time in proportion to the services, not to their square', async t => {
  const project = (count: number) =>
    folder({
      'locald.toml': `${head}${Array.from(
        { length: count },
        (_, i) =>
          `[services.s${i}]\ncommand = "npm run dev"\nport = ${3000 + i}\n${i === 0 ? '' : `depends_on = ["s${i - 1}"]\n`}env = { A = "x", B = "\${services.s1.url}" }\nhealth_check = { type = "http", path = "/h" }\n`,
      ).join('')}`,
    })
  const sizes = [50, 400].map(count => ({ ...project(count), best: Number.POSITIVE_INFINITY }))
  // In turn, and the best of five: the machine may be busy.
  for (let round = 0; round < 5; round++) {
    for (const size of sizes) {
      const before = process.cpuUsage()
      await loadProject(size.root, types, size.places)
      const { user, system } = process.cpuUsage(before)
      size.best = Math.min(size.best, user + system)
    }
  }
  const [few = 0, many = 0] = sizes.map(({ best }) => best)
  // Eight times as many: eight times the work, sixty-four where it is the square.
  t.ok(many < 24 * few, `${few} and ${many} µs of CPU`)
})
