import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs'

const newline = 0x0a
/** An entry has 16 KB of text at most; a file without a newline in this many bytes at its end is not a log. */
const searched = 64 * 1024
/** A write that is in progress is not paused by the system for longer than this, ms (Linux: 200). */
const longestPauseMs = 300
/** After this time without a write none is in progress, ms. */
const idleMs = 10_000

/**
 * Removes the part of an entry that a killed daemon or keeper left at the end of a log; what is appended would
 * continue it, and what writes the log would take it for an entry. A keeper that is writing right now is left to
 * finish. Never throws.
 */
export function removeTornEntry(file: string): void {
  let descriptor: number | undefined
  try {
    descriptor = openSync(file, 'r+')
    const size = tornSize(descriptor)
    if (size === undefined) return
    const { mtimeMs } = fstatSync(descriptor)
    // Rare, and before anything of the service runs: it may block.
    if (Date.now() - mtimeMs < idleMs) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, longestPauseMs)
    if (tornSize(descriptor) === size) ftruncateSync(descriptor, wholeSize(descriptor, size))
  } catch {
    // No log yet, or none that can be read: its writer counts what it drops.
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

/** Returns the size of a file that does not end with a whole entry. */
function tornSize(descriptor: number): number | undefined {
  const { size } = fstatSync(descriptor)
  const last = Buffer.alloc(1)
  return size > 0 && readSync(descriptor, last, 0, 1, size - 1) === 1 && last[0] !== newline ? size : undefined
}

/** Returns the size up to the last newline; the whole one for a file that is not a log. */
function wholeSize(descriptor: number, size: number): number {
  const from = Math.max(0, size - searched)
  const end = Buffer.alloc(size - from)
  const length = readSync(descriptor, end, 0, end.length, from)
  const at = end.subarray(0, length).lastIndexOf(newline)
  return at < 0 && from > 0 ? size : from + at + 1
}
