/**
 * Reads what a program of macOS says of itself: mach-o/loader.h, mach-o/fat.h; of its signature xnu's
 * bsd/sys/codesign.h.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A program or library for one processor. */
export interface MachO {
  readonly cpu: 'arm64' | 'x64' | 'other'
  /** MH_PIE: it is loaded at another address each time. */
  readonly isPositionFree: boolean
  /** MH_ALLOW_STACK_EXECUTION. */
  readonly hasExecutableStack: boolean
  /** Libraries as they are written, such as `@loader_path/../lib/libpq.5.dylib`; not those that may be missing. */
  readonly libraries: readonly string[]
  /** Where `@rpath/` is looked for. */
  readonly paths: readonly string[]
  /** LC_UUID in hexadecimal digits; dyld of macOS 26 wants one. */
  readonly uuid: string | undefined
  /** LC_BUILD_VERSION: the oldest macOS that loads it, such as `13.0`. */
  readonly oldest: string | undefined
  /**
   * The flags of its CodeDirectory; 0x2: ad hoc, 0x20000: by the linker, 0x10000: hardened. Undefined: it is not
   * signed.
   */
  readonly signature: number | undefined
  /**
   * Each page has the hash that its signature says, which is the last part of the file: macOS 27 kills a program when
   * one page does not match.
   */
  readonly isIntact: boolean
}

const magic64 = 0xfeedfacf
const magicFat = 0xcafebabe
const cpus: Readonly<Record<number, MachO['cpu']>> = { 16777223: 'x64', 16777228: 'arm64' }
const headerSize = 32
const [stackExecution, positionFree] = [0x20000, 0x200000]
const command = {
  loadDylib: 0xc,
  uuid: 0x1b,
  signature: 0x1d,
  buildVersion: 0x32,
  rpath: 0x8000001c,
  reexportDylib: 0x8000001f,
} as const
const codeDirectory = 0xfade0c02

/** One for each processor; none: it is no Mach-O file of 64 bits. */
export function machOs(file: Buffer): readonly MachO[] {
  if (file.length >= headerSize && file.readUInt32LE(0) === magic64) return [read(file)]
  if (file.length < 8 || file.readUInt32BE(0) !== magicFat) return []
  return Array.from({ length: file.readUInt32BE(4) }, (_, at) => {
    const [offset, size] = [file.readUInt32BE(8 + at * 20 + 8), file.readUInt32BE(8 + at * 20 + 12)]
    return read(file.subarray(offset, offset + size))
  })
}

function read(file: Buffer): MachO {
  const commands = commandsOf(file)
  const bodies = (...kinds: readonly number[]) => commands.filter(it => kinds.includes(it.kind)).map(it => it.body)
  const flags = file.readUInt32LE(24)
  const [signature] = bodies(command.signature)
  const [version] = bodies(command.buildVersion)
  return {
    cpu: cpus[file.readUInt32LE(4)] ?? 'other',
    isPositionFree: (flags & positionFree) !== 0,
    hasExecutableStack: (flags & stackExecution) !== 0,
    libraries: bodies(command.loadDylib, command.reexportDylib).map(textOf),
    paths: bodies(command.rpath).map(textOf),
    uuid: bodies(command.uuid)[0]?.subarray(8, 24).toString('hex'),
    oldest: version === undefined ? undefined : `${version.readUInt16LE(14)}.${version.readUInt8(13)}`,
    signature: signature === undefined ? undefined : directoryOf(file, signature)?.readUInt32BE(12),
    isIntact: signature !== undefined && isIntact(file, signature),
  }
}

function commandsOf(file: Buffer): readonly { readonly kind: number; readonly body: Buffer }[] {
  let at = headerSize
  return Array.from({ length: file.readUInt32LE(16) }, () => {
    const body = file.subarray(at, at + file.readUInt32LE(at + 4))
    at += body.length
    return { kind: body.readUInt32LE(0), body }
  })
}

/** The text whose offset in the command is its third number. */
function textOf(body: Buffer): string {
  const text = body.subarray(body.readUInt32LE(8))
  return text.subarray(0, text.indexOf(0)).toString()
}

/** The CodeDirectory in the signature whose offset a load command holds: a list of blobs in big-endian numbers. */
function directoryOf(file: Buffer, body: Buffer): Buffer | undefined {
  const blobs = file.subarray(body.readUInt32LE(8), body.readUInt32LE(8) + body.readUInt32LE(12))
  const offsets = Array.from({ length: blobs.readUInt32BE(8) }, (_, at) => blobs.readUInt32BE(12 + at * 8 + 4))
  const offset = offsets.find(offset => blobs.readUInt32BE(offset) === codeDirectory)
  return offset === undefined ? undefined : blobs.subarray(offset)
}

/** By SHA-256 alone, the kind of hash of all that is signed today. */
function isIntact(file: Buffer, body: Buffer): boolean {
  const directory = directoryOf(file, body)
  if (directory === undefined || directory.readUInt8(36) !== 32) return false
  const [hashes, count, limit] = [directory.readUInt32BE(16), directory.readUInt32BE(28), directory.readUInt32BE(32)]
  const page = 2 ** directory.readUInt8(39)
  const isPage = (at: number): boolean => {
    const hash = createHash('sha256').update(file.subarray(at * page, Math.min((at + 1) * page, limit)))
    return hash.digest().equals(directory.subarray(hashes + at * 32, hashes + (at + 1) * 32))
  }
  const isWhole = limit === body.readUInt32LE(8) && limit + body.readUInt32LE(12) === file.length
  return isWhole && count === Math.ceil(limit / page) && Array.from({ length: count }, (_, at) => at).every(isPage)
}

/**
 * Libraries that dyld would not find for a program, as `FILE: LIBRARY`: its own, those of its libraries, and so on.
 * What lies below /usr/lib and /System every Mac has.
 */
export function missingLibraries(program: string): readonly string[] {
  const missing: string[] = []
  const seen = new Set<string>()
  const look = (path: string): void => {
    if (seen.has(path)) return
    seen.add(path)
    for (const { libraries, paths } of machOs(readFileSync(path))) {
      const places = paths.map(it => placed(it, program, path))
      for (const library of libraries.filter(it => !/^\/(?:usr\/lib|System)\//.test(it))) {
        const candidates = library.startsWith('@rpath/')
          ? places.map(place => join(place, library.slice('@rpath/'.length)))
          : [placed(library, program, path)]
        const found = candidates.find(it => existsSync(it))
        if (found === undefined) missing.push(`${path}: ${library}`)
        else look(realpathSync(found))
      }
    }
  }
  look(realpathSync(program))
  return [...new Set(missing)]
}

/** A path of dyld(1), written in a file that a program loads. */
function placed(path: string, program: string, file: string): string {
  return path.replace(/^@loader_path(?=\/|$)/, dirname(file)).replace(/^@executable_path(?=\/|$)/, dirname(program))
}
