// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are the texts of compose files.
import { parse } from 'smol-toml'
import t from 'tap'
import { failureOf, findingLines, projectWith, translate } from './translate.ts'

/** Translates files, merged in order; the services of the result. */
async function merged(...files: readonly string[]): Promise<Record<string, Record<string, unknown>>> {
  const names = files.map((_, index) => `${index}.yaml`)
  const root = projectWith(Object.fromEntries(files.map((text, index) => [`${index}.yaml`, text])))
  const { toml } = await translate(root, names)
  return JSON.parse(JSON.stringify(parse(toml))).services
}

t.test('merges mappings, appends lists and replaces commands', async t => {
  const { web, db } = await merged(
    `services:
  web:
    image: web:1
    command: [a, b]
    entrypoint: /one
    environment: [A=1, B=2]
    ports: ["80:80", "81:81"]
    volumes: ["./a:/a", "data:/data"]
    labels: { one: "1" }
    healthcheck: { test: [CMD, one], interval: 5s }
    depends_on: [db]
    expose: ["90"]
  db: { image: db }
`,
    `services:
  web:
    image: web:2
    command: c
    entrypoint: [/two, x]
    environment: { B: 3, C: 4 }
    ports: ["8081:81", "82"]
    volumes: ["./b:/a:ro", "/cache"]
    labels: [two=2]
    healthcheck: { test: two, timeout: 2s }
    depends_on: { db: { condition: service_healthy } }
    tmpfs: /run
`,
  )
  t.match(web, {
    image: 'web:2',
    command: 'c',
    entrypoint: ['/two', 'x'],
    env: { A: '1', B: '3', C: '4' },
    container_port: 80,
    ports: ['81', '82'],
    volumes: ['./b:/a:ro', 'data:/data', '/cache'],
    labels: { one: '1', two: '2' },
    health_check: { command: 'two', interval: 5, timeout: 2 },
    depends_on: { db: 'ready' },
    tmpfs: ['/run'],
  })
  t.match(db, { image: 'db' })
})

t.test('!reset deletes and !override replaces a value of an earlier file; an empty one changes nothing', async t => {
  const services = await merged(
    'services: { a: { image: a, ports: ["1:1", "2:2"], environment: { A: "1", B: "2" }, user: me, command: x }, b: { image: b } }',
    `services:
  a:
    ports: !override ["3:3"]
    environment: { A: !reset null, C: "3" }
    user: !reset
    command:
    volumes: !reset []
  b: !reset null
`,
  )
  t.strictSame(services, {
    a: { type: 'container', image: 'a', container_port: 3, command: 'x', env: { B: '2', C: '3' } },
  })
})

t.test('merges the documents of one file', async t => {
  t.match(await merged('services: { a: { image: a } }\n---\nservices: { a: { user: me } }\n'), { a: { user: 'me' } })
})

t.test('extends a service of the same file, of another and of an earlier one', async t => {
  const root = projectWith({
    'compose.yaml': `services:
  base: { image: base, volumes: ["./x:/x"] }
  web: { extends: base, command: web }
  api: { extends: { file: other/common.yaml, service: app }, environment: { B: "2" } }
`,
    'other/common.yaml': `services:
  app: { extends: { service: root }, build: { context: src, dockerfile: Dev }, env_file: dev.env }
  root: { image: app, volumes: ["./y:/y"], environment: { A: "1", B: "1" } }
`,
    'compose.override.yaml': 'services: { late: { extends: web, user: me } }',
  })
  const { toml, changed } = await translate(root)
  const { services } = JSON.parse(JSON.stringify(parse(toml)))
  t.match(services, {
    web: { image: 'base', command: 'web', volumes: ['./x:/x'] },
    api: {
      build: { context: './other/src', dockerfile: 'Dev' },
      volumes: ['./other/y:/y'],
      env: { A: '1', B: '2' },
      env_file: ['other/dev.env'],
    },
    late: { image: 'base', command: 'web', user: 'me' },
  })
  t.ok(findingLines(root, changed).some(line => line.startsWith('other/common.yaml:2 services.api.env_file: ')))
})

t.test('includes files with folders and variables of their own', async t => {
  const root = projectWith({
    'compose.yaml': 'include: [a/compose.yaml, { path: [b/one.yaml, b/two.yaml], project_directory: c }]\nservices: {}',
    'a/compose.yaml': 'services: { a: { image: "a:${TAG}", volumes: ["./v:/v"] } }',
    'a/.env': 'TAG=1\n',
    'b/one.yaml': 'services: { b: { image: b, volumes: ["./v:/v"] } }',
    'b/two.yaml': 'services: { b: { user: me } }',
  })
  const { services } = JSON.parse(JSON.stringify(parse((await translate(root)).toml)))
  t.match(services, {
    a: { image: 'a:1', volumes: ['./a/v:/v'] },
    b: { image: 'b', user: 'me', volumes: ['./c/v:/v'] },
  })
})

t.test('reports what compose cannot read either, with file and line', async t => {
  const cases: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
    [{ 'compose.yaml': 'services:\n  a:\n    extends: b\n' }, /:3: extends: unknown service 'b'$/],
    [{ 'compose.yaml': 'services:\n  a:\n    extends: a\n' }, /:3: extends: the service extends itself$/],
    [{ 'compose.yaml': 'services:\n  a: { extends: { file: x.yaml } }\n' }, /:2: extends: no service$/],
    [{ 'compose.yaml': 'services: { a: { extends: { file: no.yaml, service: a } } }' }, /file not found: .*no\.yaml$/],
    [{ 'compose.yaml': 'include: compose.yaml\nservices: {}' }, /:1: include: the file includes itself$/],
    [{ 'compose.yaml': '\ninclude: ["oci://example.com/a"]' }, /:2: include: only files of this machine/],
    [
      { 'compose.yaml': 'include: a.yaml\nservices:\n  a: { image: a }', 'a.yaml': 'services: { a: { image: b } }' },
      /:3: 'a' is in an included file, too$/,
    ],
    [
      { 'compose.yaml': 'services:\n  a: { image: a, depends_on: [b] }\n  b: { image: b, depends_on: [a] }' },
      /:1: services depend on each other: a -> b -> a$/,
    ],
    [{ 'compose.yaml': 'services: {}' }, /:1: no services$/],
    [{ 'compose.yaml': '' }, /:1: no services$/],
    [{ 'compose.yaml': '- a' }, /:1: not a compose file: its top level is no mapping$/],
  ]
  for (const [files, message] of cases) {
    const error = await failureOf(translate(projectWith(files)))
    t.match(error.message, message)
    t.match(error.code, /^CONFIG_(?:INVALID|NOT_FOUND)$/)
  }
})
