import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { processList } from '../lib/process-list.ts'
import { PseudoTerminal } from '../lib/pseudo-terminal.ts'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'

const isNightly = process.env['LOCALD_NIGHTLY'] === '1'

const server = `const { createServer } = require('node:http')
createServer((request, response) => {
  if (request.url.startsWith('/pay')) console.log('paid 12.50 by ann')
  if (request.url.includes('aaa')) console.log(request.url + '!')
  response.statusCode = request.url === '/pay/late' ? 402 : 201
  response.end('ok')
}).listen(process.env.PORT, '127.0.0.1')
console.log('ready')`

t.test('locald expect', async t => {
  const sandbox = new Sandbox(t)
  const folder = sandbox.project('shop', {
    'locald.toml': `[project]\nname = "shop"\n[services.web]\ncommand = "exec ${process.execPath} server.cjs"\n`,
    'server.cjs': server,
    // Through the proxy, by its name; \`after\`: so many ms after the exit of the command.
    'pay.cjs': `const { request } = require('node:http')
const [port, method, path] = process.argv.slice(2)
const sent = request({ host: '127.0.0.1', port, method, path, headers: { host: 'shop.localhost' } }, r => r.resume())
sent.end()`,
  })
  await sandbox.up(folder)
  const port = `${await sandbox.http()}`
  const run = (flags: readonly string[], command: readonly string[], json = false) =>
    sandbox.run(['expect', ...flags, ...(json ? ['--json'] : []), '--', ...command], { cwd: folder })
  const pay = (method: string, path: string) => [process.execPath, 'pay.cjs', port, method, path]

  await t.test('succeeds when the command does and all was met, in any order', async t => {
    const ran = await run(
      ['--log', 'paid', '--log', '/by (ann|bob)/', '--request', 'POST /pay 2xx'],
      pay('POST', '/pay?x=1'),
    )
    t.equal(ran.code, 0, ran.stderr)
    t.match(ran.stderr, /met {5}request POST \/pay 2xx\nmet {5}log paid\nmet {5}log \/by \(ann\|bob\)\/\n/)
  })

  await t.test('fails with what happened instead', async t => {
    const ran = await run(
      ['--request', 'POST /pay/* 2xx', '--log', 'refunded', '--within', '1s'],
      pay('POST', '/pay/late'),
    )
    t.equal(ran.code, 1)
    t.match(ran.stderr, /not met request POST \/pay\/\* 2xx\nnot met log refunded/)
    t.match(ran.stderr, /Requests meanwhile:\n {2}\S+ POST \/pay\/late 402 .* web\n/)
    t.match(ran.stderr, /Output meanwhile:\n {2}web \| paid 12\.50 by ann/)
    const other = await run(['--request', 'GET /none', '--within', '300ms'], ['true'])
    t.match(other.stderr, /There were no requests meanwhile/)
    const json = await run(['--request', 'POST /pay 5xx', '--within', '1s'], pay('POST', '/pay'), true)
    t.match(JSON.parse(json.stdout), {
      ...{ ok: false, exitCode: 0, expectations: [{ kind: 'request', met: false }] },
      requests: [{ method: 'POST', path: '/pay', status: 201 }],
    })
  })

  await t.test('waits after the exit of the command, and counts nothing from before', async t => {
    const late = `(sleep 0.5; ${pay('POST', '/pay').join(' ')}) >/dev/null 2>&1 & exit 0`
    t.equal((await run(['--log', 'paid', '--request', '/pay 201'], ['sh', '-c', late])).code, 0)
    t.equal((await run(['--log', 'paid', '--within', '300ms'], ['true'])).code, 1, 'an earlier line')
    t.equal((await run(['--request', '/pay', '--within', '300ms'], ['true'])).code, 1, 'an earlier request')
  })

  await t.test('exits with the code of a command that failed, and with 124 when it takes too long', async t => {
    const failed = await run(['--log', 'paid'], ['sh', '-c', 'exit 7'])
    t.equal(failed.code, 7)
    t.match(failed.stderr, /The command exited with code 7/)
    t.equal((await run(['--log', 'paid', '--within', '300ms'], ['sleep', '60'])).code, 124)
    const tree = await run(['--log', 'paid', '--within', '300ms'], ['sh', '-c', 'sleep 200601; true'])
    t.equal(tree.code, 124)
    await until('what the command has started to exit', () =>
      sandbox.processes().every(({ command }) => command !== 'sleep 200601'),
    )
    t.match(await run(['--log', 'x'], ['no-such-command']), { code: 1, stderr: /command not found: no-such-command/ })
  })

  await t.test('refuses what it cannot check, before the command runs', async t => {
    const touch = ['touch', join(folder, 'ran')]
    for (const flags of [
      [],
      ['--request', 'POST'],
      ['--request', 'GET /x abc'],
      ['--log', '/(/'],
      ['--log', 'x', '--within', 'soon'],
      ['--log', 'x', '--within', '99999m'],
      ['--log', 'x', '--service', 'nope'],
    ])
      t.equal((await run(flags, touch)).code, 2, flags.join(' '))
    t.match(await sandbox.run(['expect', '--log', 'x'], { cwd: folder }), {
      code: 2,
      stderr: /needs a command/,
    })
    t.match((await sandbox.run(['run', 'web', '--', 'ls', 'ran'], { cwd: folder })).code, 2, 'the command did not run')
  })

  await t.test('gives up a pattern that takes too long, and stops the command', async t => {
    const path = `/pay/${'a'.repeat(60)}`
    const ran = await run(['--log', '/(a+)+$/'], ['sh', '-c', `${pay('POST', path).join(' ')}; exec sleep 200602`])
    t.match(ran, { code: 2, stderr: /takes more than 500 ms for a line/ })
  })

  await t.test('misses nothing that happens at once', async t => {
    for (let turn = 0; turn < (isNightly ? 200 : 8); turn++) {
      // The request and the line of this turn alone count.
      writeFileSync(join(sandbox.home, 'turn'), `${turn}`)
      const ran = await run(
        ['--request', `POST /pay/${turn} 201`, '--log', 'paid', '--within', '10s'],
        pay('POST', `/pay/${turn}`),
      )
      if (ran.code !== 0) t.fail(`turn ${turn}: ${ran.code} ${ran.stderr}`)
    }
  })
})

