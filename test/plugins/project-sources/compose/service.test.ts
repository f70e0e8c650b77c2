// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are the texts of compose files.
import { chmodSync, chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'smol-toml'
import t from 'tap'
import { failureOf, findingLines, loadToml, projectWith, translate } from './translate.ts'

const onlyRoot = process.getuid?.() === 0 ? false : 'only root gives files away'

/** Translates one service, written as YAML's flow, and loads the result. */
async function service(keys: string, rest = '', env: NodeJS.ProcessEnv = {}) {
  const root = projectWith({ 'compose.yaml': `services:\n  web: { image: web, ${keys} }\n${rest}` })
  const { toml, dropped, changed } = await translate(root, [], env)
  await loadToml(root, toml)
  const { web } = JSON.parse(JSON.stringify(parse(toml))).services
  const { type: _type, image: _image, ...table } = web
  const lines = (findings: typeof dropped) =>
    findingLines(root, findings).map(line => line.replace(/^compose\.yaml:\d+ /, ''))
  return { table, dropped: lines(dropped), changed: lines(changed), toml }
}

t.test('ports: all forms; the main one is the first, or that of PORT, and never a debugger', async t => {
  const cases: Readonly<Record<string, object>> = {
    'ports: [80, "8080:81", "127.0.0.1:9:82", "[::1]:9:83", "1000-1002:90-92"]': {
      container_port: 80,
      ports: ['81', '82', '83', '90', '91', '92'],
    },
    'ports: ["9229:9229", "3000:3000"]': { container_port: 3000, ports: ['9229'] },
    'ports: ["9229:9229"]': { container_port: 9229 },
    'ports: ["80:80", "4000:4000"], environment: { PORT: 4000 }': { container_port: 4000, ports: ['80'] },
    'expose: ["7000", 7001/tcp, 7002/udp]': { container_port: 7000 },
    'environment: { PORT: 4000 }': { container_port: 4000 },
    'ports: ["443:443"]': { container_port: 443, protocol: 'https' },
    'ports: [{ target: 50051, app_protocol: h2c }]': { container_port: 50051, protocol: 'h2c' },
    'ports: []': {},
  }
  for (const [keys, expected] of Object.entries(cases)) t.strictSame((await service(keys)).table, expected, keys)
  t.match((await service('ports: ["53:53/udp"]')).dropped, [
    'services.web.ports: 53/udp: locald publishes TCP ports only',
  ])
  t.match((await service('ports: ["8080:80"]')).toml, 'container_port = 80  # port = 8080 keeps')
  t.match((await service('environment: { PORT: a }')).dropped, [/^services\.web\.environment\.PORT: /])
  for (const port of ['x', '0', '70000', '80:x', '1-100', '2-1']) {
    const root = projectWith({ 'compose.yaml': `services: { web: { image: a, ports: ["${port}"] } }` })
    t.match((await failureOf(translate(root))).problems, [{ key: 'services.web.ports', line: 1 }], port)
  }
})

t.test('variables: fixed ones are listed by name, not by value', async t => {
  const { table, changed } = await service(
    'user: "${WHO:-me}-${ID}", environment: { A: "${WHO+x}", B: "${WHO}" }',
    '',
    {
      WHO: 'secret',
    },
  )
  t.strictSame(table, { user: 'secret-', env: { A: 'x', B: '${WHO:-}' } })
  t.strictSame(changed, [
    'services.web.user: has the present value of ${WHO}, ${ID}: a later one changes nothing',
    'services.web.environment.A: has the present value of ${WHO}: a later one changes nothing',
  ])
})

t.test('variables come from the shell, then from .env, which is no folder', async t => {
  const root = projectWith({
    'compose.yaml': 'services: { web: { image: "a:${A}${B}${C}${D}" } }',
    '.env': "A=1\nB=2\nC=${A}x\nD='${A}'\n",
  })
  t.match((await translate(root, [], { A: '9' })).toml, 'image = "a:929x${A}"')
  const venv = projectWith({ 'compose.yaml': 'services: { web: { image: "a:${A-1}" } }', '.env/bin/python': '' })
  t.match((await translate(venv)).toml, 'image = "a:1"')
})

t.test('COMPOSE_FILE and COMPOSE_PROFILES count, from .env, too', async t => {
  const root = projectWith({
    'a.yml': 'services: { a: { image: a, profiles: [x] } }',
    'b.yml': 'services: { b: { image: b, profiles: [y] } }',
    '.env': 'COMPOSE_FILE=a.yml;b.yml\nCOMPOSE_PATH_SEPARATOR=;\nCOMPOSE_PROFILES=y\n',
  })
  const { services, toml } = await translate(root)
  t.strictSame(services, ['b'])
  t.match(toml, '# [services.a]\n')
})

t.test('mounts: every form', async t => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    'volumes: [/data]': ['/data'],
    'volumes: ["data:/data:nocopy"]': ['data:/data:nocopy'],
    'volumes: [".:/app:cached", "..:/up:ro,z", "/abs/x:/abs:delegated"]': ['.:/app', '..:/up:ro,z', '/abs/x:/abs'],
    'volumes: ["~/x:/x", "~:/home"]': ['~/x:/x', '~/:/home'],
    'volumes: [{ type: volume, target: /own }]': ['/own'],
    'volumes: [{ type: volume, source: d, target: /d, read_only: true, volume: { nocopy: true } }]': ['d:/d:nocopy,ro'],
    'volumes: ["nfs:/nfs", "bound:/bound"]': ['nfs:/nfs', './here:/bound'],
  }
  const defined = `volumes:
  nfs: { driver_opts: { type: nfs, device: ":/x" } }
  bound: { driver_opts: { type: none, o: bind, device: ./here } }
`
  for (const [keys, expected] of Object.entries(cases))
    t.strictSame((await service(keys, defined)).table.volumes, expected, keys)
  t.match((await service('volumes: ["nfs:/nfs"]', defined)).changed, [/'nfs' has a driver in compose/])
  t.match((await service('volumes: ["./no:/no"]')).changed, [/source: does not exist: create it before/])
  t.match((await service('volumes: ["/var/run/docker.sock:/s"]')).changed, [/is the socket of one engine/])
  t.match((await service('volumes: ["/:/host:rshared"]')).dropped, [/rshared: locald mounts without/])
})

