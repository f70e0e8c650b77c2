import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import { quoteAnswer } from '../../../../kernel/services/health/answer-text.ts'
import { httpProbe } from '../../../../kernel/services/health/probes.ts'
import { hostTable } from '../../../lib/machine.ts'
import { until } from '../../../lib/running.ts'
import { TestProject } from '../../../lib/test-service.ts'

t.test('quotes a body on one line, without control characters and secrets', async t => {
  const quote = (body: string) => quoteAnswer(body, ['hunter2!', 'a&b=cdef'])
  t.equal(quote('  database\r\n\n\tis \x1b[31mdown\x07 \n'), 'database is down')
  t.equal(quote('no hunter2! nor a%26b%3Dcdef'), 'no •••• nor ••••')
  t.equal(quote('postgres://app:word@localhost/db'), 'postgres://app:••••@localhost/db')
  t.equal(
    quote('{"db":"down","api_token": "a b","n":1} Authorization: Bearer xyz, password=x'),
    '{"db":"down","api_token": ••••,"n":1} Authorization: ••••, password=••••',
  )
  t.equal(quote(`${'x'.repeat(199)}😀y`), `${'x'.repeat(199)}…`, 'no half of a character')
  t.equal(quote(''), '')
})

/** Answers its check by the module that is in \`answer.cjs\`. */
const server = `
const { createServer } = require('node:http')
createServer((request, response) => {
  delete require.cache[require.resolve('./answer.cjs')]
  require('./answer.cjs')(response)
}).listen(process.env.PORT, '127.0.0.1')`

t.test('a failed check shows the first of the bodies with its status', async t => {
  const project = new TestProject(t, { table: hostTable() })
  const answer = (body: string) => writeFileSync(join(project.dir, 'answer.cjs'), `module.exports = r => { ${body} }`)
  writeFileSync(join(project.dir, 'server.cjs'), server)
  const unhealthy = (code: number) => `r.writeHead(${code}, { 'content-type': 'application/json' });`
  answer(`${unhealthy(500)} r.end('{"migrations":"pending","at":' + process.hrtime.bigint() + '}')`)
  const web = await project.service('web', {
    command: `exec ${process.execPath} server.cjs`,
    env: { DB_PASSWORD: 'correct-horse' },
    readyTimeout: 60_000,
    healthCheck: { type: 'http', path: '/x', interval: 30, intervalGiven: true, timeout: 2000 },
  })
  web.start()
  const pending = /^GET \/x answered 500: \{"migrations":"pending","at":\d+\}$/
  const first = await web.untilReason(pending)
  const from = project.views.length
  // Five more bodies with another time.
  const { tries } = web.service.state.now
  await until('five more probes', () => web.service.state.now.tries >= tries + 5)
  t.same(
    [...new Set(project.views.slice(from).map(({ reason }) => reason))].filter(each => each !== first),
    [],
  )
  answer('r.end()')
  await web.until('running', 'healthy')
  answer(`${unhealthy(503)} r.end('{"reason":"no login as correct-horse"}')`)
  t.equal(
    (await web.until('running', 'unhealthy')).reason,
    'GET /x answered 503 (3 times in a row): {"reason":"no login as ••••"}',
  )
})

t.test('reads of a body what has come within the timeout, of a page its title, and of an image nothing', async t => {
  const type = (name: string) => ({ 'content-type': name })
  const cases: readonly (readonly [
    headers: OutgoingHttpHeaders,
    answer: (r: ServerResponse) => void,
    shown: string,
  ])[] = [
    [type('text/plain'), r => r.write('slow'), 'slow'],
    [type('text/html'), r => r.end('<html><title>Error: no\ntable</title><p>x'), 'Error: no table'],
    [type('text/html'), r => r.end('<style>a{}</style><h1>Failed</h1><p>x'), 'Failed x'],
    [type('image/png'), r => r.end('PNG'), ''],
    [type('text/plain'), r => r.end('y'.repeat(100_000)), `${'y'.repeat(200)}…`],
    [{ 'content-encoding': 'gzip' }, r => r.end('zzz'), ''],
    [type('text/plain'), r => r.write('cut', () => r.destroy()), 'cut'],
  ]
  for (const [headers, answer, shown] of cases) {
    const server = createServer((_, response) => answer(response.writeHead(500, headers)))
    t.teardown(() => server.close().closeAllConnections())
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const result = await httpProbe({ port, path: '/', tls: false, host: '127.0.0.1' }, 10_000)
    t.match(result, { ok: false, detail: 'GET / answered 500' }, shown)
    t.equal(quoteAnswer(result.body ?? '', []), shown)
  }
})
