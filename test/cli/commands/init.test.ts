import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LocaldError } from '../../../kernel/errors.ts'
import { translateCompose } from '../../../plugins/project-sources/compose/index.ts'
import { folderAt } from '../../plugins/project-sources/compose/translate.ts'
import { FakeDaemon, type Handler, json, main } from '../fake-daemon.ts'

const compose = `services:
  web:
    image: \${IMAGE:-web}
    cap_add: [NET_ADMIN]
    "b\\e[31m": 1
`

/** Translates compose files as the daemon's plugin does. */
const translated: Handler = (response, asked) => {
  const path = String(Reflect.get(Object(asked.body), 'path'))
  const files: unknown = Reflect.get(Object(asked.body), 'files')
  translateCompose(folderAt(path), Array.isArray(files) ? files.map(String) : []).then(
    translation => json(translation)(response, asked),
    (error: unknown) => json({ error: LocaldError.from(error).toJSON() }, 400)(response, asked),
  )
}

/** A folder with these files, and the CLI in it. */
async function folderWith(t: Test, files: Readonly<Record<string, string>>): Promise<FakeDaemon> {
  const daemon = (await FakeDaemon.start(t)).on('POST /v1/projects/translation', translated)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(daemon.home, name), text)
  return daemon
}

t.test('init --from compose writes locald.toml, and lists what differs and what comes next', async t => {
  const daemon = await folderWith(t, { 'compose.yaml': compose })
  const ran = await daemon.run(['init', '--from', 'compose'])
  t.match(ran, { code: 0, stderr: '' })
  t.equal(
    ran.stdout,
    `Wrote locald.toml: 1 service from compose.yaml
Not carried over:
  compose.yaml:4: services.web.cap_add: the container has the engine's default capabilities
  compose.yaml:5: services.web.b: unknown key
Different from compose:
  compose.yaml:3: services.web.image: has the present value of \${IMAGE}: a later one changes nothing
Next: locald up
`,
  )
  t.match(
    readFileSync(join(daemon.home, 'locald.toml'), 'utf8'),
    /\[services\.web\]\ntype = "container"\nimage = "web"\n$/,
  )
  t.match(daemon.last('/v1/projects/translation').body, { format: 'compose', files: [] })
})

