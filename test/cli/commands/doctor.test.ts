import t from 'tap'
import { FakeDaemon, json } from '../fake-daemon.ts'

t.test('prints failed checks by plugin and applies fixes only with --fix', async t => {
  const daemon = await FakeDaemon.start(t)
  const check = (plugin: string, id: string, status: string, severity = 'important') => ({
    plugin,
    id,
    severity,
    status,
    summary: `${id} is so`,
    fix: null,
  })
  const checks = [
    check('a', 'one', 'pass'),
    check('b', 'two', 'warn'),
    check('a', 'three', 'fail'),
    check('b', 'four', 'skip'),
  ]
  daemon.on('GET /v1/doctor', json({ ok: true, checks, fixes: ['sudo apt install x'] }))
  t.match(await daemon.run(['doctor']), {
    code: 0,
    stdout: `b
  warn  two    two is so (important)

a
  fail  three  three is so (important)

4 checks: 1 passed, 1 warning, 1 failed, 1 skipped

To fix:
  sudo apt install x
`,
  })
  t.match((await daemon.run(['doctor', '--verbose'])).stdout, / {2}pass {2}one {4}one is so\n/)
  daemon.on('GET /v1/doctor', json({ ok: false, checks: [check('a', 'five', 'fail', 'critical')], fixes: [] }))
  t.equal((await daemon.run(['doctor', '--json'])).code, 1)
  const commands = [
    { command: 'echo fixed; exit 3', root: false },
    { command: 'sudo touch never', root: true },
    { command: 'locald ping', root: false },
  ]
  daemon.on('GET /v1/doctor', json({ ok: true, checks: [], fixes: ['Run `a`.'], commands }))
  daemon.on('GET /v1/ping', json({ pong: true, pid: 1 }))
  t.notMatch((await daemon.run(['doctor'])).stderr, /Running/, 'no fix without --fix')
  const fixed = await daemon.run(['doctor', '--fix', '--json'])
  t.match(fixed, { code: 0, stderr: /Running: echo fixed; exit 3\nfixed\nRunning: locald ping\nPong\n/ })
  t.notMatch(fixed.stderr, /never/, 'no fix that needs root')
  const ran = [
    { command: 'echo fixed; exit 3', exitCode: 3 },
    { command: 'locald ping', exitCode: 0 },
  ]
  t.match(JSON.parse(fixed.stdout), { fixes: ['Run `a`.'], ran })
})
