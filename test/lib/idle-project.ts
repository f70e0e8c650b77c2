import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ask, type Reply } from './raw-http.ts'
import { until } from './running.ts'
import type { Sandbox } from './sandbox.ts'

/**
 * A web server that counts its starts and requests in files. Answers with the size of the body: after 2.5 s at `/slow`,
 * with a stream that stays open at `/events`, as an echo after an upgrade.
 */
const server = `
import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'
appendFileSync('starts', 'x')
const server = createServer(async (request, response) => {
  if (request.url === '/events') {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    return response.write('data: 1\\n\\n')
  }
  if (request.url === '/slow') await new Promise(wake => setTimeout(wake, 2500))
  const parts = []
  for await (const part of request) parts.push(part)
  appendFileSync('requests', request.method + request.url + '\\n')
  response.end(Buffer.concat(parts).length + ' bytes')
})
server.on('upgrade', (_, socket) => {
  socket.write('HTTP/1.1 101 Switching\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n')
  socket.pipe(socket)
})
server.listen(process.env.PORT, '127.0.0.1')
`

/** The project `shop` in a sandbox, whose servers stop after a second without use. */
export class IdleProject {
  readonly folder: string
  readonly #box: Sandbox
  #port = 0

  /** @param services the names of the servers, and which others they depend on */
  constructor(box: Sandbox, services: Readonly<Record<string, readonly string[]>>) {
    this.#box = box
    const tables = Object.entries(services).map(
      ([name, needs]) =>
        `[services.${name}]\ncommand = "node server.mjs"\nworkdir = "at/${name}"\nrestart = "no"\nidle = "1s"\ndepends_on = ${JSON.stringify(needs)}\n`,
    )
    const programs = Object.keys(services).map(name => [`at/${name}/server.mjs`, server])
    this.folder = box.project('shop', {
      'locald.toml': `[project]\nname = "shop"\n${tables.join('')}`,
      ...Object.fromEntries(programs),
    })
  }

  /** The proxy's port: another one for each daemon. */
  async findPort(): Promise<number> {
    this.#port = await this.#box.http()
    return this.#port
  }

  /** Sends a request to a service through the proxy. */
  async ask(name: string, path: string, options: Parameters<typeof ask>[2] = {}): Promise<Reply> {
    const address = { host: '127.0.0.1', port: this.#port }
    return await ask(address, path, { ...options, headers: { ...options.headers, host: `${name}.shop.localhost` } })
  }

  async isStopped(...names: readonly string[]): Promise<boolean> {
    const views = (await this.#box.status(this.folder)).filter(({ name }) => names.includes(name))
    return views.every(({ status }) => status === 'stopped')
  }

  /** Waits until services are stopped. */
  async stopped(...names: readonly string[]): Promise<void> {
    await until(`${names.join()} to stop`, () => this.isStopped(...names))
  }

  /** Counts the starts of a service. */
  starts(name: string): number {
    return readFileSync(join(this.folder, 'at', name, 'starts')).length
  }

  /** Returns the requests that a service has received, as `GET/path`. */
  requests(name: string): readonly string[] {
    return readFileSync(join(this.folder, 'at', name, 'requests'), 'utf8')
      .trim()
      .split('\n')
  }
}
