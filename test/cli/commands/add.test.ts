import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { ErrorJson, Problem } from '../../../kernel/errors.ts'
import { FakeDaemon, json } from '../fake-daemon.ts'

const none: { error: ErrorJson } = { error: { code: 'CONFIG_NOT_FOUND', message: 'nothing describes a project' } }
const valid = { project: 'shop', path: '/shop', values: [], warnings: [] }

/** A folder with a `locald.toml`, and a daemon that finds its configuration valid. */
async function folderWith(t: Test, toml?: string): Promise<FakeDaemon> {
  const daemon = await FakeDaemon.start(t)
  daemon.on('POST /v1/config', json(valid)).on('GET /v1/projects/inferred', json(none, 404))
  if (toml !== undefined) writeFileSync(join(daemon.home, 'locald.toml'), toml)
  return daemon
}

function written({ home }: FakeDaemon): string {
  return readFileSync(join(home, 'locald.toml'), 'utf8')
}

const shop = `# The shop\r\n[project]\r\nname = 'shop' # it\r\n\r\n[services.web]\r\ncommand = "npm run dev"`

t.test('add appends a service and keeps all other bytes', async t => {
  const daemon = await folderWith(t, shop)
  const ran = await daemon.run([
    'add',
    '--name',
    'api',
    '--port',
    '4000',
    '--depends-on',
    'web',
    '--',
    'node',
    'a b.js',
  ])
  t.match(ran, { code: 0, stderr: '' })
  const toml = `[services.api]\ncommand = "node 'a b.js'"\nport = 4000\ndepends_on = ["web"]`
  t.equal(written(daemon), `${shop}\r\n\r\n${toml.replaceAll('\n', '\r\n')}`)
  t.equal(ran.stdout, `Added api to locald.toml:8\n\n${toml.replace(/^/gm, '  ')}\n\nNext: locald up api\n`)
  t.match(daemon.last('/v1/config').body, { draft: written(daemon), path: daemon.home })
})

t.test('add names the service, and takes flags only before the command', async t => {
  const daemon = await folderWith(t, '[project]\nname = "shop"\n')
  const added = async (...words: string[]) => {
    const { code, stdout } = await daemon.run(['add', '--json', ...words])
    t.equal(code, 0)
    const { service, toml }: { service: string; toml: string } = JSON.parse(stdout)
    return [service, toml.split('\n').slice(1).join(' ')]
  }
  t.strictSame(await added('npm', 'run', 'dev', '--', '--host', '-n', 'x'), [
    'web',
    'command = "npm run dev -- --host -n x"',
  ])
  t.strictSame(await added('npm', 'run', 'dev', '--port', '1'), ['dev', 'command = "npm run dev --port 1"'])
  t.strictSame(await added('--worker', 'npm', 'run', 'dev'), ['dev-2', 'type = "worker" command = "npm run dev"'])
  t.strictSame(await added('node', 'src/Server One.js', '$PORT', 'a $PORT "b"'), [
    'server-one',
    `command = "node 'src/Server One.js' $PORT \\"a $PORT \\\\\\"b\\\\\\"\\""`,
  ])
  t.strictSame(await added('sh', '-c', 'i=1; echo "$PORT" $A'), ['sh', `command = "sh -c 'i=1; echo \\"$PORT\\" $A'"`])
  t.strictSame(await added('awk', '{print $1}', '$i', '$(x)', 'http://a:$PORT/?b'), [
    'awk',
    `command = "awk '{print $1}' '$i' '$(x)' \\"http://a:$PORT/?b\\""`,
  ])
  t.strictSame(await added('A=1 ./bin/run.sh && true'), ['run', 'command = "A=1 ./bin/run.sh && true"'])
})

t.test('add in a folder of the project writes to its file', async t => {
  const daemon = await folderWith(t, '[project]\nname = "shop"\n')
  const cwd = join(daemon.home, 'packages', 'api')
  mkdirSync(join(cwd, 'src'), { recursive: true })
  t.match(await daemon.run(['add', 'node', 'x.js'], { cwd }), { code: 0 })
  t.match(await daemon.run(['add', '--workdir', 'src', 'node', 'x.js'], { cwd }), { code: 0 })
  t.match(
    written(daemon),
    /web\]\n.*\nworkdir = "packages\/api"\n\n\[services\.x\]\n.*\nworkdir = "packages\/api\/src"\n/,
  )
  t.notOk(existsSync(join(cwd, 'locald.toml')))
  t.match(await daemon.run(['add', '--workdir', '/etc', 'node', 'y.js'], { cwd }), { code: 0 })
  t.match(written(daemon), /\[services\.y\]\n.*\nworkdir = "\/(?:private\/)?etc"\n/, 'a folder elsewhere is absolute')
  t.match(await daemon.run(['add', '--workdir', 'no', 'node', 'x.js'], { cwd }), {
    code: 2,
    stderr: /there is no folder .*no \[USAGE\]/,
  })
})

