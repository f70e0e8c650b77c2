import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import http2, { type IncomingHttpHeaders } from 'node:http2'
import { connect } from 'node:tls'
import t from 'tap'
import { boot } from '../lib/boot.ts'
import { get } from '../lib/client.ts'
import { at, serve } from '../lib/services.ts'

t.test('rewrites redirects and cookies of a service', async t => {
  const { port, securePort, ca, catalog } = await boot(t, { https: true })
  let answer: readonly string[] = []
  let status = 302
  const listener: RequestListener = (_, res) => res.writeHead(status, [...answer]).end('x')
  const [web, old] = await Promise.all([serve(t, listener), serve(t, listener)])
  catalog.project('shop', [{ prefix: '/old', service: 'old', stripPrefix: true }])
  catalog.set('shop:web', at(web.port))
  catalog.set('shop:old', at(old.port))
  const client = http2.connect(`https://shop.localhost:${securePort}`, {
    createConnection: () =>
      connect({ host: '127.0.0.1', port: securePort, ca, servername: 'shop.localhost', ALPNProtocols: ['h2'] }),
  })
  t.teardown(() => client.destroy())
  const overH2 = async (path: string) => {
    const stream = client.request({ ':path': path })
    const [headers]: IncomingHttpHeaders[] = await once(stream, 'response')
    stream.resume()
    return headers ?? {}
  }
  const ways = {
    'the fast path': async (path: string) => (await get(port, 'shop.localhost:99', path)).res.headers,
    'node:http': async (path: string) =>
      (await get(port, 'shop.localhost:99', path, { method: 'POST', body: 'x' })).res.headers,
    'HTTP/2': overH2,
  }
  const there = `localhost:${web.port}`
  const cases: [path: string, name: string, value: string, wanted: string][] = [
    ['/', 'location', `http://${there}/in?a=b#c`, 'BASE/in?a=b#c'],
    ['/', 'Location', `HTTP://LocalHost:${web.port}`, 'BASE/'],
    ['/', 'location', `https://127.0.0.1:${web.port}?q`, 'BASE/?q'],
    ['/', 'location', `http://[::1]:${web.port}/`, 'BASE/'],
    ['/', 'location', `http://0.0.0.0:${web.port}/`, 'BASE/'],
    ['/', 'location', `//${there}/x`, 'BASE/x'],
    ['/', 'location', `http://Shop.localhost:${web.port}/x`, 'BASE/x'],
    ['/', 'location', `http://api.shop.localhost:${web.port}/x`, `http://api.shop.localhost:${web.port}/x`],
    ['/', 'location', `http://shop.localhost:${old.port}/x`, `http://shop.localhost:${old.port}/x`],
    ['/', 'content-location', `http://${there}/x`, 'BASE/x'],
    ['/', 'refresh', `5; url=http://${there}/x`, '5; url=BASE/x'],
    ['/', 'x-other', `http://${there}/x`, `http://${there}/x`],
    ['/', 'location', `http://localhost:${old.port}/`, `http://localhost:${old.port}/`],
    ['/', 'location', `http://${there}0/`, `http://${there}0/`],
    ['/', 'location', `http://user@${there}/`, `http://user@${there}/`],
    ['/', 'location', `http://${there}.example/`, `http://${there}.example/`],
    ['/', 'location', 'http://localhost/', 'http://localhost/'],
    ['/', 'location', '/login', '/login'],
    ['/', 'set-cookie', 'a=b; Path=/', 'a=b; Path=/'],
    ['/old/x', 'location', '/login?next=/', '/old/login?next=/'],
    ['/old/x', 'location', '/', '/old/'],
    ['/old/x', 'location', '/old/login', '/old/login'],
    ['/old/x', 'location', '/older', '/old/older'],
    ['/old/x', 'location', 'login', 'login'],
    ['/old/x', 'location', '//example.com/', '//example.com/'],
    ['/old/x', 'location', 'https://example.com/', 'https://example.com/'],
    ['/old/x', 'location', 'BASE/login', 'BASE/old/login'],
    ['/old/x', 'location', `http://shop.localhost:${old.port}/login`, 'BASE/old/login'],
    ['/old/x', 'location', `http://127.0.0.1:${old.port}/in`, 'BASE/old/in'],
    ['/old/x', 'set-cookie', 'a=b; path=/; HttpOnly', 'a=b; path=/old; HttpOnly'],
    ['/old/x', 'set-cookie', 'a=/; Path=/x; Secure', 'a=/; Path=/old/x; Secure'],
    ['/old/x', 'set-cookie', 'a=b; Path=/old', 'a=b; Path=/old'],
    ['/old/x', 'set-cookie', '__Host-a=b; Path=/; Secure', '__Host-a=b; Path=/; Secure'],
    ['/old/x', 'set-cookie', 'a=b', 'a=b'],
  ]
  for (const [way, ask] of Object.entries(ways)) {
    const base = way === 'HTTP/2' ? `https://shop.localhost:${securePort}` : 'http://shop.localhost:99'
    for (const [path, name, value, wanted] of cases) {
      answer = [name, value.replace('BASE', base)]
      const found = (await ask(path))[name.toLowerCase()]
      t.equal(String(found), wanted.replace('BASE', base), `${way}: ${path} ${value}`)
    }
  }
  status = 200
  answer = ['Location', `http://${there}/`, 'Set-Cookie', 'a=b; Path=/']
  t.equal((await get(port, 'shop.localhost')).header('location'), `http://${there}/`, 'a response that is no redirect')
  t.equal((await get(port, 'shop.localhost', '/old')).header('set-cookie'), 'a=b; Path=/old')
  status = 201
  t.equal((await get(port, 'shop.localhost:99')).header('location'), 'http://shop.localhost:99/')
  status = 200
  answer = ['Refresh', `0; url=http://${there}/x`]
  t.equal((await get(port, 'shop.localhost')).header('refresh'), '0; url=http://shop.localhost/x')
  t.equal((await overH2('/'))['refresh'], `0; url=https://shop.localhost:${securePort}/x`)
})
