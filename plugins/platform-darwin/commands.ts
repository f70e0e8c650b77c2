import { LocaldError } from '../../kernel/errors.ts'
import type { Socket } from './lsof.ts'
import { lsofArgs, parseLsof } from './lsof.ts'
import type { Row } from './ps.ts'
import { environmentArgs, parseRow, pidsWith, psArgs } from './ps.ts'

const toolMs = 5000

/** Where every macOS has `ps` and `lsof`. Others of these names, of Nix, conda or a project's folder, have other words and columns. */
export const systemPath = '/usr/bin:/bin:/usr/sbin:/sbin'

/** Where `ps` and `lsof` are looked for: the system's first; in a sandbox, which a test may give others, those on PATH. */
export function toolPath(path: string | undefined, sandbox: string | undefined): string {
  const all = sandbox === undefined ? [systemPath, path] : [path, systemPath]
  return all.filter(Boolean).join(':')
}

/**
 * One run serves all who asked before it began; who asks while it runs waits for the next, as this one may miss the
 * latest.
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
 * The programs that show processes and sockets. Each rejects with STEP_FAILED when its program gives no answer in 5 s.
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
    // Apple's ps leaves columns out without a word where it has lost its entitlement; then all processes would seem to be gone.
    if (!rows.some(({ pid }) => pid === process.pid)) throw failure("'ps' writes what locald cannot read")
    return rows
  })
  /** By the name of the variable; only lines that have it are kept. */
  readonly #environments = new Map<string, SharedRun<readonly string[]>>()
  readonly #lsof = new SharedRun(async () => {
    const lines: string[] = []
    // It exits with 1 when nothing listens, and when something could not be looked into.
    await this.#read('lsof', lsofArgs, [0, 1], line => lines.push(line))
    return parseLsof(lines)
  })

  /** `path`: where the programs are looked for. */
  constructor(path = systemPath, uid = process.getuid?.() ?? 0) {
    // Dates must not depend on the language, nor on the time zone the daemon happens to be in.
    this.#env = { PATH: path, LC_ALL: 'C', TZ: 'UTC' }
    this.#uid = uid
  }

  /** All processes, zombies included. */
  ps(): Promise<readonly Row[]> {
    return this.#ps.get()
  }

  /** The pids of the processes that are seen to have been given a variable, `NAME=value`; none where `ps` has no -E. */
  async given(variable: string): Promise<ReadonlySet<number>> {
    const name = variable.slice(0, variable.indexOf('=') + 1)
    const shared = this.#environments.get(name) ?? new SharedRun(() => this.#environmentsWith(name))
    this.#environments.set(name, shared)
    // What a failed run has said is full of secrets.
    return pidsWith(await shared.get().catch(() => []), variable)
  }

  /** All listening TCP sockets we may see. */
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

  /** Line by line: what all processes were given may take tens of megabytes. */
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
      // One that hangs in the kernel, as lsof on a server that is away, ignores what can be ignored.
      killSignal: 'SIGKILL',
      buffer: false,
      reject: false,
    })
    for await (const line of running) take(line)
    const result = await running
    if (result.exitCode !== undefined && codes.includes(result.exitCode)) return
    const why = result.timedOut ? `gave no answer in ${toolMs / 1000} s` : 'failed'
    throw failure(`'${program}' ${why}`, result)
  }
}

function failure(message: string, cause?: unknown): LocaldError {
  return new LocaldError('STEP_FAILED', message, {
    hint: '`locald doctor` checks the programs that locald needs.',
    cause,
  })
}
