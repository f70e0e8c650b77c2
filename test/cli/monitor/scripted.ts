import type { ServerResponse } from 'node:http'
import type { LocaldEvent, LogLine, ServiceView } from '../../../kernel/events.ts'
import type { ExchangeView } from '../../../plugins/proxy/provides.ts'
import { PseudoTerminal, type TerminalOptions } from '../../lib/pseudo-terminal.ts'
import { environment, FakeDaemon, main, type Test } from '../fake-daemon.ts'

/** A daemon with services whose events and lines the test sends, and `locald monitor` in a terminal. */
export class Scripted {
  readonly daemon: FakeDaemon
  readonly #t: Test
  /** Open streams, and their topics. */
  readonly #streams = new Map<ServerResponse, readonly string[]>()
  readonly #logs = new Set<ServerResponse>()
  #followed: readonly string[] = []
  #opened: () => void = () => {}
  /** Lines of the past. */
  readonly past: LogLine[] = []
  /** Requests of the past. */
  readonly requests: ExchangeView[] = []
  /** Lines that are older than those of the past, the oldest first. */
  readonly history: LogLine[] = []
  /** Answers searches in `history`. */
  searched: (response: ServerResponse, found: readonly LogLine[]) => void = (response, found) => {
    const progress = { scannedTo: null, scannedBytes: 100, totalBytes: 100, matches: found.length }
    response.end(linesOf([...found.map(match => ({ match })), { done: { ...progress, isComplete: true } }]))
  }
  views: readonly ServiceView[]
  /** Whether streams begin without what the daemon has. */
  isSilent = false
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
    this.push('events', event)
  }

  /** Sends what the daemon has. */
  greet(): void {
    const services = this.views.map(view => ({ ...view, cpu: null, memory: null }))
    this.push('events', { event: 'snapshot', services, projects: [] })
    const usage = this.views.map(({ key, cpu, memory }) => ({ key, cpu, memory }))
    this.push('usage', { services: usage, daemon: { cpu: 0, memory: 0 } })
  }

  /** Writes values of a topic of the stream. */
  push(topic: string, ...values: readonly unknown[]): void {
    for (const [response, topics] of this.#streams) if (topics.includes(topic)) writeBatch(response, topic, values)
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
    for (const response of [...this.#streams.keys(), ...this.#logs]) response.destroy()
  }

  #search(response: ServerResponse, query: URLSearchParams): void {
    const text = query.get('text') ?? ''
    const all = [...this.history, ...this.past].filter(line => isWithin(line, query) && line.text.includes(text))
    this.searched(response, all.reverse())
  }

  #historyFor(query: URLSearchParams): readonly LogLine[] {
    const all = [...this.history, ...this.past].filter(line => isWithin(line, query))
    return query.has('tail') ? all.slice(-Number(query.get('tail'))) : all
  }

  #answer(): void {
    this.daemon
      .on('GET /v1/stream', (response, { query }) => {
        const topics = query.getAll('topic')
        this.#streams.set(response, topics)
        response.once('close', () => this.#streams.delete(response))
        response.writeHead(200).flushHeaders()
        if (topics.includes('events') && !this.isSilent) this.greet()
        if (topics.includes('requests')) writeBatch(response, 'requests', this.requests)
      })
      .on('GET /v1/logs/search', (response, { query }) => {
        response.writeHead(200).flushHeaders()
        this.#search(response, query)
      })
      .on('GET /v1/logs', (response, { query }) => {
        if (!query.has('follow')) return void response.end(linesOf(this.#historyFor(query)))
        this.#logs.add(response)
        response.once('close', () => this.#logs.delete(response))
        response.writeHead(200).flushHeaders()
        const keys = query.getAll('service')
        this.#followed = keys
        this.#opened()
        if (query.has('resume')) return
        const lines = this.past.filter(({ service }) => keys.includes(service))
        response.write(lines.map(line => `${JSON.stringify(line)}\n`).join(''))
      })
  }
}

function isWithin({ time }: LogLine, query: URLSearchParams): boolean {
  return time >= (query.get('since') ?? '') && time <= (query.get('until') ?? '~')
}

/** Returns values as NDJSON. */
export function linesOf(values: readonly unknown[]): string {
  return values.map(value => `${JSON.stringify(value)}\n`).join('')
}

function writeBatch(response: ServerResponse, topic: string, values: readonly unknown[]): void {
  if (values.length > 0) response.write(`event: ${topic}\nid: 1\ndata: ${JSON.stringify(values)}\n\n`)
}
