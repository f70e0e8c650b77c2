import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { FakeDaemon, main } from '../fake-daemon.ts'

const compose = `services:
  web:
    image: \${IMAGE:-web}
    cap_add: [NET_ADMIN]
    "b\\e[31m": 1
`

/** A folder with these files, and the CLI in it. */
async function folderWith(t: Test, files: Readonly<Record<string, string>>): Promise<FakeDaemon> {
  const daemon = await FakeDaemon.start(t)
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
  t.strictSame(daemon.asked, [], 'it needs no daemon')
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

t.test('init keeps an existing locald.toml unless --yes', async t => {
  const daemon = await folderWith(t, { 'compose.yaml': compose, 'locald.toml': 'mine\n' })
  const ran = await daemon.run(['init', '--from', 'compose'])
  t.match(ran, { code: 2, stderr: /locald\.toml exists already \[USAGE\]\nHint: Print the new one with `--dry-run`/ })
  t.equal(readFileSync(join(daemon.home, 'locald.toml'), 'utf8'), 'mine\n')
  t.match(await daemon.run(['init', '--from', 'compose', '-y']), { code: 0 })
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

t.test('init without a source says what to type', async t => {
  const empty = await folderWith(t, {})
  t.match(await empty.run(['init']), { code: 2, stderr: /\[USAGE\]\nHint: Create a `locald\.toml`, or translate/ })
  t.match(await empty.run(['init', '--from', 'compose']), {
    code: 2,
    stderr: /no compose file in .*\[CONFIG_NOT_FOUND\]/,
  })
  t.match(await empty.run(['init', '--from', 'heroku']), { code: 2, stderr: /--from 'heroku' is unknown/ })
  const other = await folderWith(t, { 'docker-compose.yml': compose })
  t.match(await other.run(['init']), {
    code: 2,
    stderr: /Hint: Run `locald init --from compose` to translate docker-compose\.yml/,
  })
})

t.test('other commands do not read the parser of YAML', async t => {
  t.notMatch(readFileSync(main, 'utf8'), 'parseAllDocuments')
  t.match(readFileSync(join(dirname(main), 'init', 'compose', 'index.cjs'), 'utf8'), 'parseAllDocuments')
})