t.test('add without a file keeps what is inferred', async t => {
  const daemon = await folderWith(t)
  const services = { web: { command: 'npm run dev', workdir: '.', env: { A: 'b' } }, api: { command: 'node api.js' } }
  daemon.on(
    'GET /v1/projects/inferred',
    json({ path: daemon.home, file: 'package.json', services, files: {}, notes: [] }),
  )
  const ran = await daemon.run(['add', 'node', 'queue.js'])
  t.match(ran, { code: 0, stdout: /^Created locald\.toml with the services of package\.json\nAdded queue to / })
  t.match(
    written(daemon),
    /name = ".*"\n\n\[services\.web\]\ncommand = "npm run dev"\nworkdir = "\."\nenv = \{ A = "b" \}\n\n\[services\.api\]\n.*\n\n\[services\.queue\]\ncommand = "node queue\.js"\n$/,
  )
  t.equal(statSync(join(daemon.home, 'locald.toml')).mode & 0o777, 0o666 & ~process.umask())
})

t.test('errors of what is added name arguments, those of the file its lines', async t => {
  const daemon = await folderWith(t, shop)
  const file = join(daemon.home, 'locald.toml')
  const answerWith = (...problems: readonly Problem[]) => {
    const error: ErrorJson = { code: 'CONFIG_INVALID', message: 'of the file', hint: 'Run it.', problems }
    daemon.on('POST /v1/config', json({ error }, 400))
  }
  const ofApi = (key: string, more: object = {}) => ({ ...{ message: 'is bad', file, line: 9, key }, ...more })
  answerWith(ofApi('services.api.depends_on[0]'))
  t.match(await daemon.run(['add', '--name', 'api', 'x']), {
    code: 2,
    stderr: /^Error: cannot add service 'api': depends_on\[0\]: is bad \[USAGE\]\nHint: Nothing was written\. Run/,
  })
  answerWith(ofApi('services.api'), ofApi('services.api.port', { hint: 'Choose one.' }))
  t.match(await daemon.run(['add', '--name', 'api', 'x']), {
    stderr: /'api': \[USAGE\]\n {2}is bad\n {2}port: is bad\nHint: Nothing was written\. Choose one\. Run/,
  })
  answerWith(ofApi('services.api.port'), ofApi('services.apis.port'))
  t.match(await daemon.run(['add', '--name', 'api', 'x']), { stderr: /^Error: of the file \[CONFIG_INVALID\]/ })
  t.equal(written(daemon), shop)
})

t.test('a program whose text is in its arguments names the service', async t => {
  const daemon = await folderWith(t, '[project]\nname = "a"\n')
  const ran = await daemon.run(['add', '--worker', 'node', '-e', 'setInterval(() => console.log(1), 1000)'])
  t.match(ran, { code: 0, stdout: /^Added node to / })
})

