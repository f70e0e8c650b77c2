import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { systemCode } from './errors.ts'

/**
 * Writes a file that must survive: to a temporary file in the same folder, fsynced, renamed. Mode 0600. Synchronous, so that
 * two writes of one daemon never cross.
 */
export function writeWhole(
  file: string,
  text: string,
  options: { readonly durable: boolean } = { durable: true },
): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const temporary = `${file}.${randomBytes(4).toString('hex')}.tmp`
  try {
    const descriptor = openSync(temporary, 'wx', 0o600)
    try {
      for (let rest = Buffer.from(text); rest.length > 0; ) rest = rest.subarray(writeSync(descriptor, rest))
      if (options.durable) fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** Bytes above which a JSON file is none of ours. */
const jsonLimit = 64 * 1024 * 1024

/**
 * A JSON file's value; undefined when there is none. Throws SyntaxError when it is not JSON, and an Error for what is no regular file or too
 * large: neither is waited for or read.
 */
export function readJson(file: string): unknown {
  let descriptor: number | undefined
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
    const stat = fstatSync(descriptor)
    if (!stat.isFile() || stat.size > jsonLimit) throw new Error('it is not a regular file of at most 64 MiB')
    return JSON.parse(readFileSync(descriptor, 'utf8'))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}
