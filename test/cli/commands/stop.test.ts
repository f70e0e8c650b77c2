import t from 'tap'
import { done, FakeDaemon, json, state, stream, view } from '../fake-daemon.ts'

t.test('stop, restart and wait send their targets and print what happened', async t => {
  const daemon = await FakeDaemon.start(t)
  const stopped = [state('web', { status: 'stopping' }), state('web', { status: 'stopped' })]
  daemon.on('POST /v1/projects/stop', stream(...stopped, done(view('web', { status: 'stopped' }))))
  t.match(await daemon.run(['stop', '007']), { code: 0, stdout: 'Stopped web\n' })
  t.same(daemon.last('/v1/projects/stop').body, { path: daemon.home, services: ['007'] })
  daemon.on('POST /v1/projects/stop', stream(done()))
  t.match(await daemon.run(['stop', '--all']), { code: 0, stdout: 'Nothing was running\n', stderr: '' })
  t.same(daemon.last('/v1/projects/stop').body, { path: daemon.home, all: true })
  const unknown = { code: 'UNKNOWN_SERVICE', message: "there is no service 'wbe'", hint: "Did you mean 'web'?" }
  daemon.on('POST /v1/projects/stop', json({ error: unknown }, 404))
  const ran = await daemon.run(['stop', 'wbe'])
  t.match(ran, { code: 2, stderr: "Error: there is no service 'wbe' [UNKNOWN_SERVICE]\nHint: Did you mean 'web'?\n" })

  daemon.on('POST /v1/projects/restart', stream(done(view('web'))))
  t.equal((await daemon.run(['restart', 'web', '--dependents'])).code, 0)
  t.match(daemon.last('/v1/projects/restart').body, { path: daemon.home, services: ['web'], dependents: true, env: {} })

  daemon.on('POST /v1/services/wait', stream(done(view('web'))))
  t.equal((await daemon.run(['wait'])).code, 0)
  t.same(daemon.last('/v1/services/wait').body, { path: daemon.home, timeoutMs: 60_000 })
  const late = { code: 'WAIT_TIMEOUT', message: 'not ready in 1.5 s: db', hint: '`locald why db`' }
  daemon.on('POST /v1/services/wait', stream({ event: 'done', ok: false, services: [], error: late }))
  t.match(await daemon.run(['wait', 'db', '--timeout', '1.5']), {
    code: 124,
    stderr: 'Error: not ready in 1.5 s: db [WAIT_TIMEOUT]\nHint: `locald why db`\n',
  })
  t.same(daemon.last('/v1/services/wait').body, { path: daemon.home, services: ['db'], timeoutMs: 1500 })
  daemon.on('POST /v1/services/wait', stream({ event: 'done', ok: false, services: [] }))
  t.equal((await daemon.run(['wait'])).code, 1)
})
