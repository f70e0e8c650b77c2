import t from 'tap'
import { commands } from '../../../cli/args/commands.ts'
import { pluginCommands } from '../../../cli/args/plugin-commands.ts'
import { FakeDaemon, json } from '../fake-daemon.ts'

t.test('runs the program that a shipped command asks for with the caller as its terminal', async t => {
  const daemon = await FakeDaemon.start(t)
  const terminal = { argv: ['/bin/sh', '-c', 'echo "$A $TERM"; exit 7'], env: { A: 'of the daemon' } }
  daemon.on('POST /v1/commands/trust', json({ exitCode: 0, text: '', terminal }))
  daemon.on('POST /v1/commands/redis', json({ exitCode: 0, text: 'done', terminal }))
  t.match(await daemon.run(['trust'], { env: { TERM: 'vt220' } }), { code: 7, stdout: 'of the daemon vt220\n' })
  t.match(await daemon.run(['redis']), { code: 0, stdout: 'done\n' }, 'not for a command that does not ship')
  const missing = { argv: ['/no/such/program'], env: {} }
  daemon.on('POST /v1/commands/trust', json({ exitCode: 0, text: '', terminal: missing }))
  t.match(await daemon.run(['trust']), { code: 1, stderr: /\/no\/such\/program failed to start/ })
})

t.test("runs a plugin's command in the daemon, and keychain steps of shipped ones only", async t => {
  const daemon = await FakeDaemon.start(t)
  daemon.on('POST /v1/commands/redis', json({ exitCode: 3, text: 'no such key', data: { found: false } }))
  t.match(await daemon.run(['--sandbox', 'a', 'redis', 'get', '--raw', '-n', '2', '--', '--json']), {
    code: 3,
    stdout: '',
    stderr: 'no such key\n',
  })
  t.match(daemon.last('/v1/commands/redis').body, {
    argv: ['get', '--raw', '-n', '2', '--', '--json'],
    cwd: daemon.home,
  })
  t.match(await daemon.run(['redis', '--json']), { code: 3, stdout: '{"found":false}\n' })
  const steps = [{ act: 'trust', domain: 'user', certificate: 'a CA' }]
  daemon.on('POST /v1/commands/redis', json({ exitCode: 0, text: 'done', steps }))
  const before = daemon.asked.length
  t.match(
    await daemon.run(['redis']),
    { code: 0, stdout: 'done\n', stderr: '' },
    'no keychain dialog for a command that does not ship',
  )
  t.equal(daemon.asked.length, before + 1)
  daemon.on('POST /v1/commands/trust', json({ exitCode: 1, text: 'not yet', steps }))
  t.match(await daemon.run(['trust']), {
    code: 1,
    stderr: /^macOS asks for your password or Touch ID now.*\nnot yet\n$/,
  })
  const outcomes = [{ ...steps[0], status: null, says: /locald-keychain/ }]
  t.match(daemon.last('/v1/commands/trust').body, { argv: [], outcomes }, 'called a second time, and no third')
  t.equal(daemon.asked.length, before + 3)
  const asked = daemon.asked.length
  t.match(await daemon.run(['trust', '--help']), {
    code: 0,
    stdout: /^Trust the local CA[\s\S]*\$ locald trust \[--system\]\n/,
  })
  t.equal(daemon.asked.length, asked, 'the help of a shipped command needs no daemon')
  daemon.on(
    'GET /v1/commands/redis',
    json({ name: 'redis', description: 'Show keys', usage: '<KEY>', details: 'All.' }),
  )
  t.match(await daemon.run(['redis', '-h']), { code: 0, stdout: /^Show keys\n\nAll\.\n[\s\S]*\$ locald redis <KEY>\n/ })
  t.match(daemon.asked.slice(asked), [{ method: 'GET' }], 'a command is not run for its help')
  const error = { code: 'UNKNOWN_COMMAND', message: "unknown command 'statsu'" }
  daemon.on('POST /v1/commands/statsu', json({ error }, 400))
  daemon.on('GET /v1/commands/statsu', json({ error }, 400))
  t.match(await daemon.run(['statsu', '-h']), { code: 2, stderr: /Did you mean 'status'/ })
  const unknown = await daemon.run(['statsu'])
  t.equal(unknown.code, 2)
  t.match(unknown.stderr, /Did you mean 'status'/)
})

t.test('prints the help of each nested command, not that of its family', async t => {
  const own = commands.filter(({ name }) => name.includes(' '))
  const ofPlugins = pluginCommands.flatMap(({ name, subcommands = [] }) =>
    subcommands.map(sub => ({ ...sub, name: `${name} ${sub.name}` })),
  )
  const nested = [...own, ...ofPlugins]
  t.ok(['container run', 'vm install', 'plugins add', 'ai skill'].every(name => nested.some(it => it.name === name)))
  const daemon = await FakeDaemon.start(t)
  await Promise.all(
    nested.map(async ({ name, args, about, flags = [] }) => {
      const words = name.split(' ')
      const { code, stdout } = await daemon.run(flags.length > 0 ? [...words, '--help'] : ['help', ...words])
      t.equal(code, 0, name)
      t.ok(stdout.startsWith(`${about}\n`), name)
      t.ok(stdout.includes(`$ locald ${`${name} ${args}`.trimEnd()}`), name)
      for (const flag of flags) t.ok(stdout.includes(`--${flag.name}`), `${name} --${flag.name}`)
    }),
  )
  t.strictSame(daemon.asked, [], 'without a daemon')
})

t.test("prints the help of a nested command of another plugin's", async t => {
  const daemon = await FakeDaemon.start(t)
  const flags = [{ name: 'raw', description: 'Print bytes' }]
  const subcommands = [{ name: 'get', usage: '<KEY>', description: 'Print a value', flags }]
  daemon.on('GET /v1/commands/redis', json({ name: 'redis', description: 'Show keys', subcommands }))
  t.match(await daemon.run(['redis', 'get', '--help']), {
    code: 0,
    stdout: /^Print a value\n[\s\S]*\$ locald redis get <KEY>[\s\S]*--raw +Print bytes/,
  })
  t.match(await daemon.run(['redis', '--help']), {
    code: 0,
    stdout: /^Show keys\n[\s\S]*redis get <KEY> +Print a value/,
  })
})
