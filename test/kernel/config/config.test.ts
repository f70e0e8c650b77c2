import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  lchownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Ajv } from 'ajv'
import { parse } from 'smol-toml'
import t from 'tap'
import { allowPath } from '../../../kernel/config/allow.ts'
import {
  findProjectRoot,
  loadProject,
  projectSchema,
  readSettings,
  type TypeSource,
} from '../../../kernel/config/load.ts'
import { Trust } from '../../../kernel/config/trust.ts'
import type { ProjectSource, ServiceType } from '../../../kernel/contract/plugin.ts'
import { type Shape, shape } from '../../../kernel/contract/shape.ts'
import { LocaldError, type Problem } from '../../../kernel/errors.ts'
import { head, web, wrongFiles } from './cases.ts'

function fake(type: string, own: Shape<unknown>, more: Partial<ServiceType<unknown>> = {}): ServiceType<unknown> {
  return { type, shape: own, start: () => Promise.reject(new Error('not started in this test')), ...more }
}

const command = { type: 'string', minLength: 1, pattern: '\\S', description: 'What sh runs.' } as const
const drivers: Readonly<Record<string, ServiceType<unknown>>> = {
  exec: fake(
    'exec',
    shape({
      type: 'object',
      properties: {
        command,
        tty: { type: 'boolean', default: true },
        mode: { enum: ['fast', 'slow'] },
        limits: {
          type: 'object',
          properties: { memory: { type: 'integer', minimum: 1 } },
          required: ['memory'],
          additionalProperties: false,
        },
      },
      required: ['command'],
      additionalProperties: false,
    }),
    { isDefault: true },
  ),
  worker: fake(
    'worker',
    shape({ type: 'object', properties: { command }, required: ['command'], additionalProperties: false }),
    { network: 'none' },
  ),
  postgres: fake(
    'postgres',
    shape({
      type: 'object',
      properties: { version: { enum: ['16', '17'], default: '17' } },
      additionalProperties: false,
    }),
    { network: 'port', exports: () => ({ url: 'postgres://' }) },
  ),
  container: fake(
    'container',
    shape({
      type: 'object',
      properties: {
        image: { type: 'string', minLength: 1 },
        container_port: { type: 'integer', minimum: 1, maximum: 65535 },
        command: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' }, minItems: 1 }] },
      },
      required: ['image'],
      additionalProperties: false,
    }),
  ),
}

const procfile: ProjectSource = {
  file: 'Procfile',
  read(text) {
    const lines = text.split('\n').filter(line => line !== '')
    const bad = lines.findIndex(line => !line.includes(': '))
    if (bad >= 0) throw new Error(`line ${bad + 1} is no "name: command"`)
    if (lines.length === 0) return undefined
    return Object.fromEntries(
      lines.map(line => line.split(': ', 2)).map(([name = '', run = '']) => [name, { command: run }]),
    )
  },
}

const types: TypeSource = {
  find(type) {
    if (type === 'vm') {
      const hint = 'brew install lima'
      return new LocaldError('SERVICE_TYPE_UNSUPPORTED', "type 'vm' is not available: Lima is not installed", { hint })
    }
    return (
      drivers[type] ??
      new LocaldError('SERVICE_TYPE_UNSUPPORTED', `type '${type}' is not available: no plugin provides it`)
    )
  },
  defaultType: 'exec',
  names: [...Object.keys(drivers), 'vm'],
  sources: [procfile],
  reserved: [{ host: 'locald.localhost', what: 'dashboard' }],
  tables: { settings: ['proxy'] },
}

const top = realpathSync(mkdtempSync(join(tmpdir(), 'locald-config-')))
t.teardown(() => rmSync(top, { recursive: true, force: true }))
let count = 0