t.test('add to an empty file names the project', async t => {
  const daemon = await folderWith(t, '# mine\n')
  t.match(await daemon.run(['add', 'x']), { code: 0 })
  t.match(written(daemon), /^# mine\n\n\[project\]\nname = ".+"\n\n\[services\.web\]\ncommand = "x"\n$/)
})

t.test('add refuses what it cannot write, and writes nothing', async t => {
  const daemon = await folderWith(t, shop)
  const refuse = async (words: readonly string[], code: number, stderr: RegExp) => {
    const before = written(daemon)
    t.match(await daemon.run(['add', ...words]), { code, stdout: '', stderr }, words.join(' '))
    t.equal(written(daemon), before)
  }
  await refuse([], 2, /'locald add' needs a command \[USAGE\]\nHint: Usage: `locald add <CMD…>`/)
  await refuse(
    ['--name', 'web', 'x'],
    2,
    /service 'web' exists already in .*locald\.toml:5 \[USAGE\]\nHint: Choose .*`--name/,
  )
  await refuse(['--port', 'x', 'y'], 2, /--port 'x' is not a port \[USAGE\]\nHint: Use for example --port 8080\.$/m)
  await refuse(['--worker', '--port', '1', 'y'], 2, /--worker and --port exclude each other/)
  daemon.on('POST /v1/config', json({ error: { code: 'CONFIG_INVALID', message: "unknown service 'no'" } }, 400))
  await refuse(['--depends-on', 'no', 'y'], 2, /unknown service 'no' \[CONFIG_INVALID\]/)
  daemon.on('POST /v1/config', json(valid))
  writeFileSync(join(daemon.home, 'locald.toml'), '[services\n')
  await refuse(['y'], 2, /locald\.toml:1: not valid TOML .*\[CONFIG_INVALID\]\nHint: Correct the file first\./)
  writeFileSync(join(daemon.home, 'locald.toml'), '[project]\nname = "a"\n[[services]]\n')
  await refuse(
    ['y'],
    1,
    /has no place .*\[EDIT_FAILED\]\nHint: Write these lines yourself:\n\n\[services\.web\]\ncommand = "y"\n/,
  )
  t.notMatch(readdirSync(daemon.home).join(' '), '.tmp')
})

t.test('add keeps the mode of the file, and writes through a link', async t => {
  const daemon = await folderWith(t)
  const target = join(daemon.home, 'real.toml')
  writeFileSync(target, '[project]\nname = "a"\n')
  chmodSync(target, 0o640)
  symlinkSync('real.toml', join(daemon.home, 'locald.toml'))
  t.match(await daemon.run(['add', 'x']), { code: 0 })
  t.match(readFileSync(target, 'utf8'), 'command = "x"')
  t.equal(statSync(target).mode & 0o7777, 0o640)
  t.strictSame(
    readdirSync(daemon.home, { withFileTypes: true }).flatMap(each => (each.isSymbolicLink() ? [each.name] : [])),
    ['locald.toml'],
  )
})

const isRoot = process.getuid?.() === 0

t.test('add by sudo keeps the owner of the file', { skip: isRoot ? false : 'needs root' }, async t => {
  const daemon = await folderWith(t, shop)
  const file = join(daemon.home, 'locald.toml')
  chownSync(file, 1234, 1235)
  t.match(await daemon.run(['add', 'x']), { code: 2, stderr: /belongs to uid 1234, not to you .*\[CONFIG_UNTRUSTED\]/ })
  t.equal(written(daemon), shop)
  t.match(await daemon.run(['add', 'x'], { env: { SUDO_UID: '1234' } }), { code: 0 })
  t.match(statSync(file), { uid: 1234, gid: 1235 })
})

t.test('add waits for no pipe', async t => {
  const daemon = await folderWith(t)
  execFileSync('mkfifo', [join(daemon.home, 'locald.toml')])
  t.match(await daemon.run(['add', 'x']), { code: 2, stderr: /is not a regular file \[CONFIG_UNREADABLE\]/ })
})

t.test('add notices that another program changed the file meanwhile', async t => {
  const daemon = await folderWith(t, shop)
  daemon.on('POST /v1/config', (response, asked) => {
    writeFileSync(join(daemon.home, 'locald.toml'), `${shop}\n# theirs\n`)
    json(valid)(response, asked)
  })
  t.match(await daemon.run(['add', 'x']), { code: 1, stderr: /was changed by another program .*\[EDIT_FAILED\]/ })
  t.equal(written(daemon), `${shop}\n# theirs\n`)
  const empty = await folderWith(t)
  empty.on('POST /v1/config', (response, asked) => {
    writeFileSync(join(empty.home, 'locald.toml'), '# theirs\n')
    json(valid)(response, asked)
  })
  t.match(await empty.run(['add', 'x']), { code: 1, stderr: /was changed by another program/ })
  t.equal(written(empty), '# theirs\n')
})

t.test('add warns of what an up from this shell lacks', async t => {
  const daemon = await folderWith(t, shop)
  const unresolved = { code: 'ENV_UNRESOLVED', message: 'KEY is not set', hint: 'Set it.' }
  daemon.on('POST /v1/config', json({ ...valid, unresolved }))
  t.match(await daemon.run(['add', 'x']), { code: 0, stderr: 'Warning: KEY is not set\nHint: Set it.\n' })
})