t.test('environment: what locald or no container can hold is listed', async t => {
  const { table, dropped, changed } = await service(
    'environment: { a.b: "1", PORT: 1, LOCALD_URL: x, A: "a\\0b", B: "http://host.docker.internal:1", C: null, D: "$$D ${E?x}" }, ports: [80]',
  )
  t.strictSame(table.env, { B: 'http://host.docker.internal:1', C: '${C:-}', D: '$D ${E:?x}' })
  t.strictSame(
    dropped.map(line => line.replace(/:.*/, '')),
    ['a.b', 'PORT', 'LOCALD_URL', 'A'].map(name => `services.web.environment.${name}`),
  )
  t.match(changed, [/\.B: host\.docker\.internal reaches services of this project only/, /\.C: is empty/])
})

t.test('health checks: a command for sh, times, and none', async t => {
  const cases: Readonly<Record<string, object>> = {
    'healthcheck: { test: a || b }': { health_check: { command: 'a || b', timeout: 30 } },
    'healthcheck: { test: [CMD, a, "b c", "d\'e"], interval: 2s, timeout: 1s }': {
      health_check: { command: `a 'b c' 'd'\\''e'`, interval: 2, timeout: 1 },
    },
    'healthcheck: { test: [CMD-SHELL, "a; b"], interval: 0s, start_period: 5m, retries: 5 }': {
      health_check: { command: 'a; b', timeout: 30 },
      ready_timeout: 450,
    },
    'healthcheck: { disable: true }, ports: [80]': { health_check: { type: 'tcp' } },
    'healthcheck: { test: [NONE] }, ports: [80]': { health_check: { type: 'tcp' } },
  }
  for (const [keys, expected] of Object.entries(cases)) t.match((await service(keys)).table, expected, keys)
  t.match((await service('healthcheck: { interval: 5s }')).dropped, [/^services\.web\.healthcheck\.test: is missing/])
})

