import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TerminalConnection, TerminalSize } from '../../kernel/contract/plugin.ts'
import { type KeeperEvent, parseEvent } from './keeper-connection.ts'

/** Bytes of a keeper's events before its terminal's output begins. */
const longestHead = 64 * 1024

/**
 * Connects to the terminal behind a keeper's control socket. Resolves with undefined when its service has none; rejects
 * when the keeper cannot be reached.
 */
export async function openTerminal(
  path: string,
  { cols, rows }: TerminalSize,
): Promise<Omit<TerminalConnection, 'resize'> | undefined> {
  const stream = connect(path)
  stream.on('error', () => stream.destroy())
  stream.write(`replay ${cols} ${rows}\n`)
  const answer = await readAnswer(stream)
  if (answer?.event === 'attached') return { stream, history: Number(answer['history']) }
  if (answer?.['error'] === 'unknown command') {
    // A keeper of an earlier version, which does not keep its output.
    stream.write(`attach ${cols} ${rows}\n`)
    return { stream, history: 0 }
  }
  stream.destroy()
  if (answer === undefined) throw new Error('the keeper cannot be reached')
  return undefined
}

/** Returns the keeper's answer and leaves what follows it unread; undefined when the connection closes before. */
async function readAnswer(stream: Socket): Promise<KeeperEvent | undefined> {
  let head = Buffer.alloc(0)
  while (head.length <= longestHead) {
    const chunk: Buffer | null = stream.read()
    if (chunk === null) {
      if (stream.destroyed || stream.readableEnded) return undefined
      const over = new AbortController()
      const { signal } = over
      await Promise.race(['readable', 'end', 'close'].map(name => once(stream, name, { signal }))).catch(() => {})
      over.abort()
      continue
    }
    head = Buffer.concat([head, chunk])
    for (let end = head.indexOf('\n'); end >= 0; end = head.indexOf('\n')) {
      const event = parseEvent(head.toString('utf8', 0, end))
      head = head.subarray(end + 1)
      if (event?.event !== 'attached' && event?.event !== 'error') continue
      if (head.length > 0) stream.unshift(head)
      return event
    }
  }
  return undefined
}
