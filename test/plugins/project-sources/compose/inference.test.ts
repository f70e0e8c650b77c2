// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are the texts of compose files.
import { chownSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { failureOf, folderOf, infer } from '../folders.ts'

const databases = `services:
  db:
    image: postgres:\${TAG:-16}
    ports: ["\${DB_PORT:-5432}:5432"]
    environment: { POSTGRES_PASSWORD: "\${PASSWORD:-dev}" }
  cache:
    image: redis:7
    ports: ["6380:6379"]
`
const npm = { 'package.json': '{"scripts":{"dev":"vite"}}' }

t.test('a compose file alone, with its override, is a project', async t => {
  const folder = folderOf(t, {
    'compose.yaml': databases,
    'compose.override.yaml': 'services: { db: { command: [a], depends_on: [cache] } }',
    '.env': 'TAG=17',
  })
  const { file, services, notes, format } = await infer(folder)
  t.equal(file, 'compose.yaml')
  t.equal(format, 'compose')
  t.strictSame(services, {
    db: {
      type: 'container',
      image: 'postgres:17',
      container_port: 5432,
      command: ['a'],
      env: { POSTGRES_PASSWORD: '${PASSWORD:-dev}' },
      depends_on: { cache: 'started' },
    },
    cache: { type: 'container', image: 'redis:7', container_port: 6379 },
  })
  t.match(notes, [/^1 key of it works differently or not at all: `locald init --from compose` writes/])
})

t.test('services that locald cannot run are left out, each with its line, and so are those of profiles', async t => {
  const folder = folderOf(t, {
    'docker-compose.yml': `services:
  proxy: { image: traefik, network_mode: host }
  web: { image: nginx, depends_on: [proxy] }
  debug: { image: busybox, profiles: [debug] }
`,
  })
  const { services, notes } = await infer(folder)
  t.strictSame(services, { web: { type: 'container', image: 'nginx' } })
  t.match(notes[0], /^proxy is not started: line 2: network_mode: 'host': each container/)
  const none = await failureOf(
    folderOf(t, { 'compose.yml': 'services: { a: { image: x, privileged: true } }', Dockerfile: '' }),
  )
  t.match(none.message, /locald can run no service of compose\.yml: a is not started: line 1: privileged: /)
  t.match(none.hint, '`locald init --from compose --dry-run`')
})

t.test('databases of a compose file join what another file describes, at the ports of compose', async t => {
  const { file, services, files, notes } = await infer(folderOf(t, { ...npm, 'compose.yaml': databases }))
  t.equal(file, 'package.json')
  t.match(services, {
    web: { command: 'npm run dev', depends_on: { db: 'ready', cache: 'ready' } },
    db: { type: 'container', container_port: 5432, port: 5432 },
    cache: { container_port: 6379, port: 6380 },
  })
  t.strictSame(files, { db: 'compose.yaml', cache: 'compose.yaml' })
  t.strictSame(notes, ['db and cache of compose.yaml are started, too, at the ports that compose publishes'])
})

t.test('a compose file that runs the project itself, or cannot be used, is named only', async t => {
  const cases: readonly (readonly [string, RegExp])[] = [
    [
      'services: { api: { build: . }, db: { image: redis } }',
      /^compose\.yaml is not used: api is built from a Dockerfile; `locald init/,
    ],
    ['services: { web: { image: nginx } }', /^compose\.yaml is not used: package\.json has a service web, too; /],
    ['services: [', /^compose\.yaml is not used: line 1: not valid YAML: /],
    ['services: { db: { image: x, pid: host } }', /^compose\.yaml: db is not started: line 1: pid: /],
  ]
  for (const [text, note] of cases) {
    const { services, notes } = await infer(folderOf(t, { ...npm, 'compose.yaml': text }))
    t.strictSame(services, { web: { command: 'npm run dev' } }, text)
    t.match(notes, [note])
  }
  const without = await infer(folderOf(t, { ...npm, 'compose.yaml': databases }), ['exec', 'container'], false)
  t.strictSame(Object.keys(without.services), ['web'])
  t.match(without.notes, [/^compose\.yaml is not used: no container engine is installed/])
})

t.test("another user's compose file is refused", { skip: process.getuid?.() !== 0 }, async t => {
  const folder = folderOf(t, { 'compose.yaml': databases })
  chownSync(join(folder, 'compose.yaml'), 12_345, 12_345)
  t.equal((await failureOf(folder)).code, 'CONFIG_UNTRUSTED')
})
