import { type ChildProcess, spawn } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { systemCode } from '../../kernel/errors.ts'
import { KeeperConnection } from './keeper-connection.ts'

/**
 * A program to start: its command (the first word is an absolute path), folder and environment. None may contain a NUL.
 */
export interface Launch {
  readonly argv: readonly string[]
  readonly dir: string
  readonly env: Readonly<Record<string, string>>
}

/** Keepers that start concurrently: the queue of connections to a socket is limited (listen(2); 128 on macOS). */
const maxConcurrent = 64

/**
 * Starts keepers through a small process of its own (`locald-keeper starter`), which exits with the daemon. Node would
 * fork the daemon itself, which with 100 MB takes 2 ms of CPU and blocks everything else.
 */
export class KeeperStarter {
  readonly #keeper: string
  readonly #socket: () => string
  #listening: Promise<string> | undefined
  #child: ChildProcess | undefined
  #free = maxConcurrent
  #problem: string | undefined
  readonly #waiting: (() => void)[] = []

  /**
   * @param keeper the program
   * @param socket returns a path for a starter to listen on, another one for each: a starter that exits deletes its own
   */
  constructor(keeper: string, socket: () => string) {
    this.#keeper = keeper
    this.#socket = socket
  }

  /** Returns a connection to a new keeper, which reports its own failures; undefined when no starter is available. */
  async start(launch: Launch): Promise<KeeperConnection | undefined> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
    // A starter that was killed is replaced once.
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

  /** Why the last starter failed, such as EMFILE. */
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
        // Another call that was refused may have replaced it meanwhile.
        if (this.#listening === listening) this.#listening = undefined
        this.#problem ??= systemCode(error)
        resolve(undefined)
      })
    })
  }

  /** Resolves with the socket's path when a starter listens there, or has failed. */
  #listen(path: string): Promise<string> {
    // A starter whose socket was deleted exits with its input, and deletes its path.
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
      // Without free descriptors there are no pipes.
      if (child.pid === undefined) return
      child.stdin.on('error', () => {})
      // It closes its output once it listens.
      child.stdout.resume().once('close', () => resolve(path))
      child.unref()
    })
  }
}

/** Encodes a request as `native/keeper/request.h` defines it. */
function requestOf({ argv, dir, env }: Launch): Buffer {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const body = Buffer.from([dir, ...argv, ...variables].map(text => `${text}\0`).join(''))
  const head = Buffer.alloc(12)
  for (const [index, number] of [body.length, argv.length, variables.length].entries())
    head.writeUInt32LE(number, index * 4)
  return Buffer.concat([head, body])
}
