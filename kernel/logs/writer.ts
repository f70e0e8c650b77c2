import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { LogEntry } from '../contract/plugin.ts'
import { systemCode } from '../errors.ts'

const newline = 0x0a

/** A longer line is written in parts, as a keeper does, bytes. */
const longestEntry = 16 * 1024

/**
 * Appends CRI lines to a rotating log: `file`, `file.1` … `file.<maxFiles - 1>`. For the daemon's own output; keepers
 * write the same format themselves. Lines that cannot be written (a full disk, no free descriptor, a log that is a
 * folder) are dropped and counted in the next line, because a log must not stop the daemon.
 */
export class LogWriter {
  readonly #file: string
  readonly #maxBytes: number
  readonly #maxFiles: number
  /** Lines dropped since the last one that was written. */
  #lost = 0

  constructor(file: string, maxBytes: number, maxFiles: number) {
    this.#file = file
    this.#maxBytes = maxBytes
    this.#maxFiles = maxFiles
  }

  /**
   * Writes complete lines; never throws. Lines of the stream `locald` do not rotate the log: they go between those of a
   * keeper, which does.
   */
  write(stream: string, text: string): void {
    const lines = text.replace(/\n$/, '').split('\n')
    const entries = [...this.#gap(stream), ...lines.flatMap(line => entriesOf(stream, Buffer.from(line)))]
    if (this.#put(Buffer.concat(entries), stream !== 'locald')) this.#lost = 0
    else this.#lost += lines.length
  }

  /**
   * Appends entries that have times of their own, all of them or none, and rotates the log before; never throws.
   * Returns whether it wrote them.
   */
  append(entries: readonly LogEntry[]): boolean {
    if (entries.length === 0) return true
    const isWritten = this.#put(Buffer.concat([...this.#gap('locald'), bytesOf(entries)]), true)
    if (isWritten) this.#lost = 0
    return isWritten
  }

  /** Reports earlier lines that were dropped. */
  #gap(stream: string): readonly Buffer[] {
    return this.#lost === 0 ? [] : entriesOf(stream, Buffer.from(`${this.#lost} earlier lines could not be written`))
  }

  #put(bytes: Buffer, mayRotate: boolean): boolean {
    try {
      mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 })
      if (mayRotate && this.#isFull(bytes.length)) rotate(this.#file, this.#maxFiles)
      append(this.#file, bytes)
      return true
    } catch {
      return false
    }
  }

  #isFull(more: number): boolean {
    const size = statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0
    return size > 0 && size + more > this.#maxBytes
  }
}

/** Returns the entries of a line of the daemon's own. */
function entriesOf(stream: string, line: Buffer): readonly Buffer[] {
  const head = `${timestamp()} ${stream}`
  const entries: Buffer[] = []
  for (let from = 0; from === 0 || from < line.length; from += longestEntry) {
    const tag = from + longestEntry < line.length ? 'P' : 'F'
    entries.push(Buffer.from(`${head} ${tag} `), line.subarray(from, from + longestEntry), Buffer.from('\n'))
  }
  return entries
}

/** `2026-11-30T17:22:54.123456Z stdout F ` */
const headLength = 37

function bytesOf(entries: readonly LogEntry[]): Buffer {
  const length = entries.reduce((sum, { text }) => sum + headLength + text.length + 1, 0)
  const bytes = Buffer.allocUnsafe(length)
  let at = 0
  for (const { time, stream, isFull, text } of entries) {
    at += bytes.write(`${time} ${stream} ${isFull ? 'F' : 'P'} `, at, 'latin1')
    at += text.copy(bytes, at)
    at = bytes.writeUInt8(newline, at)
  }
  return bytes.subarray(0, at)
}

/** O_NONBLOCK: opening a pipe without a reader would block. */
const appending = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK

function append(file: string, entries: Buffer): void {
  const descriptor = openSync(file, appending, 0o600)
  try {
    const { size } = fstatSync(descriptor)
    // On a full disk, removes a partial line.
    if (writeSync(descriptor, entries) < entries.length) {
      ftruncateSync(descriptor, size)
      throw new Error('the disk is full')
    }
  } finally {
    closeSync(descriptor)
  }
}

function rotate(file: string, maxFiles: number): void {
  for (let index = maxFiles - 1; index >= 1; index--) {
    const from = index === 1 ? file : `${file}.${index - 1}`
    try {
      renameSync(from, `${file}.${index}`)
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error
    }
  }
}

/** Returns the current time, UTC, RFC 3339 with six decimals; the daemon's clock has milliseconds. */
function timestamp(): string {
  return `${new Date().toISOString().slice(0, -1)}000Z`
}
