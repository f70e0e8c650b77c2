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
import { systemCode } from '../errors.ts'

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
    const head = `${timestamp()} ${stream}`
    const lines = text.replace(/\n$/, '').split('\n')
    const gap = this.#lost === 0 ? [] : [`${this.#lost} earlier lines could not be written`]
    const entries = Buffer.concat([...gap, ...lines].flatMap(line => entriesOf(head, Buffer.from(line))))
    try {
      mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 })
      if (stream !== 'locald' && this.#isFull(entries.length)) rotate(this.#file, this.#maxFiles)
      append(this.#file, entries)
      this.#lost = 0
    } catch {
      this.#lost += lines.length
    }
  }

  #isFull(more: number): boolean {
    const size = statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0
    return size > 0 && size + more > this.#maxBytes
  }
}

function entriesOf(head: string, line: Buffer): readonly Buffer[] {
  const entries: Buffer[] = []
  for (let from = 0; from === 0 || from < line.length; from += longestEntry) {
    const tag = from + longestEntry < line.length ? 'P' : 'F'
    entries.push(Buffer.from(`${head} ${tag} `), line.subarray(from, from + longestEntry), Buffer.from('\n'))
  }
  return entries
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
