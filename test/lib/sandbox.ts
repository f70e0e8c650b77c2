import { spawn } from 'node:child_process'
import { cpSync, existsSync, lchownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { LocaldEvent, LogLine, ServiceView } from '../../kernel/events.ts'
import type { ServerStatus } from '../../kernel/protocol.ts'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { nativeOfMac } from './native.ts'
import { type Process, processList } from './process-list.ts'
import { jsonLines, type Ran, Running } from './running.ts'
import { keepSweeping } from './sweeper.ts'
import { ordinaryUser, packageFor, type User } from './user.ts'
import { type Answer, fetchFrom } from './web.ts'

/** A part of tap's `t`. */
export interface Test {
  teardown(close: () => unknown): void
}

/** The platform that a daemon assumes. */
export type Platform = 'darwin' | 'linux'

/** Whether each daemon's runtime folder is emptied all the time, as by a cleaner. */
const isSwept = process.env['LOCALD_TEST_SWEEP'] === '1'
/** ms */
const sweptEveryMs = 2000

export interface SandboxOptions {
  /** The platform that the daemon assumes; default: this machine. */
  readonly platform?: Platform | undefined
  /** `self`: as the user who runs the tests, even root. Default: an ordinary user. */
  readonly user?: 'ordinary' | 'self'
  /** More environment for every command. */
  readonly env?: Readonly<Record<string, string>>
  /** Words before every command: where it is run, as whom. */
  readonly through?: (cwd: string, user: Pick<User, 'uid' | 'gid'>) => readonly string[]
  /** The CLI's main file; default: that of this package. */
  readonly main?: string
  /** The Node that runs locald; default: that of the tests. */
  readonly node?: string
}

export interface RunOptions {
  /** Default: the sandbox's home. */
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  /** Killed after so long; default 60 s. */
  readonly limitMs?: number
}

/** Made before any sandbox copies the package. */
const ofMac = nativeOfMac()

/** Files by their paths inside a project. */
export type Files = Readonly<Record<string, string>>

/**
 * A daemon, folders and ports of a test's own, used by the bundled CLI. The test fails unless all of it is removed at
 * its end.
 */
export class Sandbox {
  /** The home directory; everything is below it. */
  readonly home: string
  readonly name: string
  readonly user: User | undefined
  /** Undefined: this machine's own. */
  readonly platform: Platform | undefined
  readonly env: Readonly<Record<string, string>>
  /** The program of the CLI. */
  readonly main: string
  readonly #stopSweeping: () => void
  readonly #removals: (() => Promise<void>)[] = []
  readonly #through: SandboxOptions['through']
  readonly #node: string

  constructor(t: Test, options: SandboxOptions = {}) {
    this.user = options.user === 'self' ? undefined : ordinaryUser()
    this.home = mkdtempSync(join(tmpdir(), 'locald-e2e-'))
    this.own(this.home)
    this.name = `e2e-${this.home.slice(-6).toLowerCase()}`
    this.platform = options.platform
    this.#through = options.through
    this.#node = options.node ?? process.execPath
    const folder = options.main === undefined ? packageFor(this.user) : undefined
    this.main = options.main ?? join(folder ?? '', 'dist', 'cli', 'main.cjs')
    const isAsMac = this.platform === 'darwin' && folder !== undefined && ofMac !== undefined
    this.env = {
      ...this.#environment(),
      ...(isAsMac ? { LOCALD_NATIVE: join(folder, ofMac) } : {}),
      ...options.env,
    }
    this.#stopSweeping = isSwept ? keepSweeping(resolvePaths({ env: this.env }).runtime, sweptEveryMs) : () => {}
    t.teardown(() => this.#close())
  }

  /** Writes files as a project; the result is its folder. */
  project(name: string, files: Files): string {
    const folder = join(this.home, name)
    this.#folder(folder)
    for (const [path, text] of Object.entries(files)) this.write(join(folder, path), text)
    return folder
  }

  /** Writes a file, as the sandbox's user. */
  write(path: string, text: string, mode = 0o644): void {
    this.#folder(dirname(path))
    writeFileSync(path, text, { mode })
    this.own(path)
  }

  /** Copies a folder into the sandbox, or those of its files that a filter takes. */
  copy(from: string, name: string, filter: (path: string) => boolean = () => true): string {
    const folder = join(this.home, name)
    this.#folder(dirname(folder))
    cpSync(from, folder, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true, filter })
    this.own(folder)
    if (this.user !== undefined) {
      for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) this.own(join(folder, entry))
    }
    return folder
  }

  /** Starts a command of the CLI. */
  start(args: readonly string[], options: RunOptions = {}): Running {
    return this.spawn([this.#node, this.main, ...args], options)
  }

  /** Starts any program, as the sandbox's user and in its environment. */
  spawn(argv: readonly string[], options: RunOptions = {}): Running {
    const env = Object.entries({ ...this.env, ...options.env }).map(([key, value]) => `${key}=${value}`)
    const cwd = options.cwd ?? this.home
    const user = this.user ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
    const through = this.#through?.(cwd, user) ?? []
    // By env(1), as the programs in front need the tester's own environment.
    const [program = 'env', ...words] = [...through, 'env', '-i', ...env, ...argv]
    const child = spawn(program, words, { cwd, ...(this.user === undefined || this.#through ? {} : user) })
    child.stdin.on('error', () => {})
    child.stdin.end(options.input)
    return new Running(child, options.limitMs ?? 60_000)
  }

  /** Runs a command of the CLI as root, called by the sandbox's user through sudo(8). */
  async sudo(args: readonly string[], limitMs = 60_000): Promise<Ran> {
    const who = { uid: 0, gid: 0 }
    const own = { ...this.env, SUDO_UID: String(this.user?.uid ?? 0), HOME: '/root' }
    const env = Object.entries(own).map(([key, value]) => `${key}=${value}`)
    const words = [...(this.#through?.('/', who) ?? []), 'env', '-i', ...env, this.#node, this.main, ...args]
    const [program = 'env', ...rest] = words
    const child = spawn(program, rest, { cwd: '/' })
    child.stdin.end()
    return await new Running(child, limitMs).done
  }

  /** Runs a command of the CLI to its end. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return await this.start(args, options).done
  }

  /** As `run`; throws, with all it said, unless it ends with 0. */
  async ok(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const ran = await this.run(args, options)
    if (ran.code === 0) return ran
    throw new Error(`locald ${args.join(' ')}: ${ran.code ?? ran.signal}\n${ran.stdout}\n${ran.stderr}`)
  }

  /** `up --json` of a folder; its events. Throws unless all are ready. */
  async up(
    folder: string,
    services: readonly string[] = [],
    options: RunOptions = {},
  ): Promise<readonly LocaldEvent[]> {
    return jsonLines<LocaldEvent>(await this.ok(['up', ...services, '--json'], { cwd: folder, ...options }))
  }

  /** Returns `status --json` of a folder, or of all projects, stopped services included. */
  async status(folder?: string): Promise<readonly ServiceView[]> {
    const ran = await this.ok(['status', '--json', ...(folder === undefined ? ['--known'] : [])], {
      cwd: folder ?? this.home,
    })
    const { services }: { services: readonly ServiceView[] } = JSON.parse(ran.stdout)
    return services
  }

  /** One service's state. Throws where there is none of that name. */
  async service(folder: string, name: string): Promise<ServiceView> {
    const all = await this.status(folder)
    const found = all.find(view => view.name === name)
    if (found === undefined) throw new Error(`no service ${name} in ${JSON.stringify(all)}`)
    return found
  }

  async logs(folder: string, args: readonly string[] = []): Promise<readonly LogLine[]> {
    return jsonLines<LogLine>(await this.ok(['logs', '--json', ...args], { cwd: folder }))
  }

  async server(): Promise<ServerStatus> {
    return JSON.parse((await this.ok(['server', 'status', '--json'])).stdout)
  }

  /** The proxy's port. */
  async http(): Promise<number> {
    const { http } = await this.server()
    if (http === null) throw new Error('the proxy does not listen')
    return http
  }

  /** The proxy's port with TLS. */
  async https(): Promise<number> {
    const { https } = await this.server()
    if (https === null) throw new Error('the proxy does not listen with TLS')
    return https
  }

  /** Asks the proxy: `get('shop.localhost', '/api/products')`. */
  async get(host: string, path = '/', headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return await fetchFrom(await this.http(), host, path, headers)
  }

  /** Runs `remove` at the end, between the daemon's shutdown and the look for what is left. */
  atEnd(remove: () => Promise<void>): void {
    this.#removals.push(remove)
  }

  /** Processes of this sandbox: daemon, keepers, services, and what they left. */
  processes(): readonly Process[] {
    return processList.naming(this.home)
  }

  /** Gives a file to the sandbox's user. */
  own(path: string): void {
    if (this.user !== undefined) lchownSync(path, this.user.uid, this.user.gid)
  }

  #folder(path: string): void {
    const first = mkdirSync(path, { recursive: true })
    for (let at = path; first !== undefined && at.startsWith(first); at = dirname(at)) this.own(at)
  }

  /** Nothing of the tester's own environment but PATH, least of all what the test runner put there. */
  #environment(): Record<string, string> {
    const here = dirname(process.execPath)
    const name = this.user?.name ?? process.env['USER'] ?? 'root'
    const xdg = { XDG_DATA_HOME: 'data', XDG_CONFIG_HOME: 'config', XDG_CACHE_HOME: 'cache', XDG_RUNTIME_DIR: 'run' }
    const folders = Object.fromEntries(Object.entries(xdg).map(([key, folder]) => [key, join(this.home, folder)]))
    for (const folder of Object.values(folders)) this.#folder(folder)
    return {
      PATH: `${here}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      HOME: this.home,
      USER: name,
      LOGNAME: name,
      SHELL: '/bin/sh',
      LANG: 'C.UTF-8',
      // Where a folder is made when a socket's path would be too long.
      TMPDIR: this.home,
      LOCALD_SANDBOX: this.name,
      LOCALD_HTTP_PORT: '0',
      LOCALD_HTTPS_PORT: '0',
      // A Mac has no XDG folders: its own are used, which have a space in their path.
      ...((this.platform ?? process.platform) === 'darwin' ? {} : folders),
      ...(this.platform === undefined ? {} : { LOCALD_PLATFORM: this.platform }),
    }
  }

  /** Shuts the daemon down; also takes back what a killed daemon left. Throws when something lives on. */
  async #close(): Promise<void> {
    this.#stopSweeping()
    try {
      const said = this.processes().length === 0 ? [] : [await this.run(['server', 'shutdown'])]
      for (const remove of this.#removals) await remove()
      if (await this.#remains()) said.push(await this.run(['server', 'start']), await this.run(['server', 'shutdown']))
      const left = (await this.#remains()) ? this.processes() : []
      for (const { pid } of left) kill(pid)
      if (left.length === 0) return
      const list = left.map(({ pid, command }) => `  ${pid} ${command}`).join('\n')
      const words = said.map(ran => `${ran.code} ${ran.stdout}${ran.stderr}`).join('\n')
      throw new Error(`left behind by ${this.name}:\n${list}\n${words}`)
    } finally {
      if (existsSync(this.home)) rmSync(this.home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    }
  }

  /** Whether a process is still there after a while. */
  async #remains(): Promise<boolean> {
    const end = Date.now() + 5000
    while (this.processes().length > 0) {
      if (Date.now() > end) return true
      await new Promise(wake => setTimeout(wake, 50))
    }
    return false
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has exited already.
  }
}
