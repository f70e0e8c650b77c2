import type { FileHandle } from 'node:fs/promises'
import { readFile, rm, writeFile } from 'node:fs/promises'
import type { LastEntry, LogEntry } from '../../../kernel/contract/plugin.ts'
import { criEntries } from './cri-entries.ts'

/** How far a file of conmon's was read, and what was at the end of the service's log then. */
export interface Position {
  readonly offset: number
  /** The bytes before it: another file of that name has others there, as they have times of ns. */
  readonly before: Buffer
  readonly last: LastEntry | undefined
  /** Streams whose line is not complete at the offset. */
  readonly unfinished: readonly LogEntry['stream'][]
}

/** Bytes before the offset that are compared. */
export const comparedLength = 64
const blockLength = 256 * 1024
const newline = 0x0a
const atStart: Position = { offset: 0, before: Buffer.alloc(0), last: undefined, unfinished: [] }

/** Saves a position beside the file. It only saves reading: what is in the service's log decides. */
export async function savePosition(file: string, position: Position): Promise<void> {
  await writeFile(positionFile(file), JSON.stringify({ ...position, before: position.before.toString('base64') }), {
    mode: 0o600,
  }).catch(() => {})
}

/** Removes the file and its position. Never rejects. */
export async function removeFile(file: string): Promise<void> {
  for (const path of [file, positionFile(file)]) await rm(path, { force: true }).catch(() => {})
}

async function bytesBefore(handle: FileHandle, offset: number): Promise<Buffer> {
  const length = Math.min(comparedLength, offset)
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset - length)
  return buffer.subarray(0, bytesRead)
}

/** Returns the saved position in a file, or its start where there is none for it. */
export async function savedPosition(file: string, handle: FileHandle): Promise<Position> {
  const text = await readFile(positionFile(file), 'utf8').catch(() => '')
  const saved = parsePosition(text)
  if (saved !== undefined && (await bytesBefore(handle, saved.offset)).equals(saved.before)) return saved
  if (text !== '') await rm(positionFile(file), { force: true })
  return atStart
}

/**
 * Returns the position after the entries that the service's log has already: `last` is its end. It searches by place,
 * not by time, as clocks are set back. Without any of them in the file all of it is new.
 */
export async function positionAfter(
  handle: FileHandle,
  saved: Position,
  last: LastEntry | undefined,
): Promise<Position> {
  if (last === undefined || (saved.last?.time === last.time && saved.last.count === last.count))
    return { ...saved, last }
  let missing = last.count - (saved.last?.time === last.time ? saved.last.count : 0)
  const open = new Set(saved.unfinished)
  let found = { offset: saved.offset, unfinished: saved.unfinished }
  for await (const { end, entry } of entriesFrom(handle, saved.offset)) {
    if (entry.isFull) open.delete(entry.stream)
    else open.add(entry.stream)
    if (entry.time !== last.time) continue
    found = { offset: end, unfinished: [...open] }
    if (--missing <= 0) break
  }
  return { ...found, before: await bytesBefore(handle, found.offset), last }
}

/** Yields the whole entries from an offset on, each with the offset of its end. */
async function* entriesFrom(
  handle: FileHandle,
  from: number,
): AsyncGenerator<{ readonly end: number; readonly entry: LogEntry }> {
  const block = Buffer.allocUnsafe(blockLength)
  for (let at = from; ; ) {
    const { bytesRead } = await handle.read(block, 0, block.length, at)
    let start = 0
    for (let end = block.indexOf(newline); end >= 0 && end < bytesRead; end = block.indexOf(newline, start)) {
      const [entry] = criEntries(block.subarray(start, end))
      start = end + 1
      if (entry !== undefined) yield { end: at + start, entry }
    }
    if (start === 0) return
    at += start
  }
}

function positionFile(file: string): string {
  return `${file}.position`
}

/** Returns undefined for what a killed daemon left half-written. */
function parsePosition(text: string): Position | undefined {
  try {
    const saved: unknown = JSON.parse(text)
    return isSaved(saved) ? { ...saved, before: Buffer.from(saved.before, 'base64') } : undefined
  } catch {
    return undefined
  }
}

type Saved = Omit<Position, 'before'> & { readonly before: string }

function isSaved(value: unknown): value is Saved {
  if (typeof value !== 'object' || value === null) return false
  const { offset, before, last, unfinished }: Partial<Record<keyof Saved, unknown>> = value
  const isLast = last === undefined || (typeof last === 'object' && last !== null && 'time' in last && 'count' in last)
  const isOffset = typeof offset === 'number' && Number.isSafeInteger(offset) && offset >= 0
  return isOffset && typeof before === 'string' && isLast && Array.isArray(unfinished)
}
