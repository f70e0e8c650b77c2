import { type ChildProcess, spawn } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { systemCode } from '../../kernel/errors.ts'
import { KeeperConnection } from './keeper-connection.ts'

/** A program to start: its words (the first is its absolute path), folder and environment. None may contain a NUL. */
export interface Launch {
  readonly argv: readonly string[]
  readonly dir: string
  readonly env: Readonly<Record<string, string>>
}

/** So many keepers are started at once: the queue of connections to a socket has an end (listen(2); 128 on macOS). */
const maxConcurrent = 64

/**
 * Starts keepers through a small process of its own (`locald-keeper starter`), which ends with the daemon. Node forks the daemon
 * itself, which with 100 MB takes 2 ms of CPU and holds up all else it does.
 */
export class KeeperStarter {
  readonly #keeper: string
  readonly #socket: () => string
  #listening: Promise<string> | undefined
  #child: ChildProcess | undefined
  #free = maxConcurrent
  #problem: string | undefined
  readonly #waiting: (() => void)[] = []

  /** `keeper`: the program; `socket`: where a starter listens, another path for each: one that ends removes its own. */
  constructor(keeper: string, socket: () => string) {
    this.#keeper = keeper
    this.#socket = socket
  }

  /** A connection to a new keeper; undefined when there is no starter to be had. The keeper tells what went wrong else. */
  async start(launch: Launch): Promise<KeeperConnection | undefined> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
    // A starter that was killed is replaced, once.
    const socket = (await this.#reach()) ?? (await this.#reach())
    if (socket === undefined) {
      this.#next()
      return undefined
    }
    socket.write(requestOf(launch))
    const connection = new KeeperConnection(socket)
    const release = () => {
      socket.off('data', release).off('close', release)
      this.#next()
    }
    socket.on('data', release).on('close', release)
    return connection
  }

  /** Why there was no starter to be had the last time, such as EMFILE. */
  get problem(): string | undefined {
    return this.#problem
  }

  #next(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }

  async #reach(): Promise<Socket | undefined> {
    this.#listening ??= this.#listen(this.#socket())
    const listening = this.#listening
    const path = await listening
    return new Promise(resolve => {
      const socket = connect(path)
      socket.once('connect', () => resolve(socket))
      socket.once('error', error => {
        // Another that was refused may have replaced it meanwhile.
        if (this.#listening === listening) this.#listening = undefined
        this.#problem ??= systemCode(error)
        resolve(undefined)
      })
    })
  }

  /** Resolves with its socket's path when a starter listens there, or has failed. */
  #listen(path: string): Promise<string> {
    // One whose socket was removed ends with its input, and removes its path.
    this.#child?.stdin?.destroy()
    return new Promise(resolve => {
      const child = spawn(this.#keeper, ['starter', path], {
        cwd: '/',
        env: {},
        detached: true,
        stdio: ['pipe', 'pipe', 'ignore'],
      })
      this.#child = child
      this.#problem = undefined
      child.once('error', error => {
        this.#problem = systemCode(error)
        resolve(path)
      })
      // Without a descriptor left there are no pipes.
      if (child.pid === undefined) return
      child.stdin.on('error', () => {})
      // It closes its output once it listens.
      child.stdout.resume().once('close', () => resolve(path))
      child.unref()
    })
  }
}

/** The request, as `native/keeper/request.h` has it. */
function requestOf({ argv, dir, env }: Launch): Buffer {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const body = Buffer.from([dir, ...argv, ...variables].map(text => `${text}\0`).join(''))
  const head = Buffer.alloc(12)
  for (const [index, number] of [body.length, argv.length, variables.length].entries())
    head.writeUInt32LE(number, index * 4)
  return Buffer.concat([head, body])
}