/** A folder of its own with these files, inside a home of its own. */
function folder(files: Readonly<Record<string, string | Uint8Array>>): {
  root: string
  places: { configDir: string; home: string }
} {
  const home = join(top, `home${++count}`)
  const root = join(home, 'work', 'shop')
  mkdirSync(root, { recursive: true })
  for (const [name, content] of Object.entries(files)) {
    const file = join(root, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
  return { root, places: { configDir: join(home, '.config', 'locald'), home } }
}

async function load(files: Readonly<Record<string, string | Uint8Array>>, from: TypeSource = types) {
  const { root, places } = folder(files)
  return loadProject(root, from, places)
}

async function failure(promise: Promise<unknown>): Promise<LocaldError> {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  )
  if (!LocaldError.is(error)) throw error
  return error
}

/** `line key: message` of each problem. */
function told(problems: readonly Problem[]): string[] {
  return problems.map(({ line, key, message }) => `${line ?? '-'} ${key ?? '-'}: ${message}`)
}

t.test('wrong files', async t => {
  for (const { what, text, errors: expected } of wrongFiles) {
    await t.test(what, async t => {
      const error = await failure(load({ 'locald.toml': text }))
      t.strictSame(told(error.problems), expected)
      const file = error.problems[0]?.file ?? ''
      t.ok(file.endsWith('/work/shop/locald.toml'), 'names the file')
      for (const line of expected)
        t.ok(error.message.includes(line.replace(/^[0-9]+ [^:]*: /, '')), 'the message tells it too')
    })
  }
})

t.test('several problems are told at once, sorted by file and line', async t => {
  const { root, places } = folder({
    'locald.toml': `${head}[services.web]\ncomand = "x"\nport = 0\n\n[services.api]\ntype = "vm"\ndepends_on = ["web"]\n`,
    '../.locald.toml': '[env]\nA = []\n[prject]\n',
  })
  const error = await failure(loadProject(root, types, places))
  t.equal(error.code, 'CONFIG_INVALID')
  t.equal(
    error.message,
    [
      'the configuration has 5 errors',
      '  ~/work/.locald.toml:2: env.A: must be a string, a number, or true or false, not an array',
      "  ~/work/.locald.toml:3: prject: unknown key; did you mean 'project'?",
      "  locald.toml:4: services.web.comand: unknown key; did you mean 'command'?",
      '  locald.toml:5: services.web.port: must be a whole number from 1 to 65535',
      "  locald.toml:8: services.api.type: type 'vm' is not available: Lima is not installed",
    ].join('\n'),
  )
  const inOne = await failure(load({ 'locald.toml': `${web}port = 0\nwatch = 1` }))
  t.match(inOne.message, /^locald\.toml has 2 errors\n {2}locald\.toml:5: services\.web\.port: /)
  const one = await failure(load({ 'locald.toml': `${web}port = 0` }))
  t.equal(one.message, 'locald.toml:5: services.web.port: must be a whole number from 1 to 65535')
})

t.test('the code says what kind all problems are of', async t => {
  const vm = await failure(load({ 'locald.toml': `${head}[services.vm]\ntype = "vm"\n` }))
  t.match(vm, { code: 'SERVICE_TYPE_UNSUPPORTED', service: 'vm', hint: 'brew install lima' })
  t.equal(vm.message, "service 'vm': type 'vm' is not available: Lima is not installed")
  const two = await failure(load({ 'locald.toml': `${head}[services.vm]\ntype = "vm"\n[services.b]\ntype = "bun"` }))
  t.equal(two.code, 'SERVICE_TYPE_UNSUPPORTED')
  t.strictSame(told(two.problems), [
    "4 services.vm.type: type 'vm' is not available: Lima is not installed",
    "6 services.b.type: type 'bun' is not available: no plugin provides it",
  ])
  const cycle = `${web}depends_on = ["b"]\n[services.b]\ncommand = "x"\ndepends_on = ["c"]\n[services.c]\ncommand = "x"\ndepends_on = ["web"]\n`
  const round = await failure(load({ 'locald.toml': cycle }))
  t.equal(round.code, 'DEPENDENCY_CYCLE')
  t.equal(round.message, 'locald.toml:5: services.web.depends_on[0]: dependency cycle: web → b → c → web')
  t.equal((await failure(load({ 'locald.toml': `${cycle}port = 0` }))).code, 'CONFIG_INVALID')
})

t.test('a type that a plugin got wrong is not available', async t => {
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

t.test('a full file becomes a plan', async t => {
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
health_check = { type = "log", pattern = "done" }
[services.cache]
type = "container"
image = "redis"
command = ["redis-server", "--save", ""]
health_check = { type = "notify" }
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
        common: { ...common, healthCheck: { type: 'log', pattern: 'done', ...check } },
        options: { command: 'seed' },
      },
      {
        name: 'cache',
        type: 'container',
        common: { ...common, healthCheck: { type: 'notify', ...check } },
        options: { image: 'redis', command: ['redis-server', '--save', ''] },
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

t.test('small files that are right', async t => {
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

t.test('variables have what was written', async t => {
  const text = `${head}[env]
PY = 3.10
API=1.0 # one
BIG = 1e6
PLUS = +5
N = 4
T = true
"q" = 0.50
S = "x = 1.0"
ID = 9007199254740993
MIN = -9223372036854775808
[services.web]
command = "x"
env = { A = 2.0, B = 7 }
ready_timeout = 1.50
[services.b]
command = "x"
env.V = 18.00
`
  const { plan } = await load({ 'locald.toml': text })
  t.strictSame(plan.env, {
    PY: '3.10',
    API: '1.0',
    BIG: '1e6',
    PLUS: '+5',
    N: '4',
    T: 'true',
    q: '0.50',
    ...{ S: 'x = 1.0', ID: '9007199254740993', MIN: '-9223372036854775808' },
  })
  t.strictSame(
    plan.services.map(({ common }) => common.env),
    [{ A: '2.0', B: '7' }, { V: '18.00' }],
  )
  t.equal(plan.services[0]?.common.readyTimeout, 1500)
  const layer = folder({ 'locald.toml': web, '../.locald.toml': '[env]\nA = 1.20\n' })
  t.strictSame((await loadProject(layer.root, types, layer.places)).plan.env, { A: '1.20' }, 'in each layer')
  const odd = `${head}[env]\nA = 0o755\nB = 0xff\nC = 0b1\nD = 1_000\nE = inf\nF = -nan\nG = 0x7fffffffffffffff\n`
  const error = await failure(load({ 'locald.toml': odd }))
  t.strictSame(
    told(error.problems),
    ['A', 'B', 'C', 'D', 'E', 'F', 'G'].map(
      (name, at) => `${at + 4} env.${name}: unsupported number format for a variable`,
    ),
  )
  t.match(error.problems[0]?.hint, /in quotes/)
  const large = await failure(load({ 'locald.toml': `${head}[env]\nA = [9007199254740993]\nB = 1979-05-27\n` }))
  t.strictSame(told(large.problems), [
    '4 env.A: must be a string, a number, or true or false, not an array',
    '4 env.A[0]: the integer is too large',
    '5 env.B: must be a string, a number, or true or false, not a date',
  ])
  t.match(large.problems[2]?.hint, /in quotes/)
  const time = await failure(load({ 'locald.toml': `${web}ready_timeout = 9007199254740993\n` }))
  t.match(told(time.problems), [/^5 services\.web\.ready_timeout: the integer is too large/])
  const port = await failure(load({ 'locald.toml': `${web}port = 99999999999999999999\n` }))
  t.equal(port.message, 'locald.toml:5: services.web.port: the integer is too large', 'and nothing else of it')
  const folderAsFile = await failure(load({ 'locald.toml': `${web}env_file = "."\n` }))
  t.match(folderAsFile.message, /^\.: it is a folder/)
  const strings = `${head}[env]\nA = """\na\nb"""\nB = '''\nc\nd'''\nC = "e\\r\\n"\n`
  const crlf = await load({ 'locald.toml': strings.replaceAll('\n', '\r\n') })
  t.strictSame(crlf.plan.env, { A: 'a\nb', B: 'c\nd', C: 'e\r\n' }, 'line ends of Windows are line ends')
})

t.test('the order of layers', async t => {
  const files = {
    '../../.config/locald/config.toml':
      '[env]\nA = "settings"\nB = "settings"\nC = "settings"\nD = "settings"\n[plugins.proxy]\nhttp = 1\n[proxy]\nx = 1\n',
    '../../.locald.toml':
      '[env]\nB = "home"\nC = "home"\nD = "home"\nE = "home"\n[project]\ndomain = "home.localhost"\n',
    '../.locald.toml':
      '[env]\nC = "work"\nD = "work"\n[services.web]\nrestart = "always"\nwatch = ["a", "b"]\nenv = { X = "1", Y = "1" }\nhealth_check = { type = "http", path = "/x" }\n[services.other]\ncommand = 5\n',
    '.git/HEAD': '',
    'locald.workspace.toml':
      '[plugins]\nredis = "^1"\n[env]\nD = "workspace"\n[services.web]\nstop_timeout = 1\n[services.db]\ntype = "container"\nimage = "pg"\n',
    'locald.toml': `${web}watch = ["c"]\nenv = { Y = "2" }\nhealth_check = { type = "tcp" }\n[services.db]\ntype = "postgres"\n[env]\ntype = "x"\n`,
  }
  const { root, places } = folder(files)
  const { plan, pluginsNeeded, values } = await loadProject(root, types, places)
  t.strictSame(plan.env, { A: 'settings', B: 'home', C: 'work', D: 'workspace', E: 'home', type: 'x' })
  t.equal(plan.domain, 'home.localhost')
  t.strictSame(pluginsNeeded, { redis: '^1' })
  t.strictSame(
    plan.services.map(({ name }) => name),
    ['web', 'db'],
    'a weaker layer adds no service',
  )
  t.match(plan.services[0]?.common, {
    restart: 'always',
    watch: ['c'],
    env: { X: '1', Y: '2' },
    healthCheck: { type: 'tcp' },
    stopTimeout: 1000,
  })
  t.strictSame(plan.services[1]?.options, { version: '17' }, 'another type replaces all of a weaker table')
  t.strictSame(plan.files, [
    join(places.configDir, 'config.toml'),
    join(places.home, '.locald.toml'),
    join(root, '../.locald.toml'),
    join(root, 'locald.workspace.toml'),
    join(root, 'locald.toml'),
    join(root, '.env'),
  ])
  const found = new Map((await values()).map(({ key, value, file, line }) => [key, [value, file, line]]))
  t.strictSame(found.get('env.A'), ['settings', join(places.configDir, 'config.toml'), 2])
  t.strictSame(found.get('env.D'), ['workspace', join(root, 'locald.workspace.toml'), 4])
  t.strictSame(found.get('project.domain'), ['home.localhost', join(places.home, '.locald.toml'), 7])
  t.strictSame(found.get('services.web.watch'), [['c'], join(root, 'locald.toml'), 5])
  t.strictSame(found.get('services.web.env.X'), ['1', join(root, '../.locald.toml'), 7])
  t.strictSame(found.get('services.web.restart'), ['always', join(root, '../.locald.toml'), 5])
  t.strictSame(found.get('services.web.stop_signal'), ['SIGTERM', null, null])
  t.strictSame(found.get('services.web.tty'), [true, null, null])
  t.strictSame(found.get('services.web.type'), ['exec', null, null])
  t.notOk(found.has('proxy.x'))
  t.notOk(found.has('services.other.command'))
})

t.test('what stands in the wrong layer', async t => {
  const { root, places } = folder({
    'locald.toml': web,
    '../.locald.toml': '[project]\nname = "x"\n[routes]\n"/a" = "web"\n[proxy]\n',
    '../../.config/locald/config.toml': '[prxy]\n[plugins.redis]\nanything = 1\n[routes]\n',
  })
  const error = await failure(loadProject(root, types, places))
  t.strictSame(told(error.problems), [
    "1 prxy: unknown key; did you mean 'proxy'?",
    "4 routes: belongs in the project's own locald.toml",
    "2 project.name: belongs in the project's own locald.toml",
    "3 routes: belongs in the project's own locald.toml",
    "5 proxy: belongs in locald's own config.toml",
  ])
})

t.test('a wrong value of a weaker layer is told with its own file', async t => {
  const { root, places } = folder({ 'locald.toml': web, '../.locald.toml': '\n[services.web]\nport = "x"\n' })
  const error = await failure(loadProject(root, types, places))
  t.equal(error.message, '~/work/.locald.toml:3: services.web.port: must be a number from 1 to 65535, not a string')
})

t.test('parents above home', async t => {
  const { root, places } = folder({
    'locald.toml': web,
    '../../../.locald.toml': '[env]\nABOVE = "1"\n',
    '../.locald.toml': '',
  })
  t.teardown(() => rmSync(join(places.home, '..', '.locald.toml')))
  t.strictSame((await loadProject(root, types, places)).plan.env, {}, 'not above home')
  const elsewhere = { ...places, home: homedir() }
  t.strictSame((await loadProject(root, types, elsewhere)).plan.env, { ABOVE: '1' }, 'to the root of all outside home')
})

const needsRoot = { skip: process.getuid?.() === 0 ? false : 'needs root' }

t.test("other users' files", needsRoot, async t => {
  const them = 12345
  const shared = (files: Readonly<Record<string, string>>) => {
    const { root, places } = folder(files)
    const data = join(places.home, 'data')
    const theirs = (...names: string[]) => {
      for (const name of names) lchownSync(join(root, name), them, them)
    }
    const allow = (path: string) => allowPath({ path, dataFolder: data, sources: ['Procfile'] })
    return { root, places: { ...places, data }, theirs, allow }
  }
  const kinds: readonly [string, Readonly<Record<string, string>>][] = [
    ['locald.toml', { 'locald.toml': web }],
    ['Procfile', { Procfile: 'web: x\n' }],
    ['.env', { 'locald.toml': web, '.env': 'A=1\n' }],
    ['conf/a.env', { 'locald.toml': `${web}env_file = "conf/a.env"\n`, 'conf/a.env': 'A=1\n' }],
    ['../.locald.toml', { 'locald.toml': web, '../.locald.toml': '[env]\nA = "1"\n' }],
    ['locald.workspace.toml', { 'locald.toml': web, '.git/HEAD': '', 'locald.workspace.toml': '' }],
  ]
  for (const [name, files] of kinds) {
    const { root, places, theirs, allow } = shared(files)
    theirs(name)
    const error = await failure(loadProject(root, types, places))
    t.equal(error.code, 'CONFIG_UNTRUSTED', name)
    t.match(error.message, /(locald|workspace|Procfile|env|toml): it belongs to uid 12345, not to you \(uid 0\)/)
    const [, path = ''] = /^Run `locald config allow (\S+)`/.exec(error.hint ?? '') ?? []
    t.ok(join(root, name).startsWith(path), `${name}: the hint names ${path}`)
    t.match(await allow(path), { owners: [them] }, name)
    await t.resolves(loadProject(root, types, places), `${name} was allowed`)
    lchownSync(join(root, name), 4711, 4711)
    t.match(await failure(loadProject(root, types, places)), { code: 'CONFIG_UNTRUSTED' }, 'of that user only')
  }
  const own = shared({ 'locald.toml': web })
  t.strictSame(await own.allow(own.root), { path: own.root, owners: [] }, 'nothing to allow')
  t.match(await failure(own.allow(join(own.root, 'none'))), { code: 'USAGE' })

  await t.test('a link counts as who made it', async t => {
    const { root, places, theirs } = shared({ 'mine.toml': web })
    symlinkSync('mine.toml', join(root, 'locald.toml'))
    await t.resolves(loadProject(root, types, places))
    theirs('locald.toml')
    t.match(await failure(loadProject(root, types, places)), { code: 'CONFIG_UNTRUSTED' })
  })

  await t.test('a folder or a pipe in the place of a file', async t => {
    const { root, places, theirs } = shared({ 'locald.toml': web, '../.locald.toml/x': '', x: '' })
    theirs('../.locald.toml')
    t.match(await failure(loadProject(root, types, places)), {
      code: 'CONFIG_UNTRUSTED',
      hint: /move the project out of/,
    })
  })

  await t.test('a hard link counts as who could make it', async t => {
    const { root, places, theirs, allow } = shared({ 'mine.toml': web })
    linkSync(join(root, 'mine.toml'), join(root, 'locald.toml'))
    await t.resolves(loadProject(root, types, places), 'in a folder of mine')
    theirs('.')
    t.match(await failure(loadProject(root, types, places)), { message: /belongs to uid 12345/ }, 'in one of theirs')
    lchownSync(root, 0, 0)
    chmodSync(root, 0o1777)
    t.match(await failure(loadProject(root, types, places)), {
      message: /hard link in a folder that anyone may write to/,
    })
    await allow(root)
    await t.resolves(loadProject(root, types, places))
  })

  await t.test('of several problems the hint is what allows', async t => {
    const { root, places, theirs } = shared({ 'locald.toml': `${web}port = 0\n`, '.env': '' })
    theirs('.env')
    t.match(await failure(loadProject(root, types, places)), {
      code: 'CONFIG_INVALID',
      hint: /^Run `locald config allow /,
    })
  })

  await t.test('root takes the files of who called sudo', async t => {
    const { root, places, theirs } = shared({ 'locald.toml': web })
    theirs('locald.toml')
    const load = (sudo: string) => loadProject(root, types, places, { trust: new Trust({ shell: { SUDO_UID: sudo } }) })
    await t.resolves(load(String(them)))
    for (const other of ['4711', '', `${them}x`])
      t.match(await failure(load(other)), { code: 'CONFIG_UNTRUSTED' }, other)
  })

  await t.test('one above is no project of mine', async t => {
    const { root, theirs } = shared({
      'locald.toml': web,
      'none/x': '',
      'own/Procfile': 'web: x\n',
      'in/locald.toml': web,
    })
    theirs('locald.toml')
    const find = (path: string) => findProjectRoot(join(root, path), types.sources)
    t.match(await failure(find('none')), {
      code: 'CONFIG_UNTRUSTED',
      message: `${root}/locald.toml: it belongs to uid 12345, not to you (uid 0)`,
      hint: `Run \`locald config allow ${root}\` if you trust them, or move the project out of ${root}.`,
    })
    t.equal(await find('own'), join(root, 'own'), 'a project of the folder goes first')
    t.equal(await find('in'), join(root, 'in'))
    t.equal(await find('.'), root, 'so that its error is shown')
  })
})

t.test('lines of every way to write TOML', async t => {
  const text = `services.a.command = 1
"services".'b'."command" = 1
services.c = { command = 1 }
project = { name = "shop" }
[services.e]
command = 1
[services.e.health_check]
interval = 0
type = "tcp"
[[services.f]]
[services."g h"]
command = """
x"""
`
  const error = await failure(load({ 'locald.toml': text }))
  t.strictSame(told(error.problems), [
    '1 services.a.command: must be a string',
    '2 services.b.command: must be a string',
    '3 services.c.command: must be a string',
    '6 services.e.command: must be a string',
    '8 services.e.health_check.interval: must be more than 0',
    '10 services.f: must be a table, not an array',
    `11 services."g h": a service's name must be 1 to 63 lower-case letters, digits or '-', with no '-' at either end`,
  ])
})

t.test('what is not TOML', async t => {
  const cases: readonly [string, string][] = [
    [`${head}a = `, '3 -: not valid TOML at column 5: invalid value'],
    [`${head}[env]\nA = "canary`, '4 -: not valid TOML at column 5: unfinished string'],
    ['A = canary', '1 -: not valid TOML at column 5: invalid value'],
    [`${head}name = "canary"`, '3 -: not valid TOML at column 1: trying to redefine an already defined table or value'],
    [
      'constructor = 1\n[__proto__]\na = "canary"',
      '1 -: not valid TOML at column 1: document contains an unsafe property',
    ],
    ['[__proto__]\na = "canary"', '1 -: not valid TOML at column 2: document contains an unsafe property'],
    [
      `a = ${'['.repeat(5000)}`,
      '1 -: not valid TOML at column 69: document contains excessively nested structures. aborting',
    ],
  ]
  for (const [text, message] of cases) {
    const error = await failure(load({ 'locald.toml': text }))
    t.equal(error.code, 'CONFIG_INVALID')
    t.strictSame(
      told(error.problems).map(line => line.replace(/\.$/, '')),
      [message],
    )
    t.notMatch(JSON.stringify(error), 'canary')
  }
  const { root, places } = folder({ 'locald.toml': 'a', '../.locald.toml': 'b' })
  t.equal((await failure(loadProject(root, types, places))).problems.length, 2, 'of all files at once')
})

t.test('files that cannot be read', async t => {
  const cases: readonly [string, (file: string) => void, string][] = [
    ['a folder', file => mkdirSync(file), 'it is a folder'],
    ['a pipe', file => execFileSync('mkfifo', [file]), 'it is not a regular file'],
    ['a device', file => symlinkSync('/dev/zero', file), 'it is not a regular file'],
    ['a circle of links', file => symlinkSync(file, file), 'its symbolic links go in a circle'],
    ['10 MB', file => writeFileSync(file, '#'.repeat(1e7)), 'it is larger than 1 MiB'],
    ['binary', file => writeFileSync(file, new Uint8Array([0x7f, 0x45, 0xff, 0xfe])), 'it is not UTF-8 text'],
  ]
  for (const [what, make, reason] of cases) {
    const { root, places } = folder({})
    make(join(root, 'locald.toml'))
    const error = await failure(loadProject(root, types, places))
    t.match(error, { code: 'CONFIG_UNREADABLE', message: `locald.toml: ${reason}` }, what)
    const layer = folder({ 'locald.toml': web })
    make(join(layer.root, '../.locald.toml'))
    const other = await failure(loadProject(layer.root, types, layer.places))
    t.match(other, { code: 'CONFIG_UNREADABLE', message: `~/work/.locald.toml: ${reason}` }, `${what} as a layer`)
    // A pipe or a device may be a `.env`, which only an `up` reads.
    if (['a folder', 'a pipe', 'a device'].includes(what)) continue
    const dotenv = folder({ 'locald.toml': web })
    make(join(dotenv.root, '.env'))
    t.match(
      await failure(loadProject(dotenv.root, types, dotenv.places)),
      { message: what === 'binary' ? '.env: line 1 is not UTF-8 text' : `.env: ${reason}` },
      `${what} as .env`,
    )
  }
  const pipe = folder({ 'locald.toml': web })
  execFileSync('mkfifo', [join(pipe.root, '.env')])
  const { plan } = await loadProject(pipe.root, types, pipe.places)
  t.notOk(plan.files.includes(join(pipe.root, '.env')), 'a pipe is neither read nor watched')
  const venv = folder({ 'locald.toml': web, '.env/bin/activate': '' })
  await t.resolves(loadProject(venv.root, types, venv.places), 'a folder named .env is a virtual environment')
  await t.test('no permission', async t => {
    const { root, places } = folder({ 'locald.toml': web })
    chmodSync(top, 0o755)
    chmodSync(join(root, 'locald.toml'), 0)
    const isRoot = process.getuid?.() === 0
    if (isRoot) process.seteuid?.(65534)
    try {
      const error = await failure(loadProject(root, types, places))
      t.match(error, { code: 'CONFIG_UNREADABLE', message: 'locald.toml: no permission to read it' })
    } finally {
      if (isRoot) process.seteuid?.(0)
    }
  })
  const mixed = folder({ 'locald.toml': `${head}x = 1`, '../.locald.toml': new Uint8Array([0xff]) })
  const error = await failure(loadProject(mixed.root, types, mixed.places))
  t.equal(error.code, 'CONFIG_INVALID', 'with other problems')
  t.equal(error.problems.length, 2)
})

t.test('sources', async t => {
  const { plan, values } = await load({
    Procfile: 'web: node server.js\n',
    '../.locald.toml': '[services.web]\nport = 4000\n',
  })
  t.match(plan, {
    name: 'shop',
    domain: 'shop.localhost',
    services: [{ name: 'web', common: { port: 4000 }, options: { command: 'node server.js' } }],
  })
  t.ok(plan.files.some(file => file.endsWith('/Procfile')))
  t.ok(
    plan.files.some(file => file.endsWith('/locald.toml')),
    'may appear',
  )
  const value = (await values()).find(({ key }) => key === 'services.web.command')
  t.match(value, { file: /\/Procfile$/, line: null })
  const both = await load({ Procfile: 'web: a\n', 'locald.toml': head })
  t.strictSame(both.plan.services, [], 'locald.toml goes first')
  const wrong = await failure(load({ Procfile: 'web: a\nnonsense\n' }))
  t.match(wrong, { code: 'CONFIG_INVALID', message: 'Procfile:2: line 2 is no "name: command"' })
  const bad = await failure(load({ Procfile: 'Web_1: a\n' }))
  t.match(bad.message, /^Procfile: services\.Web_1: a service's name/)
  const json: ProjectSource = { file: 'package.json', read: text => JSON.parse(text) }
  const torn = await failure(load({ 'package.json': '{\n  "canary": canary\n}' }, { ...types, sources: [json] }))
  t.match(torn.message, /^package\.json:(2: )? ?is not valid JSON$/)
  t.notMatch(JSON.stringify(torn), 'canary')
  const none = await failure(load({ Procfile: '' }))
  t.match(none, { code: 'CONFIG_NOT_FOUND', hint: 'A `locald.toml` or a `Procfile` makes a folder a project.' })
  for (const [name, label] of [
    ['My Shöp!', 'my-shop'],
    ['---', 'project'],
    [`${'x'.repeat(62)}--y`, 'x'.repeat(62)],
  ] as const) {
    const { root, places } = folder({ [`../${name}/Procfile`]: 'web: a\n' })
    t.equal((await loadProject(join(root, '..', name), types, places)).plan.name, label)
  }
})

t.test('the root of a project', async t => {
  const { root } = folder({
    'locald.toml': head,
    'a/b/c.txt': '',
    'a/Procfile': 'web: x\n',
    '../other/Procfile': 'web: x\n',
    '../bad/Procfile': 'x',
    '../none/x': '',
  })
  const find = (path: string) => findProjectRoot(join(root, path), types.sources)
  t.equal(await find('.'), root)
  t.equal(await find('a/b'), root)
  t.equal(await find('a'), root, 'a locald.toml above goes before a source')
  t.equal(await find('locald.toml'), root)
  t.equal(await find('../other'), join(root, '../other'))
  t.equal(await find('../bad'), join(root, '../bad'), 'so that its error is shown')
  t.match(await failure(find('../none')), { code: 'CONFIG_NOT_FOUND', message: new RegExp(join(root, '../none')) })
  t.match(await failure(find('../missing')), { code: 'CONFIG_NOT_FOUND' })
  t.match(await failure(loadProject(join(root, 'missing'), types, { configDir: '/none', home: '/none' })), {
    code: 'CONFIG_NOT_FOUND',
  })
  symlinkSync(root, join(root, '../link'))
  t.equal(await find('../link/a'), root, 'has one path')
})

t.test('values are in no message', async t => {
  const canary = 'canary-4711'
  const { root, places } = folder({
    '.env.local': `A=${canary}\n`,
    'locald.toml': `${head}[env]
A = "${canary}\${"
B = ["${canary}"]
C = "\${services.x.url}${canary}"
"bad name" = "${canary}"
[services.web]
command = ["${canary}"]
mode = "${canary}"
port = "${canary}"
restart = "${canary}"
ready_timeout = "${canary}"
stop_signal = "${canary}"
health_check = { type = "log", pattern = "(${canary}" }
unknown = "${canary}"
limits = { memory = "${canary}" }
[services.web.env]
A = { x = "${canary}" }
[services.api]
command = "x"
health_check = { type = "${canary}" }
[routes]
"/a" = ["${canary}"]
[plugins]
x = ["${canary}"]
`,
  })
  const error = await failure(loadProject(root, types, places))
  t.equal(error.problems.length, 17)
  t.notMatch(JSON.stringify(error), canary)
  t.notMatch(String(error.stack), canary)
})

t.test("locald's own settings", async t => {
  const { places } = folder({
    '../../.config/locald/config.toml':
      '[plugins.redis]\nport = 1\n[plugins.off]\nenabled = false\n[proxy]\nhttp = 8080\n[env]\nA = "1"\n',
  })
  t.strictSame(JSON.parse(JSON.stringify(await readSettings(places, ['proxy', 'other']))), {
    plugins: { redis: { port: 1 }, off: { enabled: false } },
    tables: { proxy: { http: 8080 }, other: {} },
  })
  const absent = folder({})
  t.strictSame(await readSettings(absent.places, ['proxy']), { plugins: {}, tables: { proxy: {} } })
  const wrong = folder({ '../../.config/locald/config.toml': 'proxy = 1\n[plugin.redis]\n' })
  const error = await failure(readSettings(wrong.places, ['proxy']))
  t.strictSame(told(error.problems), [
    '1 proxy: must be a table, not a number',
    "2 plugin: unknown key; did you mean 'plugins'?",
  ])
})

t.test('tables of plugins', async t => {
  const shape = {
    schema: {
      type: 'object',
      properties: { from: { type: 'string' }, retries: { type: 'integer', default: 3 } },
      additionalProperties: false,
    },
  } as const
  const project = [
    { name: 'mail', shape },
    { name: 'queue', shape, inherited: true },
  ]
  const from: TypeSource = { ...types, tables: { settings: ['proxy'], project } }
  const files = { 'locald.toml': `${web}[mail]\nfrom = "a"\n`, '../.locald.toml': '[queue]\nretries = 1\n' }
  const { plan } = await load(files, from)
  t.strictSame(plan.tables, { mail: { from: 'a', retries: 3 }, queue: { retries: 1 } }, 'defaults are filled in')
  t.equal((await load({ 'locald.toml': web }, from)).plan.tables, undefined)
  const wrong = folder({
    'locald.toml': `${web}[mail]\nretries = "x"\nfrm = "a"\n[mial]\n`,
    '../.locald.toml': '[mail]\n',
    '../../.config/locald/config.toml': '[queue]\n',
  })
  const error = await failure(loadProject(wrong.root, from, wrong.places))
  t.strictSame(told(error.problems), [
    "1 queue: belongs in the project's own locald.toml",
    "1 mail: belongs in the project's own locald.toml",
    '6 mail.retries: must be a whole number',
    "7 mail.frm: unknown key; did you mean 'from'?",
    "8 mial: unknown key; did you mean 'mail'?",
  ])
  const validate = new Ajv({ strict: false }).compile(JSON.parse(JSON.stringify(projectSchema(from))))
  t.ok(validate(parse(`${web}[mail]\nfrom = "a"\n`)), 'the JSON schema knows them')
  t.notOk(validate(parse(`${web}[mail]\nfrom = 1\n`)))
})

t.test('the JSON schema agrees', async t => {
  const schema = projectSchema(types)
  const validate = new Ajv({ strict: false }).compile(JSON.parse(JSON.stringify(schema)))
  for (const { what, text, blind } of wrongFiles) t.equal(validate(parse(text)), blind === true, what)
  const right = `${web}health_check = { type = "http", path = "/x", interval = "1s" }\ndepends_on = { a = "started" }\nenv_file = "a"\ntty = false\n[services.a]\ntype = "container"\nimage = "x"\ncommand = ["a"]\nport = 80\nstop_signal = "TERM"\nready_timeout = 0.5\n[services.db]\ntype = "postgres"\n[routes]\n"/" = { service = "web" }\n[plugins]\na = "1"\n[env]\nA = 1\n`
  t.ok(validate(parse(right)), JSON.stringify(validate.errors))
  const described: string[] = []
  const walk = (value: unknown, path: string) => {
    if (typeof value !== 'object' || value === null) return
    if ('description' in value && typeof value.description === 'string') described.push(path)
    for (const [key, inner] of Object.entries(value)) walk(inner, `${path}/${key}`)
  }
  walk(schema, '')
  for (const key of [
    'workdir',
    'port',
    'env',
    'env_file',
    'depends_on',
    'health_check',
    'ready_timeout',
    'restart',
    'stop_signal',
    'stop_timeout',
    'watch',
  ]) {
    t.ok(described.includes(`/definitions/${key}`), `${key} has a description`)
  }
  t.notOk(JSON.stringify(schema).includes('type-vm'), 'without types that are not available')
})

t.test('what it takes to load grows with the services, not with their square', async t => {
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
