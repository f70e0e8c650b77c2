/** Services, and pages of services, that use a service of another worktree: which are reported, and which are not. */
import { existsSync, readFileSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type Running, until } from '../lib/running.ts'
import type { Sandbox } from '../lib/sandbox.ts'
import { type Actor, portOf, repository, worktree, writeActors } from '../lib/worktrees.ts'
import { on } from './suite.ts'

const isNight = process.env['LOCALD_NIGHTLY'] === '1'

/** Where the main checkout's services and the proxy are. */
interface Places {
  readonly api: number
  readonly db: number
  readonly http: number
  readonly https: number
}

/** A service with what it does, and the requests of its pages. */
interface Scenario extends Omit<Actor, 'name'> {
  /** Whether it also runs outside of the night. */
  readonly isQuick?: boolean
  /** What the report names besides the service: where the address comes from. */
  readonly source?: RegExp
  /** Requests as of a browser. @param page the origin of the service's pages */
  readonly visit?: (places: Places, page: string) => Promise<void>
}

type Scenarios = Readonly<Record<string, (places: Places) => Scenario>>

const target = 'api.shop.localhost'
const cors = { 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-site' }

/** Sends a request to the proxy, and waits for the beginning of the answer. */
async function send(port: number, head: Readonly<Record<string, string>>, localPort?: number): Promise<void> {
  const lines = Object.entries({ host: target, connection: 'close', ...head }).map(
    ([name, value]) => `${name}: ${value}`,
  )
  const socket = connect({ port, host: '127.0.0.1', ...(localPort === undefined ? {} : { localPort }) })
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('data', () => resolve()).once('error', reject)
      socket.write(`GET / HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
    })
  } finally {
    socket.destroy()
  }
}

async function sendHttp2(port: number, head: Readonly<Record<string, string>>): Promise<void> {
  const client = connectHttp2(`https://127.0.0.1:${port}`, { servername: target, rejectUnauthorized: false })
  try {
    await new Promise((resolve, reject) => {
      client.once('error', reject)
      client
        .request({ ':path': '/', ':authority': target, ...head })
        .once('response', resolve)
        .once('error', reject)
        .end()
    })
  } finally {
    client.destroy()
  }
}

const url = (port: number) => `http://127.0.0.1:${port}`

/** Each has to be reported. */
const leaks: Scenarios = {
  'port-in-env-file': ({ api }) => ({
    isQuick: true,
    lines: 'env_file = ["leak.env"]',
    files: { 'leak.env': `# where\nAPI_URL=http://localhost:${api}/v1\n` },
    source: /set by API_URL in leak\.env:2/,
  }),
  'name-in-toml': () => ({ env: { API_BASE: `https://${target}/v1` }, source: /set by API_BASE in locald\.toml:\d+/ }),
  'postgres-url': ({ db }) => ({
    env: { DATABASE_URL: `postgres://app:canary@127.0.0.1:${db}/shop` },
    source: /set by DATABASE_URL in locald\.toml/,
  }),
  'host-and-port': ({ db }) => ({ env: { DB: `localhost:${db}` }, source: /set by DB in locald\.toml/ }),
  'guest-address': ({ db }) => ({
    env: { DB: `redis://host.docker.internal:${db}` },
    source: /set by DB in locald\.toml/,
  }),
  'port-alone': ({ db }) => ({
    kind: 'tcp',
    target: url(db),
    env: { DB_PORT: String(db) },
    source: /set by DB_PORT in/,
  }),
  'source-keep-alive': ({ api }) => ({
    isQuick: true,
    kind: 'keepAlive',
    target: url(api),
    source: /set in src\/.*:2/,
  }),
  'source-fetch': ({ api }) => ({ kind: 'fetch', target: url(api) }),
  'web-socket': ({ api }) => ({ kind: 'socket', target: url(api) }),
  'raw-tcp': ({ db }) => ({ kind: 'tcp', target: url(db) }),
  'ipv6-tcp': ({ api }) => ({ kind: 'tcp', target: `http://[::1]:${api}` }),
  'child-process': ({ api }) => ({ kind: 'child', target: url(api) }),
  'orphan-process': ({ api }) => ({ kind: 'orphan', target: url(api) }),
  'name-over-http': ({ http }) => ({ isQuick: true, kind: 'close', target: `http://${target}:${http}/` }),
  'name-over-https': ({ https }) => ({ kind: 'closeTls', target: `https://${target}:${https}/` }),
  'page-fetch': ({ http }) => ({
    isQuick: true,
    isWeb: true,
    visit: (_, origin) => send(http, { ...cors, origin }),
  }),
  'page-script': ({ http }) => ({
    isWeb: true,
    visit: (_, page) => send(http, { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script', referer: `${page}/a` }),
  }),
  'page-web-socket': ({ http }) => ({
    isWeb: true,
    visit: (_, origin) =>
      send(http, { 'sec-fetch-mode': 'websocket', origin, connection: 'Upgrade', upgrade: 'websocket' }),
  }),
  'page-over-http2': ({ https }) => ({ isWeb: true, visit: (_, origin) => sendHttp2(https, { ...cors, origin }) }),
  'page-without-metadata': ({ http }) => ({
    isWeb: true,
    visit: (_, page) => send(http, { accept: '*/*', referer: `${page}/a` }),
  }),
}

/** None may be reported. They are services of a worktree without a leak. */
const controls: Scenarios = {
  'own-service': () => ({ isQuick: true, kind: 'fetch', env: { API_URL: `http://127.0.0.1:\${services.api.port}` } }),
  'own-name': ({ http }) => ({ kind: 'close', target: `http://api.clean.shop.localhost:${http}/` }),
  'link-to-main': ({ http }) => ({
    isQuick: true,
    isWeb: true,
    visit: (_, page) => send(http, { 'sec-fetch-mode': 'navigate', accept: 'text/html', referer: `${page}/` }),
  }),
  'link-without-metadata': ({ http }) => ({
    isWeb: true,
    visit: (_, page) => send(http, { accept: 'text/html,*/*', referer: `${page}/` }),
  }),
  'page-of-its-own': ({ http }) => ({
    isWeb: true,
    visit: (_, origin) => send(http, { ...cors, host: 'api.clean.shop.localhost', origin }),
  }),
  'shared-service': () => ({ isQuick: true, kind: 'tcp', target: 'SHARED' }),
  'shared-url': () => ({ env: { CACHE_URL: 'redis://SHARED_HOST' } }),
  'other-repository': () => ({ kind: 'keepAlive', target: 'OTHER' }),
  'other-by-name': ({ http }) => ({ kind: 'close', target: `http://events.localhost:${http}/` }),
  'list-of-origins': () => ({ isQuick: true, env: { HOSTS: `https://${target},https://api.clean.shop.localhost` } }),
  'allowed-origin': () => ({ env: { CORS_ORIGIN: `https://${target}` } }),
  'cookie-domain': () => ({ env: { COOKIE_DOMAIN: 'shop.localhost' } }),
  'other-host-same-port': ({ api }) => ({ env: { API_URL: `http://example.com:${api}/` } }),
  'number-in-text': ({ api }) => ({
    env: { NOTE: `see http://localhost:${api}/ in the other window`, LIMIT: `${api}` },
  }),
  'name-below': () => ({ env: { API_URL: `https://x.${target}.example.com/` } }),
}

interface Setting {
  readonly main: string
  readonly leaking: string
  readonly clean: string
  readonly other: string
  readonly places: Places
  readonly bad: readonly (Scenario & Actor)[]
  readonly good: readonly (Scenario & Actor)[]
}

/** Starts main, one worktree with leaks, one without, and another repository. */
async function start(box: Sandbox, isWanted: (scenario: Scenario) => boolean): Promise<Setting> {
  const served = { isWeb: true }
  const main = await repository(
    box,
    'shop',
    ['api', 'db', 'cache'].map(name => ({ name, ...served })),
    '[worktrees]\nshared = ["cache"]\n',
  )
  const other = await repository(box, 'events', [{ name: 'events', ...served }])
  box.write(join(other, 'locald.toml'), readFileSync(join(other, 'locald.toml'), 'utf8').replace('"shop"', '"events"'))
  await box.up(main)
  await box.up(other)
  const { http, https } = await box.server()
  const [api, db, cache] = await Promise.all(['api', 'db', 'cache'].map(name => portOf(box, main, name)))
  const places: Places = { api: api ?? 0, db: db ?? 0, http: http ?? 0, https: https ?? 0 }
  const events = await portOf(box, other, 'events')
  const fill = (text: string) =>
    text
      .replace('SHARED_HOST', `127.0.0.1:${cache}`)
      .replace('SHARED', url(cache ?? 0))
      .replace('OTHER', url(events))
  const actorsOf = (scenarios: Scenarios): readonly (Scenario & Actor)[] =>
    Object.entries(scenarios).flatMap(([name, make]) => {
      const made = make(places)
      const env = Object.fromEntries(Object.entries(made.env ?? {}).map(([key, value]) => [key, fill(value)]))
      return isWanted(made) ? [{ ...made, name, target: fill(made.target ?? ''), env }] : []
    })
  const leaking = await worktree(box, main, 'leaking')
  const clean = await worktree(box, main, 'clean')
  const [bad, good] = [actorsOf(leaks), actorsOf(controls)]
  writeActors(box, leaking, [{ name: 'api', ...served }, ...bad])
  writeActors(box, clean, [{ name: 'api', ...served }, ...good])
  return { main, leaking, clean, other, places, bad, good }
}

/** Waits until each service in a worktree has done what it does three times. */
async function rounds(folder: string, actors: readonly Actor[]): Promise<void> {
  const isDone = ({ name }: Actor) => {
    const file = join(folder, 'rounds', name)
    return existsSync(file) && readFileSync(file).length >= 3
  }
  for (const actor of actors) await until(`rounds of ${actor.name}`, () => isDone(actor), 60_000)
}

/** Programs that use main's service and are no services: in an editor's terminal, by `locald run`, as curl. */
async function useFromOutside(box: Sandbox, { main, clean, places }: Setting): Promise<Running> {
  const code = `const look = () => fetch('${url(places.api)}').then(answer => answer.text()); await look(); await look()`
  const argv = ['node', '--input-type=module', '-e', code]
  for (const cwd of [main, clean]) await box.ok(['run', 'api', '--', ...argv], { cwd })
  for (const host of [target, 'api.clean.shop.localhost']) await send(places.http, { host })
  const open = `require('net').connect(${places.api}, '127.0.0.1', () => console.log('open'))`
  const editor = box.spawn(['node', '-e', open], { cwd: clean, limitMs: 200_000 })
  await editor.prints('open')
  return editor
}

/** Waits until each of the services is reported, with where the address is from. */
async function allReported(
  t: Test,
  box: Sandbox,
  folder: string,
  actors: readonly (Scenario & Actor)[],
): Promise<void> {
  for (const { name, source = /./ } of actors) {
    const look = async () => {
      const { reason } = await box.service(folder, name)
      return reason?.includes('of another worktree') === true && source.test(reason)
    }
    await until(`a report of ${name}`, look, 30_000).then(
      () => t.pass(name),
      async () => t.fail(`${name}: ${(await box.service(folder, name)).reason}`),
    )
  }
}

on('linux', 'what uses a service of another worktree is reported, and nothing else', async (t, machine) => {
  const box = machine.sandbox()
  const setting = await start(box, it => isNight || it.isQuick === true)
  const { main, leaking, clean, other, places, bad, good } = setting
  const visit = async (actors: readonly (Scenario & Actor)[], domain: string) => {
    for (const { name, visit: send } of actors) await send?.(places, `https://${name}.${domain}`)
  }
  await box.up(leaking)
  await box.up(clean)
  await visit(good, 'clean.shop.localhost')
  await visit(bad, 'leaking.shop.localhost')
  const editor = await useFromOutside(box, setting)
  await allReported(t, box, leaking, bad)
  await rounds(clean, good)
  const views = await Promise.all([box.status(main), box.status(clean), box.status(other)])
  const wrong = views.flat().filter(({ reason }) => reason?.includes('of another worktree'))
  t.same(
    wrong.map(({ key, reason }) => `${key}: ${reason}`),
    [],
    `none of ${good.length} controls`,
  )
  t.equal(views[1]?.length, good.length + 1)
  editor.child.kill()
  await editor.done
  t.equal((await box.service(leaking, 'api')).reason, null, 'the own service of the worktree')
  const why = await box.ok(['why', bad[0]?.name ?? ''], { cwd: leaking })
  t.match(why.stdout, /configured to use shop:api of another worktree/)

  t.comment('once for each run')
  const followed = box.start(['up', '--attach'], { cwd: leaking, limitMs: 200_000 })
  // Until it follows the events, too.
  await until('the state of a service', async () => {
    await box.ok(['restart', 'api'], { cwd: leaking })
    return /locald \| api/.test(followed.stderr + followed.stdout)
  })
  await box.ok(['restart'], { cwd: leaking })
  await visit(bad, 'leaking.shop.localhost')
  await allReported(t, box, leaking, bad)
  followed.child.kill('SIGKILL')
  await followed.done
  const printed = followed.stdout + followed.stderr
  for (const { name } of bad) {
    const lines = printed.split('\n').filter(line => line.includes(`warning: ${name} `))
    t.equal(lines.length, 1, `one warning of ${name}`)
  }
  t.match(printed, /warning: \S+ uses shop:api of another worktree \(127\.0\.0\.1:\d+\), set in src/)
  t.notMatch(printed + why.stdout, /canary/)
})
