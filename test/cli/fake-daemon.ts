import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LocaldEvent, ServiceView } from '../../kernel/events.ts'

/** What the daemon was asked. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly body: unknown
}

/** Answers one request. */
export type Handler = (response: ServerResponse, asked: Asked) => void

/** What a test can clean up with: a part of tap's `t`. */
export interface Test {
  teardown(close: () => unknown): void
}

/** The bundled CLI; `tsc` alone makes another `build/cli/main.js` than the build does. */
export const main = fileURLToPath(new URL('../../../dist/cli/main.cjs', import.meta.url))

/** A folder of the test's own. */
export function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'locald-cli-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A scripted daemon on a real unix socket. */
export class FakeDaemon {
  readonly home: string
  readonly socket: string
  readonly asked: Asked[] = []
  readonly #server: Server
  readonly #handlers = new Map<string, Handler>()
  readonly #waiting = new Map<string, () => void>()

  private constructor(home: string) {
    this.home = home
    this.socket = join(home, 's.sock')
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  static async start(t: Test): Promise<FakeDaemon> {
    const daemon = new FakeDaemon(folder(t))
    t.teardown(() => daemon.stop())
    daemon.#server.listen(daemon.socket)
    await once(daemon.#server, 'listening')
    return daemon
  }

  /** Answers `GET /v1/ping` and the like. */
  on(route: string, handler: Handler): this {
    this.#handlers.set(route, handler)
    return this
  }

  /** Calls once when the path is asked for and answered to. */
  whenAsked(path: string, call: () => void): void {
    this.#waiting.set(path, call)
  }

  stop(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  /** The last request to a path. */
  last(path: string): Asked {
    const found = this.asked.findLast(asked => asked.path === path)
    if (found === undefined) throw new Error(`no request for ${path}`)
    return found
  }

  run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return locald(args, { ...options, env: { LOCALD_SOCKET: this.socket, ...options.env }, home: this.home })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://locald')
    let text = ''
    for await (const piece of request) text += piece
    const body: unknown = text === '' ? undefined : JSON.parse(text)
    const asked = { method: request.method ?? '', path: url.pathname, query: url.searchParams, body }
    this.asked.push(asked)
    const handler = this.#handlers.get(`${asked.method} ${asked.path}`)
    if (handler === undefined) response.writeHead(404).end('{}')
    else handler(response, asked)
    this.#waiting.get(asked.path)?.()
    this.#waiting.delete(asked.path)
  }
}

/** One JSON value, with its length. */
export function json(value: unknown, status = 200): Handler {
  return response => {
    const text = JSON.stringify(value)
    response
      .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
      .end(text)
  }
}

/** NDJSON, chunked. */
export function stream(...values: readonly unknown[]): Handler {
  return response => {
    for (const value of values) response.write(`${JSON.stringify(value)}\n`)
    response.end()
  }
}

/** A service as the daemon shows it. */
export function view(name: string, more: Partial<ServiceView> = {}): ServiceView {
  return {
    key: `shop:${name}`,
    project: 'shop',
    name,
    path: '/home/me/shop',
    type: 'exec',
    status: 'running',
    health: 'healthy',
    port: 3000,
    url: `https://${name}.shop.localhost`,
    pid: 4242,
    startedAt: new Date(Date.now() - 192_000).toISOString(),
    restarts: 0,
    cpu: 1.25,
    memory: 47_500_000,
    reason: null,
    ...more,
  }
}

/** The event of a service's state. */
export function state(name: string, more: Partial<ServiceView> = {}): LocaldEvent {
  return { event: 'service', service: view(name, more) }
}

/** The last event of an operation that went well. */
export function done(...services: readonly ServiceView[]): LocaldEvent {
  return { event: 'done', ok: true, services }
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly input?: string
  /** Called when it runs. */
  readonly started?: (child: ChildProcess) => void
}

export interface Ran {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

/** An environment without what the test runner and this machine's user put into it. */
export function environment(home: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const env: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    TMPDIR: home,
    XDG_DATA_HOME: join(home, 'data'),
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_RUNTIME_DIR: join(home, 'run'),
    LOCALD_NATIVE: join(home, 'native'),
  }
  mkdirSync(join(home, 'run'), { recursive: true })
  return { ...env, ...more }
}

/** Runs the CLI to its end. */
export async function locald(args: readonly string[], options: RunOptions & { readonly home: string }): Promise<Ran> {
  const { cwd = options.home, env = {}, home, input, started } = options
  const child = spawn(process.execPath, [main, ...args], { cwd, env: environment(home, env) })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    stderr += text
  })
  child.stdin.end(input)
  started?.(child)
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000)
  const [code, signal] = await once(child, 'close')
  clearTimeout(timer)
  return { code, signal, stdout, stderr }
}
