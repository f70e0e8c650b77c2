import type { ServerResponse } from 'node:http'
import type { LocaldEvent, LogLine, ServiceView } from '../../../kernel/events.ts'
import { PseudoTerminal, type TerminalOptions } from '../../lib/pseudo-terminal.ts'
import { environment, FakeDaemon, json, main, type Test } from '../fake-daemon.ts'

/** A daemon with services whose events and lines the test sends, and `locald monitor` in a terminal. */
export class Scripted {
  readonly daemon: FakeDaemon
  readonly #t: Test
  readonly #events = new Set<ServerResponse>()
  readonly #logs = new Set<ServerResponse>()
  #followed: readonly string[] = []
  #opened: () => void = () => {}
  /** Lines of the past. */
  readonly past: LogLine[] = []
  views: readonly ServiceView[]
  #lines = 0

  private constructor(t: Test, daemon: FakeDaemon, views: readonly ServiceView[]) {
    this.#t = t
    this.daemon = daemon
    this.views = views
  }

  static async start(t: Test, views: readonly ServiceView[]): Promise<Scripted> {
    const scripted = new Scripted(t, await FakeDaemon.start(t), views)
    scripted.#answer()
    return scripted
  }

  /** Starts `locald monitor`. */
  open(args: readonly string[] = [], options: Partial<TerminalOptions> = {}): PseudoTerminal {
    const { home, socket } = this.daemon
    const env = environment(home, { LOCALD_SOCKET: socket, ...options.env })
    return new PseudoTerminal(this.#t, [process.execPath, main, 'monitor', ...args], { cwd: home, ...options, env })
  }

  send(event: LocaldEvent): void {
    if (event.event === 'service')
      this.views = this.views.map(view => (view.key === event.service.key ? event.service : view))
    for (const response of this.#events) response.write(`${JSON.stringify(event)}\n`)
  }

  /** Writes lines to the followed logs. */
  log(service: string, ...texts: readonly string[]): void {
    const lines = texts.map(text => this.line(service, text))
    for (const response of this.#logs) response.write(lines.map(line => `${JSON.stringify(line)}\n`).join(''))
  }

  /** Resolves when the log of this service, alone, is followed. */
  async follows(service: string): Promise<void> {
    while (this.#followed.join() !== `shop:${service}`) {
      await new Promise<void>(resolve => {
        this.#opened = resolve
      })
    }
  }

  /** Returns a line of its own time. */
  line(service: string, text: string): LogLine {
    const time = `2026-01-01T10:00:00.${String(++this.#lines).padStart(6, '0')}Z`
    return { time, service: `shop:${service}`, stream: 'stdout', text }
  }

  /** Closes all connections, as a daemon that is killed. */
  breakStreams(): void {
    for (const response of [...this.#events, ...this.#logs]) response.destroy()
  }

  #answer(): void {
    const keep = (responses: Set<ServerResponse>, response: ServerResponse) => {
      responses.add(response)
      response.once('close', () => responses.delete(response))
      response.writeHead(200).flushHeaders()
    }
    this.daemon
      .on('GET /v1/services', (response, asked) => json({ services: this.views })(response, asked))
      .on('GET /v1/events', response => {
        keep(this.#events, response)
        for (const service of this.views) response.write(`${JSON.stringify({ event: 'service', service })}\n`)
      })
      .on('GET /v1/logs', (response, { query }) => {
        keep(this.#logs, response)
        const keys = query.getAll('service')
        this.#followed = keys
        this.#opened()
        if (query.has('resume')) return
        const lines = this.past.filter(({ service }) => keys.includes(service))
        response.write(lines.map(line => `${JSON.stringify(line)}\n`).join(''))
      })
  }
}
