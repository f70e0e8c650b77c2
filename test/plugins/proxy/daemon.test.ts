import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http, { type IncomingMessage } from 'node:http'
import http2 from 'node:http2'
import { createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { connect } from 'node:tls'
import t from 'tap'
import { resolvePaths } from '../../../kernel/system/paths.ts'
import { sizeOf } from '../../lib/raw-http.ts'
import { until } from '../../lib/running.ts'
import { Sandbox } from '../../lib/sandbox.ts'
import { textOf } from './lib/client.ts'
import { listening } from './lib/services.ts'

/** Seconds of load; LOCALD_RESTARTS=60 is the long mode. */
const seconds = Number(process.env['LOCALD_RESTARTS'] ?? 8)
const perSecond = 50
const restarts = 5

const server = `import { appendFileSync, existsSync } from 'node:fs'
import { createServer } from 'node:http'
if (existsSync('bad')) {
  console.log('cannot find the flux capacitor')
  await new Promise(resolve => setTimeout(resolve, 700))
  process.exit(3)
}
// It exits at once on SIGTERM: it does not finish its requests.
createServer(async (req, res) => {
  let body = ''
  for await (const piece of req) body += piece
  if (req.method === 'POST') appendFileSync('posts', body + '\\n')
  setTimeout(() => res.end(process.pid + ''), req.method === 'POST' ? 150 : 0)
}).listen(Number(process.env.PORT), '127.0.0.1')
`

const toml = `[project]
name = "shop"
[services.web]
command = "exec node server.mjs"
restart = "no"
[services.api]
command = "exec node server.mjs"
`

t.test('loses no request while a service restarts under load', { timeout: (seconds + 120) * 1000 }, async t => {
  const sandbox = new Sandbox(t)
  const folder = sandbox.project('shop', { 'locald.toml': toml, 'server.mjs': server })
  await sandbox.up(folder)
  const [port, securePort] = [await sandbox.http(), await sandbox.https()]
  const ca = readFileSync(join(sandbox.home, 'data/locald/sandboxes', sandbox.name, 'data/ca/root.pem'))
  const agent = new http.Agent({ keepAlive: true })
  const session = http2.connect(`https://shop.localhost:${securePort}`, {
    createConnection: () =>
      connect({ host: '127.0.0.1', port: securePort, ca, servername: 'shop.localhost', ALPNProtocols: ['h2'] }),
  })
  t.teardown(() => agent.destroy())
  t.teardown(() => session.destroy())
  const plain = (host: string, method: string, body = ''): Promise<string> =>
    new Promise((resolve, reject) => {
      const req = http.request({ host: '127.0.0.1', port, method, agent, headers: { host } })
      req.once('error', reject)
      req.once('response', (res: IncomingMessage) => {
        textOf(res).then(text => resolve(`${res.statusCode} ${text}`), reject)
      })
      req.end(body)
    })
  const secure = async (): Promise<string> => {
    const stream = session.request({ ':authority': 'shop.localhost', ':path': '/' })
    const [headers]: http2.IncomingHttpHeaders[] = await once(stream, 'response')
    return `${headers?.[':status']} ${await textOf(stream)}`
  }
  const asked: Promise<{ what: string; answer: string }>[] = []
  const ask = (what: string, answer: Promise<string>): void => {
    asked.push(
      answer.then(
        text => ({ what, answer: text }),
        (error: Error) => ({ what, answer: error.message }),
      ),
    )
  }
  let posts = 0
  const timer = setInterval(() => {
    // A fifth of them are POSTs, which must arrive once.
    const kind = asked.length % 5
    if (kind === 0) ask('POST', plain('api.shop.localhost', 'POST', `post ${posts++}`))
    else if (kind < 3) ask('HTTP/1.1', plain('shop.localhost', 'GET'))
    else ask('HTTP/2', secure())
  }, 1000 / perSecond)
  t.teardown(() => clearInterval(timer))
  for (let i = 0; i < restarts; i++) {
    await new Promise(resolve => setTimeout(resolve, (seconds * 1000) / (restarts + 1)))
    await sandbox.ok(['restart'], { cwd: folder })
  }
  await new Promise(resolve => setTimeout(resolve, (seconds * 1000) / (restarts + 1)))
  clearInterval(timer)
  const answers = await Promise.all(asked)
  const pids = new Set(answers.map(({ answer }) => answer))
  t.equal(pids.size, 2 * (restarts + 1), 'every process between the restarts has answered')
  t.ok(answers.length > seconds * perSecond * 0.3, `${answers.length} requests`)
  t.strictSame(
    answers.filter(({ answer }) => !/^200 \d+$/.test(answer)),
    [],
    'none has failed',
  )
  const received = readFileSync(join(folder, 'posts'), 'utf8').trim().split('\n')
  t.equal(received.length, posts, 'every POST was delivered')
  t.equal(new Set(received).size, posts, 'once')
})

t.test('shows the error of a failed start', { timeout: 120_000 }, async t => {
  const sandbox = new Sandbox(t)
  const folder = sandbox.project('shop', { 'locald.toml': toml, 'server.mjs': server })
  await sandbox.up(folder, ['web'])
  sandbox.write(join(folder, 'bad'), '')
  const restart = sandbox.run(['restart', 'web'], { cwd: folder })
  await until('it restarts', async () =>
    ['restarting', 'starting'].includes((await sandbox.service(folder, 'web')).status),
  )
  const held = await sandbox.get('shop.localhost')
  const answered = Date.now()
  t.equal(held.status, 503)
  t.match(held.body, /SERVICE_FAILED.*code 3/s)
  const { exitedAt } = await exitOf(sandbox, folder)
  t.ok(answered - exitedAt < 1000, `${answered - exitedAt} ms after the exit`)
  t.equal((await restart).code, 1)
  const page = await sandbox.get('shop.localhost', '/', { accept: 'text/html' })
  t.match(page, { status: 503, body: /cannot find the flux capacitor/ })
})

t.test('reports a port in use by another program', { timeout: 60_000 }, async t => {
  const { port } = await listening(t, createTcpServer())
  const sandbox = new Sandbox(t, { env: { LOCALD_HTTP_PORT: String(port) } })
  const folder = sandbox.project('shop', { 'locald.toml': toml, 'server.mjs': server })
  const up = await sandbox.ok(['up', '-d', 'web'], { cwd: folder })
  t.match(up.stderr, `HTTP proxy is not running: port ${port} is in use (Run \`locald doctor\``)
  t.match(up.stdout, /https:\/\/shop\.localhost/)
  t.match(await sandbox.up(folder, ['web']), [{ event: 'project' }, { event: 'warning', hint: /doctor/ }])
})

/** Bytes of each body; LOCALD_GIGABYTES=5 is the long mode. */
const large = Math.round(Number(process.env['LOCALD_GIGABYTES'] ?? 0.5) * 2 ** 30)

const bodyServer = `import { createServer } from 'node:http'
const piece = Buffer.alloc(65536, 'x')
createServer((req, res) => {
  let got = 0
  if (req.method === 'POST') return req.on('data', ({ length }) => { got += length }).on('end', () => res.end(String(got)))
  let left = ${large}
  res.setHeader('Content-Length', left)
  const pour = () => {
    while (left > 0) {
      const next = piece.subarray(0, left)
      left -= next.length
      if (!res.write(next)) return res.once('drain', pour)
    }
    res.end()
  }
  pour()
}).listen(Number(process.env.PORT), '127.0.0.1')
`

t.test('forwards gigabytes both ways in bounded memory', { timeout: 600_000 }, async t => {
  const sandbox = new Sandbox(t)
  const folder = sandbox.project('shop', {
    'locald.toml': '[project]\nname = "shop"\n[services.web]\ncommand = "exec node server.mjs"\n',
    'server.mjs': bodyServer,
  })
  await sandbox.up(folder)
  const { pid, http, https } = await sandbox.server()
  const names = `--resolve shop.localhost:${http}:127.0.0.1 --resolve shop.localhost:${https}:127.0.0.1`
  const curl = `curl -sSk -m 500 ${names}`
  const down = `${curl} -o /dev/null -w '%{size_download}'`
  const up = `head -c ${large} /dev/zero | ${curl} -X POST -T - -H Expect:`
  const ways: Readonly<Record<string, string>> = {
    'down, HTTP/1.1': `${down} http://shop.localhost:${http}`,
    'down, TLS': `${down} --http1.1 https://shop.localhost:${https}`,
    'down, HTTP/2': `${down} --http2 https://shop.localhost:${https}`,
    'up, HTTP/1.1': `${up} http://shop.localhost:${http}`,
    'up, TLS': `${up} --http1.1 https://shop.localhost:${https}`,
    'up, HTTP/2': `${up} --http2 https://shop.localhost:${https}`,
  }
  for (const [way, command] of Object.entries(ways)) {
    const before = sizeOf(pid).memory
    let most = before
    const watch = setInterval(() => {
      most = Math.max(most, sizeOf(pid).memory)
    }, 50)
    t.teardown(() => clearInterval(watch))
    const ran = await sandbox.spawn(['sh', '-c', command], { limitMs: 550_000 }).done
    clearInterval(watch)
    t.equal(ran.stdout, String(large), `${way} ${ran.stderr}`)
    const grown = Math.round((most - before) / 2 ** 20)
    t.ok(grown < 64, `${way}: memory grew by ${grown} MB`)
  }
})

/** A user's plugin that is slow with each project. */
const slowPlugin = {
  'package.json': JSON.stringify({
    name: 'slow',
    version: '1.0.0',
    type: 'module',
    exports: './index.js',
    locald: { api: 1 },
  }),
  'index.js': `export default { name: 'slow', api: 1, setup(host) {
    host.hooks.project.tapPromise('slow', plan => new Promise(resolve => setTimeout(resolve, 4000, plan)))
  } }`,
}

t.test('holds requests for a pinned project while the daemon starts it', { timeout: 120_000 }, async t => {
  const sandbox = new Sandbox(t)
  const folder = sandbox.project('shop', { 'locald.toml': toml, 'server.mjs': server })
  const broken = sandbox.project('broken', { 'locald.toml': toml.replace('shop', 'broken'), 'server.mjs': server })
  for (const cwd of [folder, broken]) await sandbox.ok(['registry', 'pin'], { cwd })
  await sandbox.ok(['server', 'shutdown'])
  sandbox.write(join(broken, 'locald.toml'), 'nonsense')
  const { data } = resolvePaths({ env: sandbox.env })
  for (const [name, text] of Object.entries(slowPlugin))
    sandbox.write(join(data, 'plugins', 'node_modules', 'slow', name), text)
  await sandbox.ok(['server', 'start'])
  const names = ['shop.localhost', 'api.shop.localhost', 'any.shop.localhost', 'broken.localhost', 'other.localhost']
  const answers = await Promise.all(
    names.map(async name => {
      const { status, body } = await sandbox.get(name)
      return { status, body }
    }),
  )
  t.match(answers, [
    { status: 200 },
    { status: 200 },
    { status: 404, body: /Unknown host any/ },
    { status: 404, body: /Unknown host broken/ },
    { status: 404, body: /Unknown host other/ },
  ])
})

/** Returns when the service printed its last output, 0.7 s before it exits: ms since the epoch. */
async function exitOf(sandbox: Sandbox, folder: string): Promise<{ exitedAt: number }> {
  const lines = await sandbox.logs(folder, ['web'])
  const last = lines.findLast(({ text }) => text.includes('flux'))
  if (last === undefined) throw new Error(`no last words in ${JSON.stringify(lines)}`)
  return { exitedAt: Date.parse(last.time) + 700 }
}
