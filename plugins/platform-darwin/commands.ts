import { LocaldError } from '../../kernel/errors.ts'
import type { Socket } from './lsof.ts'
import { lsofArgs, parseLsof } from './lsof.ts'
import type { Row } from './ps.ts'
import { environmentArgs, parseRow, pidsWith, psArgs } from './ps.ts'

const toolMs = 5000

/**
 * Folders of every macOS's `ps` and `lsof`. Others of these names, of Nix, conda or a project, have other arguments and
 * columns.
 */
export const systemPath = '/usr/bin:/bin:/usr/sbin:/sbin'

/**
 * Returns the folders to search for `ps` and `lsof`: the system's first; in a sandbox, where a test may replace them,
 * those on PATH first.
 */
export function toolPath(path: string | undefined, sandbox: string | undefined): string {
  const all = sandbox === undefined ? [systemPath, path] : [path, systemPath]
  return all.filter(Boolean).join(':')
}

/**
 * Shares runs: one run serves all callers that came before it began; a caller during a run waits for the next, as the
 * current one may miss the latest changes.
 */
export class SharedRun<T> {
  readonly #run: () => Promise<T>
  #running: Promise<unknown> = Promise.resolve()
  #next: Promise<T> | undefined

  constructor(run: () => Promise<T>) {
    this.#run = run
  }

  get(): Promise<T> {
    if (this.#next !== undefined) return this.#next
    const begin = () => {
      this.#next = undefined
      return this.#run()
    }
    const next = this.#running.then(begin)
    this.#next = next
    this.#running = next.catch(() => undefined)
    return next
  }
}

/**
 * Runs the programs that list processes and sockets. Rejects with STEP_FAILED when a program fails or takes longer than
 * 5 s.
 */
export class Tools {
  readonly #env: Readonly<Record<string, string>>
  readonly #uid: number
  readonly #ps = new SharedRun(async () => {
    const rows: Row[] = []
    await this.#read('ps', psArgs, [0], line => {
      const row = parseRow(line)
      if (row !== undefined) rows.push(row)
    })
    // Without its entitlement Apple's ps omits columns silently; then all processes would seem to have exited.
    if (!rows.some(({ pid }) => pid === process.pid)) throw failure("unexpected output of 'ps'")
    return rows
  })
  /** By the variable's name; keeps only lines with it. */
  readonly #environments = new Map<string, SharedRun<readonly string[]>>()
  readonly #lsof = new SharedRun(async () => {
    const lines: string[] = []
    // It exits with 1 when nothing listens, and when it could not access something.
    await this.#read('lsof', lsofArgs, [0, 1], line => lines.push(line))
    return parseLsof(lines)
  })

  /** @param path folders of the programs */
  constructor(path = systemPath, uid = process.getuid?.() ?? 0) {
    // Dates must not depend on the daemon's language and time zone.
    this.#env = { PATH: path, LC_ALL: 'C', TZ: 'UTC' }
    this.#uid = uid
  }

  /** Returns all processes, zombies included. */
  ps(): Promise<readonly Row[]> {
    return this.#ps.get()
  }

  /**
   * Returns the pids of visible processes that were started with a variable, `NAME=value`; none where `ps` has no -E.
   */
  async given(variable: string): Promise<ReadonlySet<number>> {
    const name = variable.slice(0, variable.indexOf('=') + 1)
    const shared = this.#environments.get(name) ?? new SharedRun(() => this.#environmentsWith(name))
    this.#environments.set(name, shared)
    // The output of a failed run is full of secrets.
    return pidsWith(await shared.get().catch(() => []), variable)
  }

  /** Returns all visible listening TCP sockets. */
  lsof(): Promise<readonly Socket[]> {
    return this.#lsof.get()
  }

  async #environmentsWith(name: string): Promise<readonly string[]> {
    const lines: string[] = []
    await this.#read('ps', environmentArgs(this.#uid), [0], line => {
      if (line.includes(` ${name}`)) lines.push(line)
    })
    return lines
  }

  /** Reads line by line: the environments of all processes may take tens of megabytes. */
  async #read(
    program: string,
    args: readonly string[],
    codes: readonly number[],
    take: (line: string) => void,
  ): Promise<void> {
    const { execa } = await import('execa')
    const running = execa(program, args, {
      env: this.#env,
      extendEnv: false,
      stdin: 'ignore',
      stderr: 'ignore',
      timeout: toolMs,
      // A program that hangs in the kernel, as lsof on an unreachable file server, ignores other signals.
      killSignal: 'SIGKILL',
      buffer: false,
      reject: false,
    })
    for await (const line of running) take(line)
    const result = await running
    if (result.exitCode !== undefined && codes.includes(result.exitCode)) return
    const why = result.timedOut ? `timed out after ${toolMs / 1000} s` : 'failed'
    throw failure(`'${program}' ${why}`, result)
  }
}

function failure(message: string, cause?: unknown): LocaldError {
  return new LocaldError('STEP_FAILED', message, {
    hint: 'Run `locald doctor` to check the programs that locald needs.',
    cause,
  })
}