t.test('SIGTERM stops within its grace a command that ignores it, and all that it has started', async t => {
  const sandbox = new Sandbox(t, { user: 'self' })
  const folder = sandbox.project('shop', {
    'locald.toml': `[project]\nname = "shop"\n[services.web]\ntype = "worker"\ncommand = "exec sleep 200640"\n`,
  })
  await sandbox.up(folder)
  const isRunning = (command: string) => processList.naming(folder).some(each => each.command === command)
  for (const { signal, code, script } of [
    { signal: 'SIGTERM', code: 143, script: 'trap "" TERM; echo started; sleep 200641; sleep 200642' },
    { signal: 'SIGHUP', code: 129, script: 'trap "" HUP TERM; echo started; sleep 200641; sleep 200642' },
    { signal: 'SIGTERM', code: 5, script: 'trap "exit 5" TERM; echo started; sleep 200641 & wait' },
  ] as const) {
    const words = ['expect', '--log', 'paid', '--within', '50s', '--', 'sh', '-c', script]
    const running = sandbox.start(words, { cwd: folder })
    await running.prints('started')
    const began = performance.now()
    running.child.kill(signal)
    t.match(await running.done, { code, signal: null }, script)
    t.ok(performance.now() - began < 20_000, 'long before the limit of --within')
    for (const end of [1, 2]) t.notOk(isRunning(`sleep 20064${end}`), `sleep 20064${end}`)
  }
})

t.test('on a terminal, too, all that the command has started is stopped', async t => {
  const sandbox = new Sandbox(t, { user: 'self' })
  const folder = sandbox.project('shop', {
    'locald.toml': `[project]\nname = "shop"\n[services.web]\ntype = "worker"\ncommand = "exec sleep 200610"\n`,
  })
  await sandbox.up(folder)
  const isRunning = (command: string) => processList.naming(folder).some(each => each.command === command)
  // One whose parent has exited and that ignores Ctrl-C, and one that ignores SIGTERM.
  const tree = (number: number) =>
    `(sleep ${number}1 & exit 0); sh -c 'trap "" TERM; echo started; sleep ${number}2; sleep ${number}3'; true`
  for (const { within, key, code, number } of [
    { within: '1s', key: '', code: 124, number: 20062 },
    { within: '60s', key: '\x03', code: 130, number: 20063 },
  ]) {
    const words = ['expect', '--log', 'paid', '--within', within, '--', 'sh', '-c', tree(number)]
    // A shell with jobs; sh(1) as another process of the same pipeline must not be stopped.
    const pipeline = `"$@" | sh -c 'trap "" INT; cat; sleep 0.2; exit 7'; echo "codes \${PIPESTATUS[*]}"; read -r _`
    const argv = ['bash', '-c', `set -m; ${pipeline}`, 'bash', process.execPath, sandbox.main, ...words]
    const terminal = new PseudoTerminal(t, argv, { cwd: folder, env: sandbox.env, columns: 120 })
    await terminal.shows('started')
    if (key !== '') terminal.press(key)
    await terminal.shows(`codes ${code} 7`)
    for (const end of [1, 2, 3]) t.notOk(isRunning(`sleep ${number}${end}`), `sleep ${number}${end}`)
    terminal.press('\r')
    t.match(await terminal.exit, { code: 0, isRestored: true }, 'the shell reads from its terminal again')
  }
})
