import { appendFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { LogCursor } from '../../../../kernel/logs/cursor.ts'
import type { OutputLine } from '../../../../kernel/logs/lines.ts'

/** A file as conmon writes it, with the lines that are to be read from it. */
export class ConmonFile {
  readonly path: string
  readonly lines: OutputLine[] = []
  #us = Date.UTC(2026, 10, 30) * 1000

  constructor(path: string) {
    this.path = path
  }

  /** Writes an entry, `us` after the one before. */
  write(text: string | Buffer, { stream = 'stdout', us = 1, isFull = true, torn = 0 } = {}): void {
    const entry = this.entry(text, { stream, us, isFull })
    appendFileSync(this.path, entry.subarray(0, entry.length - torn))
  }

  /** Returns the bytes of the next entry. */
  entry(text: string | Buffer, { stream = 'stdout', us = 1, isFull = true } = {}): Buffer {
    this.#us += us
    const time = `${new Date(this.#us / 1000).toISOString().slice(0, -1)}${String(this.#us % 1000).padStart(3, '0')}`
    if (isFull) this.lines.push({ time: `${time}Z`, stream, text: text.toString() })
    const head = `${time}789+00:00 ${stream} ${isFull ? 'F' : 'P'} `
    return Buffer.concat([Buffer.from(head), Buffer.from(text), Buffer.from('\n')])
  }

  /** Goes on with a new file, as at its largest size. */
  rotate(): void {
    writeFileSync(`${this.path}.tmp`, '')
    renameSync(`${this.path}.tmp`, this.path)
  }

  truncate(): void {
    truncateSync(this.path)
  }
}

/** Reads all lines of a service's log but locald's own. */
export async function readLog(file: string): Promise<readonly OutputLine[]> {
  const cursor = new LogCursor(file)
  const lines: OutputLine[] = []
  await cursor.seek()
  for (let next = await cursor.next(); next.length > 0; next = await cursor.next()) lines.push(...next)
  lines.push(...cursor.peek())
  await cursor.close()
  return lines.filter(line => line.stream !== 'locald')
}
