import { open } from 'node:fs/promises'
import type { LogSink } from '../../../kernel/contract/plugin.ts'

/** The end of a log is enough to tell why a server ended: bytes. */
const looked = 64 * 1024

/** The lines a service wrote since a time (ms since the epoch), without their time and stream. */
export async function linesSince({ file }: LogSink, sinceMs: number): Promise<readonly string[]> {
  const handle = await open(file, 'r').catch(() => undefined)
  if (handle === undefined) return []
  try {
    const { size } = await handle.stat()
    const start = Math.max(0, size - looked)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(looked), 0, looked, start)
    const since = new Date(sinceMs).toISOString().slice(0, 23)
    return buffer
      .toString('utf8', 0, bytesRead)
      .split('\n')
      .flatMap(line => {
        const [, time, text] = /^(\S+)Z (?:stdout|stderr) [FP] (.*)$/.exec(line) ?? []
        return time !== undefined && text !== undefined && time >= since ? [text] : []
      })
  } finally {
    await handle.close()
  }
}
