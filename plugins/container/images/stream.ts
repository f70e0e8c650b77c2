import { createInterface } from 'node:readline'
import { startChild } from '../../lib/child.ts'
import type { EngineCommand } from '../provides.ts'

/** What a command that streams printed at its end. */
export interface Streamed {
  readonly code: number | null
  /** The last lines of both streams, oldest first. */
  readonly tail: readonly string[]
}

const keptLines = 20

/** Runs a command until it exits, and passes on each line of both streams. An abort stops it. */
export async function streamLines(
  command: EngineCommand,
  signal: AbortSignal,
  line: (text: string, stream: 'stdout' | 'stderr') => void,
): Promise<Streamed> {
  const child = startChild(command)
  const stop = () => child.stop()
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  const tail: string[] = []
  const read = async (stream: 'stdout' | 'stderr') => {
    for await (const text of createInterface({ input: child[stream] })) {
      if (text.trim() !== '') tail.push(text.trim())
      if (tail.length > keptLines) tail.shift()
      line(text, stream)
    }
  }
  const [code] = await Promise.all([child.exited, read('stdout'), read('stderr')])
  signal.removeEventListener('abort', stop)
  signal.throwIfAborted()
  return { code, tail }
}
