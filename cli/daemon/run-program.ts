import { spawn } from 'node:child_process'
import { messageOf } from '../../kernel/errors.ts'
import type { Argv } from '../../kernel/protocol.ts'

/** How a program exited. `code` is null when it was killed by a signal, could not be run, or took too long. */
export interface ProgramResult {
  readonly code: number | null
  /** What it wrote to standard error, in one line, or why it did not run; empty where neither says anything. */
  readonly why: string
  /** What it wrote to standard output, or the beginning of that. */
  readonly output: string
}

/** So many characters of a program's output are kept. */
const kept = 4096

/** Runs a program without input; after `limitMs` it is killed. Never rejects. */
export function runProgram([program, ...words]: Argv, limitMs: number): Promise<ProgramResult> {
  return new Promise(resolve => {
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    let output = ''
    const end = (code: number | null, why = oneLineOf(text)) => {
      clearTimeout(timer)
      for (const stream of [child.stdout, child.stderr]) stream.destroy()
      resolve({ code, why, output })
    }
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      end(null, `timed out after ${limitMs / 1000} s`)
    }, limitMs)
    child.stdout.on('data', data => {
      output = (output + data).slice(0, kept)
    })
    child.stderr.on('data', data => {
      text = (text + data).slice(0, kept)
    })
    child.once('error', error => end(null, messageOf(error)))
    // Not `close`: what the program leaves running may hold its output.
    child.once('exit', code => setImmediate(end, code))
  })
}

/**
 * Joins lines. launchctl(1) prints the advice to be root after any failure, which does not help with a user's agent.
 */
function oneLineOf(text: string): string {
  const lines = text.split('\n').map(line => line.trim())
  return lines.filter(line => line !== '' && !line.startsWith('Try re-running the command as root')).join(' ')
}
