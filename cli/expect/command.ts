import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { LocaldError } from '../../kernel/errors.ts'
import { describeStartError, exitCodeOf } from '../daemon/child-exit.ts'
import { type GroupBefore, ownGroup, startedBy } from './started-processes.ts'

/** After SIGTERM, and again after SIGKILL: ms. */
const graceMs = 2000
/** How often is looked for what still runs: ms. */
const lookMs = 50
/** The exit code of SIGKILL. */
const killedCode = 137
const passed = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** How a command is started: `hasOwnStdout`: otherwise its output goes to stderr, as stdout is for JSON. */
export interface CommandOptions {
  readonly cwd: string
  readonly hasOwnStdout: boolean
}

/** The command whose effects are watched. */
export class Command {
  readonly #child: ChildProcess
  readonly #before: GroupBefore
  /** Its exit code, before what it has started is looked at. */
  readonly #exit: Promise<number>
  /** The first signal to locald. */
  #signal: NodeJS.Signals | undefined
  #stopped: Promise<void> | undefined
  /**
   * Its exit code. After a signal to locald, what it has started has exited as well; the code is that of the signal where
   * the command ignored it. Rejects where it does not start.
   */
  readonly exited: Promise<number>

  /**
   * Starts it: on a terminal in this process group, whose processes Ctrl-C reaches and which may use the terminal, else
   * in a group of its own.
   */
  static async start(argv: readonly string[], options: CommandOptions): Promise<Command> {
    return new Command(argv, options, process.stdin.isTTY === true ? await ownGroup() : undefined)
  }

  private constructor(
    [program = '', ...args]: readonly string[],
    { cwd, hasOwnStdout }: CommandOptions,
    shared: GroupBefore | undefined,
  ) {
    const pass = (signal: NodeJS.Signals): void => {
      this.#signal ??= signal
      // On a terminal Ctrl-C has reached it already.
      if (signal !== 'SIGINT' || shared === undefined) this.#child.kill(signal)
      // Ctrl-C may have a meaning of its own in the command.
      if (signal !== 'SIGINT') this.#stopped ??= this.#stop()
    }
    // Before it starts: a signal may follow its first output at once.
    for (const signal of passed) process.on(signal, pass)
    const child = spawn(program, args, {
      cwd,
      detached: shared === undefined,
      stdio: ['inherit', hasOwnStdout ? 'inherit' : process.stderr, 'inherit'],
    })
    this.#child = child
    this.#before = shared ?? { group: child.pid, pids: new Set([process.pid]) }
    this.#exit = new Promise<number>((resolve, reject) => {
      child.once('error', error => reject(startError(program, error)))
      child.once('exit', (code, signal) => resolve(exitCodeOf(code, signal)))
    })
    this.exited = this.#exit
      .then(async code => {
        if (this.#signal === undefined) return code
        await this.stop()
        return code === killedCode ? exitCodeOf(null, this.#signal) : code
      })
      .finally(() => {
        for (const signal of passed) process.off(signal, pass)
      })
  }

  /** Stops it and what it has started; resolves when all have exited. */
  stop(): Promise<void> {
    if (this.#stopped === undefined) this.#child.kill('SIGTERM')
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  /** The same, of a command that has got a signal. */
  async #stop(): Promise<void> {
    const { pid } = this.#child
    if (pid === undefined) return
    const begunMs = performance.now()
    const signaled = new Set([pid])
    let ms = 0
    for (; ms < 2 * graceMs; ms = performance.now() - begunMs) {
      const left = await startedBy(pid, this.#before)
      if (left.length === 0) break
      for (const each of left) if (ms > graceMs || !signaled.has(each)) send(each, ms > graceMs ? 'SIGKILL' : 'SIGTERM')
      for (const each of left) signaled.add(each)
      await delay(lookMs)
    }
    // Where there is no list of processes.
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), Math.max(0, graceMs - ms))
    await this.#exit.finally(() => clearTimeout(timer))
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has exited meanwhile.
  }
}

function startError(program: string, error: Error): LocaldError {
  return new LocaldError('SPAWN_FAILED', describeStartError(program, error), {
    hint: 'Check the words after `--`.',
    cause: error,
  })
}
