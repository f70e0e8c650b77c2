import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { ErrorJson } from '../../kernel/errors.ts'
import { wrongFiles } from '../kernel/config/wrong-files/index.ts'
import { Sandbox } from '../lib/sandbox.ts'

const right = '[project]\nname = "shop"\n[services.web]\ncommand = "exec sleep 1000"\nport = 0\n'.replace(
  'port = 0\n',
  '',
)

t.test('invalid configurations', async t => {
  const sandbox = new Sandbox(t)
  const folder = sandbox.project('shop', {
    'locald.toml': `${right}type = "worker"\n`,
  })
  await sandbox.up(folder)
  const before = await sandbox.service(folder, 'web')
  const registry = () => readFileSync(registryOf(sandbox), 'utf8').replace(/"usedAt": ".*"/, '')
  const known = registry()
  const file = join(folder, 'locald.toml')
  const wrong = async (text: string) => {
    sandbox.write(file, text)
    return await refusal(sandbox, folder)
  }
  // The table also speaks of types that only its own test has.
  const own = wrongFiles.filter(({ text }) => !/"(?:container|postgres)"|limits|tty|image/.test(text))
  t.ok(own.length >= 40, 'enough of them')
  for (const { title, text, problems } of own) {
    await t.test(title, async t => {
      const error = await wrong(text)
      const places = (error.problems ?? []).map(({ line, key, file: where }) => {
        t.ok(where === undefined || existsSync(where), 'the file is named')
        return `${line} ${key}`
      })
      for (const line of problems) {
        const [, place] = /^(\d+ [^:]+):/.exec(line) ?? []
        if (place !== undefined) t.ok(places.includes(place), place)
      }
      t.equal(places.length, problems.length, 'all errors at once')
    })
  }

  await t.test('rejects invalid TOML, an unreadable file and one of 10 MB', async t => {
    t.match(await wrong('[project\nname = "x"'), { code: 'CONFIG_INVALID', problems: [{ file, line: 1 }] })
    t.match(await wrong('#'.repeat(10_000_000)), { code: 'CONFIG_UNREADABLE', problems: [{ file }] })
    sandbox.write(file, right)
    chmodSync(file, 0)
    t.match(await refusal(sandbox, folder), { code: 'CONFIG_UNREADABLE', problems: [{ file }] })
    chmodSync(file, 0o644)
  })

  await t.test('reports unresolved references before anything starts', async t => {
    const text = `${right}type = "worker"\nenv = { A = "\${NOT_SET_ANYWHERE}" }\n`
    const problem = { line: 6, key: 'services.web.env.A' }
    t.match(await wrong(text), { code: 'ENV_UNRESOLVED', problems: [problem] })
    const more = `${text}[services.b]\ntype = "worker"\ncommand = "x"\nenv = { B = "\${NOR_THIS}", C = "\${IS_SET}" }\n`
    const error = await wrong(more)
    t.strictSame(
      error.problems?.map(({ key }) => key),
      ['services.web.env.A', 'services.b.env.B', 'services.b.env.C'],
      'of all services at once',
    )
    const check = await sandbox.run(['config', 'check', '--json'], { cwd: folder })
    t.equal(check.code, 2)
    t.strictSame(JSON.parse(check.stdout).error, error, 'a check says what an up would')
    const env = { NOT_SET_ANYWHERE: '1', NOR_THIS: '2', IS_SET: '3' }
    t.equal((await sandbox.run(['config', 'check'], { cwd: folder, env })).code, 0, 'by the environment of its shell')
    t.equal((await sandbox.run(['config', 'show'], { cwd: folder })).code, 0)
  })

  await t.test('an invalid configuration changes nothing', async t => {
    sandbox.write(file, `${right}type = "worker"\n`)
    t.match(await sandbox.service(folder, 'web'), { pid: before.pid, startedAt: before.startedAt, restarts: 0 })
    t.equal(registry(), known)
    t.equal((await sandbox.status()).length, 1)
  })

  await t.test('prints errors with file, line and hint', async t => {
    sandbox.write(file, '[project]\nname = "shop"\n[services.web]\ncomand = "x"\nport = "80"\n')
    const ran = await sandbox.run(['up'], { cwd: folder })
    t.equal(ran.code, 2)
    t.equal(ran.stdout, '')
    t.match(ran.stderr, /^Error: .* \[CONFIG_INVALID]$/m)
    t.match(ran.stderr, /^ {2}locald\.toml:4: services\.web\.comand: unknown key; did you mean 'command'\?$/m)
    t.match(ran.stderr, /^ {2}locald\.toml:5: services\.web\.port: /m)
    t.match(ran.stderr, /^Hint: /m)
    const none = await sandbox.run(['up'], { cwd: sandbox.project('empty', {}) })
    t.equal(none.code, 2)
    t.match(none.stderr, /CONFIG_NOT_FOUND[\s\S]*Hint: /)
  })
})

