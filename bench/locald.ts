import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli } from './folders.ts'
import { until } from './measure.ts'
import { processesWith, type Used } from './processes.ts'

/** The fields of a service in `status --json` that benches use. */
export interface Seen {
  readonly name: string
  readonly port: number
  readonly pid: number
  readonly status: string
}

/** A separate home with a daemon and one project. Close it when done. */
export class Locald {
  readonly home = mkdtempSync(join(tmpdir(), `locald-bench-${process.pid}-`))
  readonly env: NodeJS.ProcessEnv
  readonly project = join(this.home, 'bench')
  #socket: string | undefined

  /** Creates the home; `toml` is the project's file, `config` the user's `config.toml`. */
  constructor(toml: string, config?: string) {
    mkdirSync(this.project)
    const folder = join(this.home, 'locald', 'sandboxes', 'bench', 'config')
    if (config !== undefined) mkdirSync(folder, { recursive: true })
    if (config !== undefined) writeFileSync(join(folder, 'config.toml'), config)
    writeFileSync(join(this.project, 'locald.toml'), toml)
    const { PATH } = process.env
    const xdg = { XDG_DATA_HOME: this.home, XDG_CONFIG_HOME: this.home, XDG_RUNTIME_DIR: this.home }
    this.env = { PATH, HOME: this.home, ...xdg, LOCALD_SANDBOX: 'bench', LOCALD_HTTP_PORT: '0', LOCALD_HTTPS_PORT: '0' }
  }

  /** Runs a command and returns its output. Throws, with all of its output, when it fails. */
  run(...words: readonly string[]): string {
    return this.runIn(this.project, ...words)
  }

  /** Like `run`, in another folder. */
  runIn(cwd: string, ...words: readonly string[]): string {
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, [cli, ...words], {
      cwd,
      env: this.env,
      encoding: 'utf8',
    })
    if (status === 0) return stdout
    throw new Error(`locald ${words.join(' ')}: ${status ?? signal}\n${stdout}\n${stderr}`)
  }

  /** Starts a command. */
  start(...words: readonly string[]): ChildProcess {
    return spawn(process.execPath, [cli, ...words], { cwd: this.project, env: this.env, stdio: 'ignore' })
  }

  services(): readonly Seen[] {
    const { services }: { services: readonly Seen[] } = JSON.parse(this.run('status', '--json'))
    return services
  }

  /** Returns the running processes of this home: the daemon, keepers, services. */
  processes(): readonly Used[] {
    return processesWith(this.home)
  }

  daemon(): Used {
    const found = this.processes().find(({ command }) => command.includes('kernel/daemon.js'))
    if (found === undefined) throw new Error('no daemon')
    return found
  }

  /** Sends a request to the daemon, without the CLI; resolves with the whole response. */
  ask(method: 'GET' | 'POST', path: string, body?: unknown): Promise<string> {
    this.#socket ??= socketOf(this.run('server', 'status', '--json'))
    const socketPath = this.#socket
    return new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': 'application/json' }
      const asked = request({ socketPath, method, path, headers, agent: false }, answer => {
        let text = ''
        answer.setEncoding('utf8').on('data', piece => {
          text += piece
        })
        answer.on('end', () => (answer.statusCode === 200 ? resolve(text) : reject(new Error(text))))
      })
      asked.on('error', reject)
      asked.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }

  /** Returns the folder of a service's log. */
  logs(service: string): string {
    return join(this.home, 'locald', 'sandboxes', 'bench', 'data', 'logs', 'bench', service)
  }

  daemonLog(): string {
    return readFileSync(join(this.home, 'locald', 'sandboxes', 'bench', 'data', 'daemon.log'), 'utf8')
  }

  /** Stops all processes and removes the home. */
  async close(): Promise<void> {
    this.run('server', 'shutdown')
    await until('the exit of locald', () => this.processes().length === 0)
    rmSync(this.home, { recursive: true, force: true })
  }
}

/** Returns a project file with trivial listeners on these ports. */
export function listeners(ports: readonly number[], listener: string): string {
  const services = ports.map(
    (port, index) => `[services.s${index + 1}]\nport = ${port}\ncommand = "exec ${listener}"\n`,
  )
  return `[project]\nname = "bench"\n${services.join('')}`
}

function socketOf(status: string): string {
  const { socket }: { socket: string } = JSON.parse(status)
  return socket
}
