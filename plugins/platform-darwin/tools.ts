import { LocaldError } from '../../kernel/errors.ts'
import type { Socket } from './lsof.ts'
import { lsofArgs, parseLsof } from './lsof.ts'
import type { Row } from './ps.ts'
import { environmentArgs, parsePs, pidsWith, psArgs } from './ps.ts'

const toolMs = 5000
const maxBytes = 16 * 1024 * 1024

/** Where macOS has `ps` and `lsof`; a launchd agent's PATH may lack the second. */
const systemPath = '/usr/bin:/bin:/usr/sbin:/sbin'

/**
 * One run serves all who asked before it began; who asks while it runs waits for the next, as this one may miss the
 * latest.
 */
export class Shared<T> {
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
  readonly #ps = new Shared(async () => parsePs(await this.#output('ps', psArgs, [0])))
  readonly #environments = new Shared(() => this.#output('ps', environmentArgs, [0]))
  // It exits with 1 when nothing listens, and when something could not be looked into.
  readonly #lsof = new Shared(async () => parseLsof(await this.#output('lsof', lsofArgs, [0, 1])))

  /** `path`: the daemon's PATH. */
  constructor(path: string | undefined) {
    // Dates must not depend on the language, nor on the time zone the daemon happens to be in.
    this.#env = { PATH: path === undefined ? systemPath : `${path}:${systemPath}`, LC_ALL: 'C', TZ: 'UTC' }
  }

  /** All processes, zombies included. */
  ps(): Promise<readonly Row[]> {
    return this.#ps.get()
  }

  /** The pids of the processes that are seen to have been given a variable, `NAME=value`; none where `ps` has no -E. */
  async given(variable: string): Promise<ReadonlySet<number>> {
    // What a failed run has said is full of secrets.
    return pidsWith(await this.#environments.get().catch(() => ''), variable)
  }

  /** All listening TCP sockets we may see. */
  lsof(): Promise<readonly Socket[]> {
    return this.#lsof.get()
  }

  async #output(program: string, args: readonly string[], codes: readonly number[]): Promise<string> {
    const { execa } = await import('execa')
    const result = await execa(program, args, {
      env: this.#env,
      extendEnv: false,
      stdin: 'ignore',
      stderr: 'ignore',
      timeout: toolMs,
      maxBuffer: maxBytes,
      reject: false,
    })
    if (result.exitCode !== undefined && codes.includes(result.exitCode)) return result.stdout
    const why = result.timedOut ? `gave no answer in ${toolMs / 1000} s` : 'failed'
    throw new LocaldError('STEP_FAILED', `'${program}' ${why}`, {
      hint: '`locald doctor` checks the programs that locald needs.',
      cause: result,
    })
  }
}
