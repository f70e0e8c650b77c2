import { join } from 'node:path'
import { until } from './running.ts'
import type { Files, Sandbox } from './sandbox.ts'

/**
 * `run(KIND, TARGET)`: a server if it has a port, and what the kind does to the target again and again. Each round adds a
 * letter to the file of the service's name below `rounds`.
 */
const program = `
import { spawn } from 'node:child_process'
import { appendFileSync, mkdirSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'

// No resolver of the system knows names below localhost everywhere.
const lookup = (_, options, done) => options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)
const keepAlive = new http.Agent({ keepAlive: true })
const round = () => appendFileSync('rounds/' + process.env.NAME, 'x')
const ask = (client, target, options) =>
  client.get(target, { lookup, rejectUnauthorized: false, ...options }, answer => answer.resume().once('end', round)).on('error', () => {})
const connect = target => {
  const { hostname, port } = new URL(target)
  return net.connect(Number(port), hostname.replace(/[\\[\\]]/g, '')).on('error', () => {})
}
const again = (ms, act) => { act(); setInterval(act, ms) }
const self = (kind, target) => ['-e', 'import(' + JSON.stringify(import.meta.url) + ').then(it => it.run("' + kind + '", "' + target + '"))']
const kinds = {
  serve: () => again(500, round),
  keepAlive: target => again(1000, () => ask(http, target, { agent: keepAlive })),
  fetch: target => again(2500, () => fetch(target).then(answer => answer.text()).then(round, () => {})),
  close: target => again(1000, () => ask(http, target, { agent: false, headers: { connection: 'close' } })),
  closeTls: target => again(1000, () => ask(https, target, { agent: false, headers: { connection: 'close' } })),
  tcp: target => connect(target).once('connect', () => again(500, round)),
  socket: target => {
    const opened = connect(target)
    opened.once('data', () => again(500, round))
    opened.write('GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n\\r\\n')
  },
  child: target => spawn(process.execPath, self('tcp', target), { stdio: 'inherit' }),
  orphan: target => spawn('sh', ['-c', 'setsid "$@" & exit 0', 'sh', process.execPath, ...self('tcp', target)], { stdio: 'inherit' }),
}

export function run(kind, target) {
  mkdirSync('rounds', { recursive: true })
  if (process.env.PORT && process.argv[1]) {
    const server = http.createServer((_, response) => response.setHeader('Access-Control-Allow-Origin', '*').end('hello'))
    server.on('upgrade', (_, socket) => {
      socket.on('error', () => {})
      socket.write('HTTP/1.1 101 Switching\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n\\r\\n')
    })
    server.listen(process.env.PORT)
  }
  console.log('started', kind)
  setInterval(() => {}, 60_000)
  kinds[kind](target || process.env.API_URL)
}
`

/** A service that does one thing to a target. */
export interface Actor {
  readonly name: string
  /** One of the program's kinds; default: it only serves. */
  readonly kind?: string
  readonly target?: string
  /** Whether it has a name and a port; default: no. */
  readonly isWeb?: boolean
  /** More lines of its table, and of its environment. */
  readonly lines?: string
  readonly env?: Readonly<Record<string, string>>
  readonly files?: Files
}

/** Runs git in a folder. */
export async function git(box: Sandbox, cwd: string, ...args: readonly string[]): Promise<void> {
  const ran = await box.spawn(['git', '-c', 'user.name=x', '-c', 'user.email=x@example.com', ...args], { cwd }).done
  if (ran.code !== 0) throw new Error(ran.stderr)
}

/** Writes the files of a project of actors into a folder. */
export function writeActors(box: Sandbox, folder: string, actors: readonly Actor[], more = ''): void {
  const tables = actors.map(({ name, isWeb = false, lines = '', env = {} }) => {
    const type = isWeb ? '' : 'type = "worker"\n'
    const variables = Object.entries({ NAME: name, ...env }).map(
      ([key, value]) => `${key} = ${JSON.stringify(value)}\n`,
    )
    return `[services.${name}]\n${type}command = "exec node src/${name}.mjs"\nrestart = "no"\n${lines}\n[services.${name}.env]\n${variables.join('')}`
  })
  box.write(join(folder, 'locald.toml'), `[project]\nname = "shop"\n${more}\n${tables.join('')}`)
  box.write(join(folder, 'program.mjs'), program)
  for (const { name, kind = 'serve', target = '', files = {} } of actors) {
    box.write(join(folder, 'src', `${name}.mjs`), `import { run } from '../program.mjs'\nrun('${kind}', '${target}')\n`)
    for (const [path, text] of Object.entries(files)) box.write(join(folder, path), text)
  }
}

/** Creates a repository with a project of actors. */
export async function repository(box: Sandbox, name: string, actors: readonly Actor[], more = ''): Promise<string> {
  const folder = box.project(name, { '.gitignore': '.env\nrounds\n' })
  writeActors(box, folder, actors, more)
  await git(box, folder, 'init', '--quiet')
  await git(box, folder, 'add', '.')
  await git(box, folder, 'commit', '--quiet', '--message', 'first')
  return folder
}

/** Adds a linked worktree on a branch of its name. */
export async function worktree(box: Sandbox, main: string, name: string): Promise<string> {
  const folder = join(box.home, 'trees', name)
  await git(box, main, 'worktree', 'add', '--quiet', '-b', name, folder)
  return folder
}

/** Returns a service's port; waits until it has one. */
export async function portOf(box: Sandbox, folder: string, name: string): Promise<number> {
  return await until(`a port of ${name}`, async () => (await box.service(folder, name)).port)
}
