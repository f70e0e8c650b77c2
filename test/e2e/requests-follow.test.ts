import { once } from 'node:events'
import { request } from 'node:http'
import t from 'tap'
import { type Running, until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'

/** Answers `/slow` when `/go` is requested, others at once, with the status that the path names. */
const server = `import { createServer } from 'node:http'
let waiting = []
createServer((req, res) => {
  const status = Number(/\\d{3}/.exec(req.url)?.[0] ?? 200)
  if (req.url.startsWith('/slow')) return waiting.push(() => res.writeHead(status).end('late'))
  if (req.url === '/go') for (const answer of waiting.splice(0)) answer()
  res.writeHead(status).end('now')
}).listen(process.env.PORT, '127.0.0.1')
`

/** Recorded when it begins; a plain GET is when it is over. */
const post = { method: 'POST' }

t.test('follows requests while they come', async t => {
  const sandbox = new Sandbox(t)
  const project = sandbox.project('shop', {
    'locald.toml':
      '[project]\nname = "shop"\n[services.web]\ncommand = "node server.mjs"\n[services.api]\ncommand = "node server.mjs"\n',
    'server.mjs': server,
  })
  await sandbox.up(project)
  const port = await sandbox.http()
  const send = (path: string, { host = 'web.shop.localhost', method = 'GET' } = {}): Promise<void> =>
    new Promise((resolve, reject) => {
      const asking = request({ host: '127.0.0.1', port, path, method, agent: false, headers: { host } }, response =>
        response.resume().once('end', resolve),
      )
      asking.once('error', reject)
      asking.end()
    })
  /** Starts `requests -f`, and waits until it follows: a request of its own shows that. */
  const follow = async (args: readonly string[], first: string): Promise<Running> => {
    const running = sandbox.start(['requests', '-f', ...args], { cwd: project })
    t.teardown(() => running.child.kill('SIGKILL'))
    await until(`requests -f prints ${first}`, async () => {
      if (running.stdout.includes(first)) return true
      await send(first)
      return false
    })
    return running
  }
  const paths = ({ stdout }: Running): string[] =>
    stdout
      .split('\n')
      .slice(0, -1)
      .map((line): { readonly path: string } => JSON.parse(line))
      .map(({ path }) => path)
      .filter(path => !path.startsWith('/begin'))

  await t.test('with --json one value a line, each request once, when it is answered', async t => {
    const slow = send('/slow?503', post)
    await until('the slow one arrives', async () => (await sandbox.ok(['requests'])).stdout.includes('/slow?503'))
    const running = await follow(['--json', '-n', '0'], '/begin')
    t.notOk(running.stdout.includes('/slow'), 'not before it is answered')
    for (let i = 0; i < 50; i++) await send(`/${i}`)
    await send('/go')
    await slow
    await running.prints('/slow?503')
    await running.prints('"/go"')
    t.strictSame(
      paths(running).toSorted(),
      [...Array.from({ length: 50 }, (_, i) => `/${i}`), '/go', '/slow?503'].toSorted(),
    )
    const line = running.stdout.split('\n').find(text => text.includes('/slow')) ?? ''
    const fields = 'id time method host path status service durationMs requestBytes responseBytes'
    t.strictSame(Object.keys(JSON.parse(line)), fields.split(' '))
    running.child.kill('SIGINT')
    t.match(await running.done, { code: null, signal: 'SIGINT', stderr: '' })
  })

  await t.test('reports one that began before and fits only once it is answered', async t => {
    const slow = send('/slow?500', post)
    await until('the slow one arrives', async () => (await sandbox.ok(['requests'])).stdout.includes('/slow?500'))
    const running = await follow(['--json', '--status', '5xx', '-n', '0'], '/begin?555')
    await send('/go')
    await slow
    await running.prints('/slow?500')
    running.child.kill('SIGTERM')
    t.match(await running.done, { code: null, signal: 'SIGTERM' })
  })

  await t.test('filters by service, status, method and path', async t => {
    const filters = [
      ['--service', 'api'],
      ['--status', '404'],
      ['--method', 'DELETE'],
      ['--path', '/only/*'],
    ]
    const begin = { host: 'api.shop.localhost', method: 'DELETE' }
    const all = await Promise.all(
      filters.map(async words => {
        const running = sandbox.start(['requests', '-f', '--json', '-n', '0', ...words], { cwd: project })
        t.teardown(() => running.child.kill('SIGKILL'))
        await until(`${words} follows`, async () => {
          if (running.stdout !== '') return true
          await send('/only/begin?404', begin)
          return false
        })
        return running
      }),
    )
    await send('/a', { host: 'api.shop.localhost' })
    await send('/b?404')
    await send('/c', { method: 'DELETE' })
    await send('/only/d')
    await send('/only/e/f')
    await send('/only/end?404', begin)
    const found = []
    for (const running of all) {
      await running.prints('/only/end')
      found.push(paths(running).filter(path => !path.startsWith('/only/begin') && path !== '/only/end?404'))
      running.child.kill('SIGINT')
      await running.done
    }
    t.strictSame(found, [['/a'], ['/b?404'], ['/c'], ['/only/d', '/only/e/f']])
  })

  await t.test('as text begins with the last ones, and exits when its reader does', async t => {
    await send('/earlier')
    const running = await follow([], '/begin-text')
    t.match(running.stdout, /^[a-z]{3}\d+ +\d\d:\d\d:\d\d +GET +200 .*web\.shop\.localhost\/earlier$/m)
    running.child.stdout?.destroy()
    const closed = once(running.child, 'exit')
    await until('it exits', async () => {
      await send('/more')
      return running.child.exitCode !== null || running.child.signalCode !== null
    })
    t.strictSame(await closed, [0, null])
    t.equal(running.stderr, '')
    const head = sandbox.spawn(['sh', '-c', '"$0" "$1" requests -f | head -n 2', process.execPath, sandbox.main], {
      cwd: project,
    })
    // It exits when it first writes after head(1) has exited.
    let isOver = false
    void head.done.then(() => (isOver = true))
    await until('it exits', async () => {
      await send('/last')
      return isOver
    })
    t.equal(head.stdout.trim().split('\n').length, 2)
  })

  await t.test('refuses a filter that is none', async t => {
    const ran = await sandbox.run(['requests', '-f', '--status', 'abc'], { cwd: project })
    t.match(ran, { code: 2, stdout: '', stderr: /'abc' is not a status/ })
  })
})
