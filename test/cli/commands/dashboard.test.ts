import t from 'tap'
import { FakeDaemon, json } from '../fake-daemon.ts'

const url = 'https://locald.localhost:8443/sign-in?token=abc'

t.test('prints the link and opens it; with --json only prints it', async t => {
  const daemon = await FakeDaemon.start(t)
  daemon.on('POST /v1/dashboard/token', json({ url }))
  daemon.on('GET /v1/server/opener', json({ url, argv: null, hint: 'There is no display.' }))
  for (const name of ['dashboard', 'ui']) {
    t.match(await daemon.run([name]), { code: 0, stdout: `${url}\n`, stderr: 'Hint: There is no display.\n' })
    t.equal(daemon.last('/v1/server/opener').query.get('url'), url)
  }
  t.match(await daemon.run(['dashboard', '--json']), { code: 0, stdout: `{"url":"${url}"}\n`, stderr: '' })
  daemon.on('GET /v1/server/opener', json({ url, argv: ['/none/xdg-open', url] }))
  t.match(await daemon.run(['dashboard']), { code: 1, stdout: `${url}\n`, stderr: /\[SPAWN_FAILED\]/ })
})

t.test('opens the page of a service', async t => {
  const daemon = await FakeDaemon.start(t)
  daemon.on('POST /v1/dashboard/token', json({ url }))
  daemon.on('GET /v1/services/keys', json({ keys: ['shop:api'] }))
  t.match(await daemon.run(['open', 'api', '--dashboard', '--json']), { code: 0, stdout: `{"url":"${url}"}\n` })
  t.strictSame(daemon.last('/v1/dashboard/token').body, { place: '/service/shop:api' })
  t.match(await daemon.run(['open', '--dashboard', '--json']), { code: 0 })
  t.strictSame(daemon.last('/v1/dashboard/token').body, { place: '/' })
})

t.test('opens a file that leads to the link, where the browser can read it', async t => {
  const daemon = await FakeDaemon.start(t)
  const file = 'file:///run/user/1000/locald/sign-in/a.html'
  daemon.on('POST /v1/dashboard/token', json({ url, file }))
  daemon.on('GET /v1/server/opener', json({ url: file, argv: ['/none/xdg-open', file] }))
  t.match(await daemon.run(['dashboard']), { code: 1, stdout: `${url}\n` })
  t.strictSame(daemon.last('/v1/dashboard/token').body, { place: '/', file: true })
  t.equal(daemon.last('/v1/server/opener').query.get('url'), file)
  daemon.on('GET /v1/server/opener', json({ url, argv: null }))
  t.match(await daemon.run(['dashboard']), { code: 0, stdout: `${url}\n` })
  t.equal(daemon.last('/v1/server/opener').query.get('url'), url, 'else the link itself')
})

t.test('asks for a link without TLS while the CA is not trusted', async t => {
  const daemon = await FakeDaemon.start(t)
  const plain = 'http://locald.localhost:8080/sign-in?token=abc'
  daemon.on('POST /v1/dashboard/token', json({ url: plain }))
  daemon.on('GET /v1/server/opener', json({ url: plain, argv: null }))
  daemon.on('GET /v1/server', json({ http: 8080, https: 8443 }))
  daemon.on('GET /v1/doctor', json({ checks: [{ id: 'trust-system', status: 'warn' }] }))
  t.match(await daemon.run(['dashboard']), { code: 0, stdout: `${plain}\n`, stderr: /^Run `locald trust` to / })
  t.strictSame(daemon.last('/v1/dashboard/token').body, { place: '/', scheme: 'http', file: true })
  daemon.on('GET /v1/doctor', json({ checks: [{ id: 'trust-system', status: 'pass' }] }))
  t.notMatch((await daemon.run(['dashboard'])).stderr, /trust/)
  t.strictSame(daemon.last('/v1/dashboard/token').body, { place: '/', file: true })
})