t.test('init --dry-run prints the file alone on stdout', async t => {
  const daemon = await folderWith(t, { 'compose.yaml': compose, 'locald.toml': '' })
  const ran = await daemon.run(['init', '--from', 'compose', '--dry-run'])
  t.equal(ran.code, 0)
  t.match(ran.stdout, /^# Made from compose\.yaml(?:.*\n)+image = "web"\n$/)
  t.match(ran.stderr, /^Not carried over:\n/)
  t.equal(readFileSync(join(daemon.home, 'locald.toml'), 'utf8'), '')
})

t.test('init --json prints the text, the services and the findings', async t => {
  const daemon = await folderWith(t, { 'compose.yaml': compose })
  const answer = JSON.parse((await daemon.run(['init', '--from', 'compose', '--json'])).stdout)
  t.match(answer, {
    file: /locald\.toml$/,
    written: true,
    toml: /\[services\.web\]/,
    files: [/compose\.yaml$/],
    services: ['web'],
    dropped: [{ key: 'services.web.cap_add', line: 4, file: /compose\.yaml$/ }, {}],
    changed: [{ key: 'services.web.image' }],
  })
})

t.test('init keeps an existing locald.toml unless --force', async t => {
  const daemon = await folderWith(t, { 'compose.yaml': compose, 'locald.toml': 'mine\n' })
  const ran = await daemon.run(['init', '--from', 'compose'])
  t.match(ran, { code: 2, stderr: /locald\.toml exists already \[USAGE\]\nHint: Print the new one with `--dry-run`/ })
  t.equal(readFileSync(join(daemon.home, 'locald.toml'), 'utf8'), 'mine\n')
  t.match(await daemon.run(['init', '--from', 'compose', '-y']), { code: 2 })
  t.match(await daemon.run(['init', '--from', 'compose', '--force']), { code: 0 })
  t.match(readFileSync(join(daemon.home, 'locald.toml'), 'utf8'), 'image = "web"')
  t.notMatch(readdirSync(daemon.home).join(' '), '.tmp')
})

t.test('init merges the files of -f in order', async t => {
  const daemon = await folderWith(t, {
    'a.yaml': 'services: { web: { image: a, user: me } }',
    'b.yaml': 'services: { web: { image: b } }',
  })
  const ran = await daemon.run(['init', '--from', 'compose', '-f', 'a.yaml', '--file=b.yaml', '--dry-run'])
  t.match(ran.stdout, 'image = "b"\nuser = "me"\n')
  t.match(await daemon.run(['init', '--from', 'compose', '-f', 'no.yaml']), {
    code: 2,
    stderr: /file not found: .*no\.yaml/,
  })
})

t.test('init refuses all at once and writes nothing', async t => {
  const daemon = await folderWith(t, {
    'compose.yaml': 'services:\n  a: { image: a, pid: host }\n  b:\n    image: b\n    privileged: true\n',
  })
  const ran = await daemon.run(['init', '--from', 'compose'])
  t.match(ran, { code: 2, stdout: '' })
  t.match(
    ran.stderr,
    /^Error: .* \[IMPORT_UNSUPPORTED\]\n.*:2: services\.a\.pid: .*\n.*:5: services\.b\.privileged: .*\nHint: /,
  )
  t.notOk(existsSync(join(daemon.home, 'locald.toml')))
})

const none = { error: { code: 'CONFIG_NOT_FOUND', message: 'nothing describes a project', hint: 'Create one.' } }

t.test('init without anything to infer says what to type', async t => {
  const empty = await folderWith(t, {})
  empty.on('GET /v1/projects/inferred', json(none, 404))
  t.match(await empty.run(['init']), { code: 2, stderr: /\[CONFIG_NOT_FOUND\]\nHint: Create one\./ })
  t.match(await empty.run(['init', '--from', 'compose']), {
    code: 2,
    stderr: /no compose file in .*\[CONFIG_NOT_FOUND\]/,
  })
  t.match(await empty.run(['init', '--from', 'heroku']), { code: 2, stderr: /--from 'heroku' is unknown/ })
  t.match(await empty.run(['init', '--from', 'procfile']), {
    code: 2,
    stderr: /no service in Procfile or Procfile\.dev/,
  })
  t.notOk(existsSync(join(empty.home, 'locald.toml')))
})

t.test('init translates a compose file where that is what describes the folder', async t => {
  const daemon = await folderWith(t, { 'docker-compose.yml': compose })
  const found = { path: daemon.home, file: 'docker-compose.yml', services: {}, files: {}, notes: [], format: 'compose' }
  daemon.on('GET /v1/projects/inferred', json(found))
  t.match(await daemon.run(['init']), { code: 0, stdout: /^Wrote locald\.toml: 1 service from docker-compose\.yml\n/ })
})

const inferred = {
  file: 'package.json',
  services: {
    web: { type: 'exec', command: 'npm run dev' },
    jobs: { type: 'worker', command: 'npm run "jobs"', workdir: 'jobs' },
  },
  files: { jobs: 'jobs/package.json' },
  notes: ['jobs has no port'],
}

/** A folder with a project to infer, and the path of its `locald.toml`. */
async function inferredFolder(t: Test): Promise<{ readonly daemon: FakeDaemon; readonly file: string }> {
  const daemon = await folderWith(t, {})
  daemon.on('GET /v1/projects/inferred', json({ path: daemon.home, ...inferred }))
  daemon.on('POST /v1/config', json({ project: 'shop', path: daemon.home, values: [] }))
  return { daemon, file: join(daemon.home, 'locald.toml') }
}

t.test('init writes what is inferred', async t => {
  const { daemon, file } = await inferredFolder(t)
  t.match(await daemon.run(['init']), {
    code: 0,
    stderr: '',
    stdout: `Wrote locald.toml: 2 services from package.json, jobs/package.json
Note: jobs has no port
Next: locald up
`,
  })
  const toml = readFileSync(file, 'utf8')
  t.match(
    toml,
    /^# What `locald up` runs, made from package\.json\..*\n# .*\n\n\[project\]\nname = ".+"\n\n\[services\.web\]\ncommand = "npm run dev"\n\n\[services\.jobs\]\n# From jobs\/package\.json\ntype = "worker"\ncommand = "npm run \\"jobs\\""\nworkdir = "jobs"\n$/,
  )
  t.match(daemon.last('/v1/config').body, { draft: toml })
  t.match(await daemon.run(['init', '--yes']), {
    code: 2,
    stderr: /exists already \[USAGE\]\nHint: Print .* `--force`/,
  })
  t.match(JSON.parse((await daemon.run(['init', '--from', 'package', '--force', '--json'])).stdout), {
    written: true,
    services: ['web', 'jobs'],
    notes: inferred.notes,
    files: [/package\.json$/, /jobs\/package\.json$/],
  })
  t.equal(daemon.last('/v1/projects/inferred').query.get('file'), 'package.json')
})

t.test('init writes nothing with --dry-run, nor what the daemon refuses', async t => {
  const { daemon, file } = await inferredFolder(t)
  t.match(await daemon.run(['init', '--dry-run']), {
    code: 0,
    stdout: /^# What [\s\S]*"jobs"\n$/,
    stderr: 'Note: jobs has no port\n',
  })
  daemon.on('POST /v1/config', json({ error: { code: 'CONFIG_INVALID', message: 'wrong' } }, 400))
  t.match(await daemon.run(['init']), { code: 2, stderr: /wrong \[CONFIG_INVALID\]/ })
  t.notOk(existsSync(file))
})

t.test('other commands do not read the parser of YAML', async t => {
  t.notMatch(readFileSync(main, 'utf8'), 'parseAllDocuments')
})
