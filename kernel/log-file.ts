import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'
import { systemCode } from './errors.ts'

/**
 * Appends CRI lines to a log that rotates: `file`, `file.1` … `file.<maxFiles - 1>`. For output that the daemon itself has;
 * a keeper writes the same format on its own. A full disk loses the line, never the service.
 */
export class LogWriter {
  readonly #file: string
  readonly #maxBytes: number
  readonly #maxFiles: number

  constructor(file: string, maxBytes: number, maxFiles: number) {
    this.#file = file
    this.#maxBytes = maxBytes
    this.#maxFiles = maxFiles
  }

  write(stream: string, text: string): void {
    const time = timestamp()
    const lines = text.replace(/\n$/, '').split('\n')
    const entry = Buffer.from(lines.map(line => `${time} ${stream} F ${line}\n`).join(''))
    try {
      this.#append(entry)
    } catch (error) {
      if (systemCode(error) !== 'ENOSPC' && systemCode(error) !== 'EDQUOT') throw error
    }
  }

  #append(entry: Buffer): void {
    let descriptor = openSync(this.#file, 'a', 0o600)
    try {
      const { size } = fstatSync(descriptor)
      if (size > 0 && size + entry.length > this.#maxBytes) {
        closeSync(descriptor)
        rotate(this.#file, this.#maxFiles)
        descriptor = openSync(this.#file, 'a', 0o600)
      }
      writeSync(descriptor, entry)
    } finally {
      closeSync(descriptor)
    }
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

/** Now, UTC, RFC 3339 with six decimals; the daemon's clock has milliseconds. */
function timestamp(): string {
  return `${new Date().toISOString().slice(0, -1)}000Z`
}
