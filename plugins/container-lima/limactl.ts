import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import type { Argv } from '../../kernel/contract/plugin.ts'
import { messageOf } from '../../kernel/errors.ts'
import { instance } from './lima-home.ts'
import { readLine } from './limactl-log.ts'

/** How limactl is run. */
export interface LimactlRun {
  readonly timeoutMs: number
  readonly input?: string
  readonly signal?: AbortSignal | undefined
  /** Gets each line of its log as it is written. */
  readonly onLog?: (text: string) => void
  /** Its log is text: it has what JSON leaves out. */
  readonly isText?: boolean
  /** More variables. */
  readonly env?: Readonly<Record<string, string>>
}

/** The outcome of a run. */
export interface LimactlResult {
  /** Null: it could not be started, or it was killed. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** Why `code` is null. */
  readonly failure?: string
  readonly isLate?: boolean
}

/** The rest of a long output is left out: characters. */
const maxOutput = 8 * 1024 * 1024
/** Variables of the caller's by which Lima would be another one: its wrapper's, and where its data is. */
const dropped = /^(?:LIMA_(?!SSH_)\w+|LIMACTL)$/

/** limactl with locald's LIMA_HOME. It never reads a terminal. */
export class Limactl {
  readonly program: string
  readonly env: Readonly<Record<string, string>>

  constructor(program: string, limaHome: string, env: NodeJS.ProcessEnv) {
    this.program = program
    const kept = Object.entries(env).flatMap(([name, value]) =>
      value === undefined || dropped.test(name) ? [] : [[name, value]],
    )
    this.env = { ...Object.fromEntries(kept), LIMA_HOME: limaHome }
  }

  /** Returns the command line of a verb. */
  argv(...words: readonly string[]): Argv {
    return [this.program, '--tty=false', '--log-format', 'json', ...words]
  }

  /**
   * Returns the command line of a program in the VM. Without `--workdir` limactl tries to enter this machine's working
   * folder there; it quotes the words itself, and allocates a terminal where its own stdout is one (lima:
   * cmd/limactl/shell.go).
   */
  shellArgv(words: readonly string[], isReconnect = false): Argv {
    const reconnect = isReconnect ? ['--reconnect'] : []
    return [this.program, '--tty=false', 'shell', ...reconnect, '--workdir', '/', instance, ...words]
  }

  /** Runs a verb. Never rejects. */
  run(words: readonly string[], run: LimactlRun): Promise<LimactlResult> {
    const argv: Argv = run.isText === true ? [this.program, '--tty=false', ...words] : this.argv(...words)
    return runArgv(argv, { ...run, env: { ...this.env, ...run.env } })
  }

  /** Runs a program in the VM. Never rejects. */
  shell(words: readonly string[], run: LimactlRun & { readonly isReconnect?: boolean }): Promise<LimactlResult> {
    return runArgv(this.shellArgv(words, run.isReconnect), { ...run, env: { ...this.env, ...run.env } })
  }
}

function runArgv([program, ...args]: Argv, run: LimactlRun): Promise<LimactlResult> {
  return new Promise(resolve => {
    let [stdout, stderr, rest] = ['', '', '']
    let failure: string | undefined
    let isLate = false
    // A group of its own: `shell` has an ssh, which must not outlive it. Lima gives the host agent another group.
    const child = spawn(program, args, { env: run.env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
    const stop = (why: string) => {
      failure ??= why
      kill(child)
    }
    const timer = setTimeout(() => {
      isLate = true
      stop(`did not finish within ${run.timeoutMs / 1000} s`)
    }, run.timeoutMs)
    const onAbort = () => stop('cancelled')
    run.signal?.addEventListener('abort', onAbort, { once: true })
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout = (stdout + text).slice(-maxOutput)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-maxOutput)
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const read = readLine(line)
        if (read !== undefined) run.onLog?.(read.text)
      }
    })
    child.on('error', error => {
      failure ??= messageOf(error)
    })
    // It may exit without reading its input.
    child.stdin.on('error', () => {})
    child.stdin.end(run.input ?? '')
    child.on('close', code => {
      clearTimeout(timer)
      run.signal?.removeEventListener('abort', onAbort)
      const exit = failure === undefined ? code : null
      const why = failure ?? (code === null ? 'was killed' : undefined)
      resolve({ code: exit, stdout, stderr, isLate, ...(why === undefined ? {} : { failure: why }) })
    })
    if (run.signal?.aborted) onAbort()
  })
}

function kill(child: ChildProcessWithoutNullStreams): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has exited already.
  }
  // Another process may hold the pipes open.
  child.stdout.destroy()
  child.stderr.destroy()
}
