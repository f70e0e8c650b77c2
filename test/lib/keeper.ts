/** Runs real keepers in tests: sends commands, receives events; nothing of them outlives a test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createConnection, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Variant } from './keeper-programs.ts'
import { processList } from './process-list.ts'

/** One event of a keeper, as it came. */
export type KeeperEvent = Readonly<Record<string, unknown>> & { readonly event: string }

/** A temporary folder with a short path, for sockets. */
export function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'keeper-'))
}

/** A temporary folder with a short path, for the length of a test. */
export function ownFolder(t: Pick<Test, 'teardown'>): string {
  const folder = makeFolder()
  t.teardown(() => removeFolder(folder))
  return folder
}

/** This environment without what the test runner put in. */
export function cleanEnvironment(more: Record<string, string> = {}): Record<string, string> {
  const clean: Record<string, string> = {}
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && !/^(NODE_|TAP|npm_)/.test(name)) clean[name] = value
  return { ...clean, ...more }
}

/** True while a process exists and is no zombie. */
export function isAlive(pid: number): boolean {
  return processList.isAlive(pid)
}

/** A control connection: events in order, each taken once. */
export class ControlConnection {
  readonly socket: Socket
  readonly events: KeeperEvent[] = []
  /** True once the other side has disconnected. */
  closed = false
  private text = ''
  private wake: () => void = () => {}

  constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding('utf8')
    socket.on('error', () => {})
    socket.on('data', data => this.take(String(data)))
    socket.on('close', () => {
      this.closed = true
      this.wake()
    })
  }

  private take(data: string): void {
    const lines = (this.text + data).split('\n')
    this.text = lines.pop() ?? ''
    for (const line of lines) {
      const event: KeeperEvent = JSON.parse(line)
      this.events.push(event)
    }
    this.wake()
  }

  send(command: string): void {
    this.socket.write(`${command}\n`)
  }

  /** Takes the first event of this name, which may still have to come. Others are left. */
  async next(name: string, limitMs = 10_000): Promise<KeeperEvent> {
    const end = Date.now() + limitMs
    for (;;) {
      const at = this.events.findIndex(event => event.event === name)
      const [found] = at < 0 ? [] : this.events.splice(at, 1)
      if (found !== undefined) return found
      const left = end - Date.now()
      if (this.closed || left <= 0)
        throw new Error(`no ${name} event; ${this.closed ? 'closed' : 'open'}: ${JSON.stringify(this.events)}`)
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, left)
        this.wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  async state(): Promise<KeeperEvent> {
    this.send('state')
    return this.next('state')
  }
}

export interface KeeperOptions {
  readonly variant: Variant
  readonly dir: string
  readonly args?: readonly string[]
  readonly env?: Record<string, string>
  readonly cwd?: string
  /** Its log file; default: `log` in the folder. */
  readonly log?: string
  /** Words before the keeper's own, such as `['sh', '-c', 'ulimit -f 1; exec "$@"', 'sh']`. */
  readonly through?: readonly string[]
}

/** A running keeper with its log, socket and exit record in a folder. */
export class Keeper {
  readonly line: ControlConnection
  readonly process: ChildProcess
  readonly logPath: string
  readonly socketPath: string
  readonly exitPath: string
  /** The keeper's own exit code, and what it wrote to standard error. */
  readonly done: Promise<{ code: number | null; errors: string }>

  constructor(options: KeeperOptions, program: readonly string[]) {
    const { dir } = options
    this.logPath = options.log ?? join(dir, 'log')
    this.socketPath = join(dir, 'sock')
    this.exitPath = join(dir, 'exit.json')
    const args = ['run', '--log', this.logPath, '--socket', this.socketPath, '--exit', this.exitPath]
    const words = [...(options.through ?? []), options.variant.path, ...args, ...(options.args ?? []), '--', ...program]
    const child = spawn(words[0] ?? '', words.slice(1), {
      cwd: options.cwd ?? dir,
      env: cleanEnvironment(options.env),
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    })
    this.process = child
    const first = child.stdio[3]
    if (!(first instanceof Socket)) throw new Error('no fd 3')
    this.line = new ControlConnection(first)
    this.done = new Promise(resolve => {
      let errors = ''
      child.stderr?.on('data', data => (errors += data))
      child.on('close', code => resolve({ code, errors }))
    })
  }

  get log(): string {
    return existsSync(this.logPath) ? readFileSync(this.logPath, 'utf8') : ''
  }

  /** The log as [stream, tag, text]. Throws at a line that is not an entry. */
  get entries(): [string, string, string][] {
    return this.log
      .split('\n')
      .slice(0, -1)
      .map(line => {
        const [, stream, tag, text] =
          /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z (stdout|stderr) ([FP]) (.*)$/s.exec(line) ?? []
        if (stream === undefined || tag === undefined || text === undefined) throw new Error(`not an entry: ${line}`)
        return [stream, tag, text]
      })
  }

  /** Waits until the log has it, woken by pokes. */
  async logged(what: RegExp | string): Promise<void> {
    const found = () => (typeof what === 'string' ? this.log.includes(what) : what.test(this.log))
    for (;;) {
      this.line.send('poke')
      await this.line.state()
      if (found()) return
      await this.line.next('log')
    }
  }

  /** Another connection to the control socket. */
  async connect(): Promise<ControlConnection> {
    const socket = createConnection(this.socketPath)
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return new ControlConnection(socket)
  }

  /** Stops the service if needed, and checks that the keeper exited cleanly. */
  async end(): Promise<{ code: number | null; errors: string }> {
    if (this.process.exitCode === null && !this.line.closed) this.line.send('stop 9 0')
    const limit = setTimeout(() => this.process.kill('SIGKILL'), 20_000)
    const done = await this.done
    clearTimeout(limit)
    if (/Sanitizer|runtime error/.test(done.errors)) throw new Error(done.errors)
    return done
  }
}

/** Removes a folder of a test. */
export function removeFolder(dir: string): void {
  rmSync(dir, { recursive: true, force: true })
}

/** Starts a keeper in the folder of its subtest. */
export type Start = (program: readonly string[], options?: Partial<KeeperOptions>) => Keeper

/** Runs tests with each of these variants of the keeper; one that cannot be built is skipped. */
export function eachVariant(
  t: Test,
  all: readonly (Variant | undefined)[],
  tests: (t: Test, variant: Variant) => void | Promise<void>,
): void {
  for (const variant of all) {
    const skip = variant === undefined && 'the compiler has no sanitizers'
    t.test(variant?.name ?? 'sanitized', { skip }, async t => {
      if (variant !== undefined) await tests(t, variant)
    })
  }
}

/** Registers a subtest with its own folder; stops and removes what it started. `skip`: why not to run it. */
export function keeperTest(
  t: Test,
  variant: Variant,
  name: string,
  body: (t: Test, start: Start, dir: string) => Promise<void>,
  skip: string | false = false,
): void {
  t.test(name, { skip }, async t => {
    const dir = makeFolder()
    const all: Keeper[] = []
    t.teardown(async () => {
      await Promise.all(all.map(one => one.end()))
      removeFolder(dir)
    })
    const start: Start = (program, options = {}) => {
      const one = new Keeper({ variant, dir, ...options }, program)
      all.push(one)
      return one
    }
    await body(t, start, dir)
  })
}
