import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { FakeDaemon, json, state, stream } from '../fake-daemon.ts'

t.test('reports a lost connection and writes a crash report for an internal error', async t => {
  const daemon = await FakeDaemon.start(t)
  daemon.on('POST /v1/projects/up', response => {
    response.write(`${JSON.stringify(state('web', { status: 'starting' }))}\n`)
    setTimeout(() => response.destroy(), 50)
  })
  const ran = await daemon.run(['up'])
  t.equal(ran.code, 1)
  t.match(
    ran.stderr,
    /\nError: lost connection to the daemon while starting the project \[DAEMON_UNREACHABLE\]\nHint: Run `locald status`: services keep running/,
  )
  daemon.on('POST /v1/projects/stop', stream(state('web', { status: 'stopping' })))
  t.match((await daemon.run(['stop'])).stderr, 'lost connection to the daemon while stopping services')
  daemon.on('GET /v1/ping', response => response.destroy())
  t.match(await daemon.run(['ping']), {
    code: 1,
    stderr: /lost connection to the daemon while waiting for its answer \[DAEMON_UNREACHABLE\]/,
  })
  daemon.on('GET /v1/ping', response => response.writeHead(500, { 'content-length': 5 }).end('oops\n'))
  t.match((await daemon.run(['ping'])).stderr, 'the daemon answered with status 500')

  t.comment('an internal error: not an answer of status')
  daemon.on('GET /v1/services', json({}))
  const bug = await daemon.run(['status'])
  t.equal(bug.code, 1)
  const [, file = ''] = /^Error: internal error: .* \[INTERNAL\]\nHint: Report it with (\S+)\n$/.exec(bug.stderr) ?? []
  t.match(file, join(daemon.home, 'data', 'locald', 'crashes'))
  t.match(readFileSync(file, 'utf8'), /^locald \S+, node v[\s\S]*TypeError[\s\S]*at /)
  t.notMatch(readFileSync(file, 'utf8'), 'XDG_DATA_HOME')
})
