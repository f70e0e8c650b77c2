import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { type FileHandle, lstat, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCode } from '../errors.ts'
import { denialOf } from './denial.ts'

/** A file's text and its owners. */
export interface TextFile {
  /** Without a byte order mark. */
  readonly text: string
  /** False where bytes that are not UTF-8 stand as U+FFFD in the text. */
  readonly isUtf8: boolean
  /** Uids of the users who control the path: see `ownersAt`. The file's own is read from its descriptor. */
  readonly owners: readonly number[]
}

/** Why a file is not read: `is a folder`. */
export interface TextFault {
  readonly fault: string
  /** What can be done, where that is known. */
  readonly hint?: string
}

/** Which files a reader accepts. */
export interface TextLimits {
  /** Default: 1 MiB. */
  readonly bytes?: number
  /** Default: 10 s. */
  readonly ms?: number
  /** Also accepts a named pipe, whose writer may come late, and a character device; by default only regular files. */
  readonly streams?: boolean
}

const mebibyte = 1024 * 1024
const defaultMs = 10_000
/** Pause between two reads of a pipe without data: ms. */
const pipeMs = 10
const chunkBytes = 64 * 1024
/** The fault of a path that leads to a folder. */
export const folderFault = 'is a folder'
const irregular = 'is not a regular file'
const readOnly = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'no permission to read it',
  EPERM: 'no permission to read it',
  ELOOP: 'its symbolic links go in a circle',
  ENXIO: irregular,
}

/**
 * Reads a text file that a project or another user could have put there: regular files only, up to a size and a time,
 * so that a pipe, a device or an endless file blocks nothing. Undefined where there is no file. Never rejects.
 */
export async function readTextFile(file: string, limits: TextLimits = {}): Promise<TextFile | TextFault | undefined> {
  const { bytes = mebibyte, ms = defaultMs, streams = false } = limits
  const until = performance.now() + ms
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<TextFault>(resolve => {
    timer = setTimeout(() => resolve({ fault: formatTimeout(ms) }), ms)
  })
  try {
    return await Promise.race([look(file, { bytes, until, streams, ms }), late])
  } finally {
    clearTimeout(timer)
  }
}

interface Reading {
  readonly bytes: number
  /** ms of performance.now() */
  readonly until: number
  readonly ms: number
  readonly streams: boolean
}

async function look(file: string, reading: Reading): Promise<TextFile | TextFault | undefined> {
  try {
    const link = await lstat(file)
    const isLink = link.isSymbolicLink()
    // Checked before it is opened: opening a pipe wakes its writer, and opening some devices has effects.
    const fault = faultOf(isLink ? await stat(file) : link, reading)
    if (fault !== undefined) return { fault }
    const handle = await open(file, readOnly | (isLink ? 0 : constants.O_NOFOLLOW))
    try {
      // Checked again by descriptor: the path may lead to another file by now.
      const linkers = isLink ? [link.uid] : await linkersOf(file, await handle.stat())
      return await readOpen(handle, linkers, reading)
    } finally {
      await handle.close()
    }
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    const denial = denialOf(file, code)
    if (denial !== undefined) return { fault: denial.message, hint: denial.hint }
    return { fault: reasons[code ?? ''] ?? `cannot be read (${code ?? 'unknown error'})` }
  }
}

/** Stands for the unknown uid of the user who made a hard link where any user could. */
export const anyone = -1

/**
 * Returns the uids of the users who control a path: the owners of the file and of a symbolic link to it, and, for a
 * file with hard links, which some systems let any user make of any file, the owner of its folder. Returns none for a
 * missing file.
 */
export async function ownersAt(path: string): Promise<readonly number[]> {
  try {
    const [info, link] = await Promise.all([stat(path), lstat(path)])
    return [info.uid, link.uid, ...(await linkersOf(path, link))]
  } catch {
    return []
  }
}

async function linkersOf(path: string, info: Stats): Promise<readonly number[]> {
  if (!info.isFile() || info.nlink < 2) return []
  const folder = await stat(dirname(path))
  return [(folder.mode & 0o002) === 0 ? folder.uid : anyone]
}

function faultOf(info: Stats, { bytes, streams }: Pick<Reading, 'bytes' | 'streams'>): string | undefined {
  if (info.isDirectory()) return folderFault
  if (streams && (info.isFIFO() || info.isCharacterDevice())) return undefined
  if (!info.isFile()) return irregular
  return info.size > bytes ? tooLarge(bytes) : undefined
}

function formatTimeout(ms: number): string {
  return `reading it timed out after ${ms / 1000} s`
}

function tooLarge(bytes: number): string {
  return `is larger than ${bytes / mebibyte} MiB`
}

async function readOpen(
  handle: FileHandle,
  links: readonly number[],
  reading: Reading,
): Promise<TextFile | TextFault | undefined> {
  const info = await handle.stat()
  const fault = faultOf(info, reading)
  if (fault !== undefined) return { fault }
  const bytes = await bytesOf(handle, info.isFIFO(), reading)
  return Buffer.isBuffer(bytes) ? { ...decodeText(bytes), owners: [info.uid, ...links] } : bytes
}

/** Reads to the end. A pipe is empty until its writer has come. */
async function bytesOf(handle: FileHandle, isPipe: boolean, reading: Reading): Promise<Buffer | TextFault> {
  const chunks: Buffer[] = []
  let size = 0
  for (;;) {
    const chunk = await read(handle)
    const isAwaited = chunk === undefined || (chunk.length === 0 && size === 0 && isPipe)
    if (chunk?.length === 0 && !isAwaited) return Buffer.concat(chunks)
    if (performance.now() > reading.until) return { fault: formatTimeout(reading.ms) }
    size += chunk?.length ?? 0
    if (size > reading.bytes) return { fault: tooLarge(reading.bytes) }
    if (isAwaited) await new Promise(resolve => setTimeout(resolve, pipeMs))
    else chunks.push(chunk)
  }
}

/** Reads some bytes, none at the end; undefined: a pipe is open for writing and empty. */
async function read(handle: FileHandle): Promise<Buffer | undefined> {
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, null)
    return buffer.subarray(0, bytesRead)
  } catch (error) {
    if (systemCode(error) === 'EAGAIN') return undefined
    throw error
  }
}

function decodeText(bytes: Buffer): { readonly text: string; readonly isUtf8: boolean } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), isUtf8: true }
  } catch {
    return { text: new TextDecoder().decode(bytes), isUtf8: false }
  }
}

/**
 * Reads a small regular file synchronously; returns undefined for any other file, and where it is larger or unreadable.
 * Never throws.
 */
export function readTextFileNow(file: string, bytes = chunkBytes): string | undefined {
  let descriptor: number | undefined
  try {
    descriptor = openSync(file, readOnly)
    if (!fstatSync(descriptor).isFile()) return undefined
    const buffer = Buffer.alloc(bytes + 1)
    const size = readSync(descriptor, buffer, 0, buffer.length, null)
    return size > bytes ? undefined : buffer.toString('utf8', 0, size)
  } catch {
    return undefined
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}
