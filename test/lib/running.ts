import type { ChildProcess } from 'node:child_process'

/** The exit of a command and its output. */
export interface Ran {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

/** Waits until `look()` gives something, for what has no event. Throws with `what` after the limit. */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  limitMs = 15_000,
): Promise<Exclude<T, undefined | null | false>> {
  const end = Date.now() + limitMs
  for (let pauseMs = 5; ; pauseMs = Math.min(20, pauseMs + 1)) {
    const seen = await look()
    if (isSomething(seen)) return seen
    if (Date.now() > end) throw new Error(`timed out waiting for ${what}`)
    await new Promise(wake => setTimeout(wake, pauseMs))
  }
}

/** A command of the CLI that runs. */
export class Running {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''
  readonly done: Promise<Ran>

  constructor(child: ChildProcess, limitMs: number) {
    this.child = child
    child.stdout?.setEncoding('utf8').on('data', text => {
      this.stdout += text
    })
    child.stderr?.setEncoding('utf8').on('data', text => {
      this.stderr += text
    })
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs)
    this.done = new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => {
        clearTimeout(timer)
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr })
      })
    })
  }

  /** Waits until stdout has it. */
  async prints(what: RegExp | string, limitMs?: number): Promise<void> {
    const has = () => (typeof what === 'string' ? this.stdout.includes(what) : what.test(this.stdout))
    await until(`${what} in ${JSON.stringify(this.stdout.slice(-2000))} ${this.stderr.slice(-2000)}`, has, limitMs)
  }
}

function isSomething<T>(seen: T): seen is Exclude<T, undefined | null | false> {
  return seen !== undefined && seen !== null && seen !== false
}

/** Returns what a command printed as JSON, one value in each line. */
export function jsonLines<T>(ran: Ran): readonly T[] {
  return ran.stdout
    .split('\n')
    .filter(line => line !== '')
    .map((line): T => JSON.parse(line))
}
