import { type ChildProcess, spawn } from 'node:child_process'
import { LocaldError } from '../../kernel/errors.ts'
import { describeStartError, exitCodeOf } from '../daemon/child-exit.ts'

/** After SIGTERM, ms. */
const graceMs = 2000
const passed = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The command whose effects are watched. */
export class Command {
  readonly #child: ChildProcess
  /** Whether it has a process group of its own: not on a terminal, whose Ctrl-C then reaches it without locald. */
  readonly #isGroup = process.stdin.isTTY !== true
  /** Its exit code. Rejects where it does not start. */
  readonly exited: Promise<number>

  /** @param hasOwnStdout otherwise its output goes to stderr, as stdout is for JSON */
  constructor(
    [program = '', ...args]: readonly string[],
    { cwd, hasOwnStdout }: { readonly cwd: string; readonly hasOwnStdout: boolean },
  ) {
    const child = spawn(program, args, {
      cwd,
      detached: this.#isGroup,
      stdio: ['inherit', hasOwnStdout ? 'inherit' : process.stderr, 'inherit'],
    })
    this.#child = child
    const pass = (signal: NodeJS.Signals): void => {
      if (signal !== 'SIGINT' || this.#isGroup) this.#kill(signal)
    }
    for (const signal of passed) process.on(signal, pass)
    this.exited = new Promise<number>((resolve, reject) => {
      child.once('error', error => reject(startError(program, error)))
      child.once('exit', (code, signal) => resolve(exitCodeOf(code, signal)))
    }).finally(() => {
      for (const signal of passed) process.off(signal, pass)
    })
  }

  /** Stops it and what it has started; resolves when it has exited. */
  async stop(): Promise<void> {
    this.#kill('SIGTERM')
    const timer = setTimeout(() => this.#kill('SIGKILL'), graceMs)
    await this.exited.finally(() => clearTimeout(timer))
  }

  #kill(signal: NodeJS.Signals): void {
    const { pid } = this.#child
    if (!this.#isGroup || pid === undefined) return void this.#child.kill(signal)
    try {
      process.kill(-pid, signal)
    } catch {
      // All of the group have exited.
    }
  }
}

function startError(program: string, error: Error): LocaldError {
  return new LocaldError('SPAWN_FAILED', describeStartError(program, error), {
    hint: 'Check the words after `--`.',
    cause: error,
  })
}