t.test('config check prints the same warnings as up', async t => {
  const sandbox = new Sandbox(t)
  const folder = sandbox.project('shop', {
    'locald.toml': `${right.replace('exec sleep 1000', 'exec python3 -m http.server $PORT')}env.PORT = "1"\n[services.b]\ntype = "worker"\ncommand = "exec sleep 1000"\n`,
    '.env': 'just words\nNOTIFY_SOCKET=x\nNODE_EXTRA_CA_CERTS=nope.pem\n',
  })
  const check = await sandbox.run(['config', 'check', '--json'], { cwd: folder })
  t.equal(check.code, 0)
  const messages = [
    '.env:1: the line is no entry and is ignored',
    'locald.toml:5: PORT is set by locald; this value is ignored',
    '.env:2: NOTIFY_SOCKET is set by locald; this value is ignored (also b)',
    `NODE_EXTRA_CA_CERTS: there is no file ${folder}/nope.pem; only the CA of locald is trusted in its place (also b)`,
  ]
  const { warnings }: { warnings: readonly { message: string }[] } = JSON.parse(check.stdout)
  t.strictSame(
    warnings.map(({ message }) => message),
    messages,
  )
  const read = await sandbox.run(['config', 'check'], { cwd: folder })
  for (const message of messages) t.ok(read.stderr.includes(`Warning: ${message}\nHint: `), message)
  const up = await sandbox.run(['up', '--json'], { cwd: folder })
  const events: readonly { event: string; message?: string }[] = up.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  const printed = events.filter(({ event }) => event === 'warning').map(({ message }) => message)
  t.strictSame(printed, messages, 'once, not for each service')
})

t.test('projects without a locald.toml', async t => {
  const sandbox = new Sandbox(t)
  const procfile = sandbox.project('proc', {
    Procfile: 'web: exec sleep 1000 # $PORT\nworker: exec sleep 1000\n',
  })
  const up = sandbox.start(['up', '--json'], { cwd: procfile })
  await up.prints('"event":"service"')
  t.same(
    (await sandbox.status(procfile)).map(({ key, type }) => [key, type]),
    [
      ['proc:web', 'exec'],
      ['proc:worker', 'worker'],
    ],
  )
  await sandbox.ok(['stop'], { cwd: procfile })
  t.equal((await up.done).code, 1)
  const npm = sandbox.project('front', {
    'package.json':
      '{"scripts":{"dev":"node -e \\"require(\'http\').createServer((q,s)=>s.end(\'dev\')).listen(process.env.PORT)\\""}}',
  })
  await sandbox.up(npm)
  t.equal((await sandbox.get('front.localhost')).body, 'dev')
})

async function refusal(sandbox: Sandbox, folder: string): Promise<ErrorJson> {
  const ran = await sandbox.run(['up', '--json'], { cwd: folder })
  if (ran.code !== 2) throw new Error(`${ran.code} ${ran.stdout} ${ran.stderr}`)
  const { error }: { error: ErrorJson } = JSON.parse(ran.stdout)
  return error
}

function registryOf(sandbox: Sandbox): string {
  return join(sandbox.home, 'data', 'locald', 'sandboxes', sandbox.name, 'data', 'registry.json')
}

t.test('config check, config show and export leave a daemon as it was: none, or the one that runs', async t => {
  const sandbox = new Sandbox(t)
  const toml = '[project]\nname = "shop"\n[services.web]\ntype = "worker"\ncommand = "exec sleep 100000"\n'
  const folder = sandbox.project('shop', { 'locald.toml': toml })
  const check = () => sandbox.run(['config', 'check'], { cwd: folder })
  const ping = async () => (await sandbox.run(['ping'])).code
  t.match(await check(), { code: 0, stdout: 'locald.toml is valid\n', stderr: /^$/ })
  t.not(await ping(), 0, 'it is stopped')
  for (const args of [
    ['config', 'show'],
    ['export', 'procfile'],
    ['export', 'systemd'],
  ]) {
    t.match(await sandbox.run(args, { cwd: folder }), { code: 0, stdout: /sleep 100000/ }, args.join(' '))
    t.not(await ping(), 0, `stopped after ${args.join(' ')}`)
  }
  sandbox.write(join(folder, 'locald.toml'), `${toml}prot = 1\n`)
  t.match(await check(), { code: 2, stderr: /locald\.toml:6: services\.web\.prot: unknown key/ })
  t.not(await ping(), 0, 'after an error, too')
  sandbox.write(join(folder, 'locald.toml'), toml)
  await sandbox.up(folder)
  const { pid } = await sandbox.server()
  t.match(await check(), { code: 0 })
  t.equal((await sandbox.server()).pid, pid)
  t.equal((await sandbox.service(folder, 'web')).status, 'running')
})
