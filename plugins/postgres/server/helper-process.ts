import { spawn } from 'node:child_process'
import { messageOf } from '../../../kernel/errors.ts'
import { serverEnv } from './command-line.ts'

/** A process of the daemon's own, for the duration of one step. */
export interface Helper {
  readonly pid: number | undefined
  /** Resolves with its exit code (null: a signal, or it could not be started) and the end of its output. */
  readonly done: Promise<{ readonly code: number | null; readonly lines: readonly string[] }>
  kill(signal: NodeJS.Signals): void
}

/** The output that is kept: bytes. */
const kept = 64 * 1024

/** Runs a program without a terminal and collects its output. */
export function runHelper(argv: readonly string[], env: Record<string, string> = serverEnv()): Helper {
  const [program = '', ...words] = argv
  const child = spawn(program, words, { cwd: '/', env, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  const take = (data: Buffer) => {
    text = (text + data.toString()).slice(-kept)
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  const done = new Promise<{ code: number | null; lines: readonly string[] }>(resolve => {
    child.once('error', error => resolve({ code: null, lines: [messageOf(error)] }))
    child.once('close', code => resolve({ code, lines: text.split('\n').filter(line => line !== '') }))
  })
  return { pid: child.pid, done, kill: signal => void child.kill(signal) }
}