t.test('process and limits', async t => {
  const { table } = await service(
    `init: false, working_dir: /w, user: 1000, stop_signal: quit, stop_grace_period: 0s, shm_size: 1gb, mem_limit: 1g,
     cpus: "0", labels: [a, b=1], tmpfs: [/a, "/b:size=1m"], command: 'x "y z"', entrypoint: " ", restart: "no", pull_policy: always`,
  )
  t.strictSame(table, {
    pull: 'always',
    command: ['x', 'y z'],
    workdir: '/w',
    user: '1000',
    init: false,
    stop_signal: 'SIGQUIT',
    stop_timeout: 0,
    labels: { a: '', b: '1' },
    tmpfs: ['/a', '/b:size=1m'],
    memory: '1g',
    shm_size: '1g',
    restart: 'no',
  })
  t.match((await service('stop_signal: SIGRTMIN+3')).dropped, [/stop_signal: locald does not know the signal/])
})

t.test('every unknown key is listed; extensions and empty ones are not', async t => {
  const { dropped } = await service(
    'nonsense: 1, x-mine: 1, cap_add: [], privileged: false, read_only: false, dns: null',
  )
  t.strictSame(dropped, ['services.web.nonsense: unknown key'])
})

t.test('a service whose image another one builds gets the same build', async t => {
  const root = projectWith({
    'compose.yaml': 'services: { a: { build: ./app, image: app }, b: { image: app, command: b }, c: { image: other } }',
  })
  const { services } = JSON.parse(JSON.stringify(parse((await translate(root)).toml)))
  t.match(services, { a: { build: { context: './app' } }, b: { build: { context: './app' }, command: 'b' } })
  t.notOk('image' in services.b)
})

t.test('files of another folder are read relative to it, and locald.toml is for this one', async t => {
  const root = projectWith({
    'docker/compose.yaml':
      'services: { web: { build: .., volumes: ["../src:/src", "./conf:/conf"], environment: ["A=$A"] } }',
  })
  const { toml, changed } = await translate(root, ['docker/compose.yaml'])
  t.match(toml, 'build = { context = "." }')
  t.match(toml, 'volumes = ["./src:/src", "./docker/conf:/conf"]')
  t.ok(findingLines(root, changed).some(line => /locald reads \.env in/.test(line)))
})

t.test('offers what could run without a container where its program is there', async t => {
  const root = projectWith({
    'compose.yaml': 'services: { web: { build: { context: web, target: dev } }, db: { image: "postgres:17.2" } }',
    'web/Dockerfile': 'FROM node AS dev\nCMD npm run \\\n  dev\nFROM scratch\nCMD ["/server"]\n',
    'bin/npm': '',
  })
  writeFileSync(join(root, 'bin', 'npm'), '')
  chmodSync(join(root, 'bin', 'npm'), 0o755)
  const { toml } = await translate(root, [], { PATH: join(root, 'bin') })
  t.match(toml, /# Without a container: command = "npm run\s+dev" and workdir = "\.\/web" alone/)
  t.match(toml, '# Without a container: type = "postgres" and version = "17" alone; others read ${services.db.url}.')
  t.notMatch((await translate(root)).toml, 'npm')
})

t.test("another user's files are not read: their commands would become the caller's", { skip: onlyRoot }, async t => {
  for (const name of ['compose.yaml', 'compose.override.yaml', '.env']) {
    const files = { 'compose.yaml': 'services: { web: { image: a } }', 'compose.override.yaml': '{}', '.env': 'A=1\n' }
    const root = projectWith(files)
    chownSync(join(root, name), 4321, 4321)
    const error = await failureOf(translate(root))
    t.match(error, { code: 'CONFIG_UNTRUSTED', message: `${join(root, name)}: belongs to uid 4321` })
  }
})
