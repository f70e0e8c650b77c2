import * as zlib from 'node:zlib'
import { ChunkReader } from '../../message/chunked.ts'

/** A body may grow to this when it is decompressed, bytes. */
const maxDecoded = 8 * 1024 * 1024
const options = { maxOutputLength: maxDecoded, finishFlush: zlib.constants.Z_SYNC_FLUSH }

type Decoder = (bytes: Buffer) => Buffer

const decoders: Readonly<Record<string, Decoder>> = {
  gzip: bytes => zlib.gunzipSync(bytes, options),
  'x-gzip': bytes => zlib.gunzipSync(bytes, options),
  deflate: inflate,
  br: bytes => zlib.brotliDecompressSync(bytes, { maxOutputLength: maxDecoded }),
}

/** zstd is in Node.js 22.15 and later. */
function decoderOf(coding: string): Decoder | undefined {
  if (Object.hasOwn(decoders, coding)) return decoders[coding]
  const zstd: unknown = Reflect.get(zlib, 'zstdDecompressSync')
  if (coding !== 'zstd' || typeof zstd !== 'function') return undefined
  return bytes => Buffer.from(zstd(bytes, { maxOutputLength: maxDecoded }))
}

/** Some servers send it without the header of zlib. */
function inflate(bytes: Buffer): Buffer {
  const hasHeader = bytes.length > 1 && ((bytes[0] ?? 0) & 15) === 8 && bytes.readUInt16BE(0) % 31 === 0
  return hasHeader ? zlib.inflateSync(bytes, options) : zlib.inflateRawSync(bytes, options)
}

/** What a body contains, or why it cannot be decoded. */
export type Decoded = { readonly bytes: Buffer; readonly from: string | null } | { readonly fault: string }

/** Removes the codings of a Content-Encoding, the last one first. */
export function decode(bytes: Buffer, contentEncoding: string | undefined): Decoded {
  const codings = (contentEncoding ?? '')
    .toLowerCase()
    .split(',')
    .map(it => it.trim())
    .filter(it => it !== '' && it !== 'identity')
  if (codings.length === 0 || bytes.length === 0) return { bytes, from: null }
  let content = bytes
  for (const coding of codings.reverse()) {
    const decoder = decoderOf(coding)
    if (decoder === undefined)
      return { fault: `compressed with ${coding}, which this version of Node.js cannot decode` }
    try {
      content = decoder(content)
    } catch {
      return { fault: `cannot be decoded as ${coding}` }
    }
  }
  return { bytes: content, from: codings.reverse().join(', ') }
}

/** Returns the content of a chunked body. */
export function removeChunks(bytes: Buffer): Buffer {
  const pieces: Buffer[] = []
  new ChunkReader().read(bytes, 0, undefined, pieces)
  return Buffer.concat(pieces)
}

/** Returns the text of bytes; undefined where they are none. */
export function textOf(bytes: Buffer): string | undefined {
  // A file that was cut within a character would not be UTF-8 either; bodies are kept whole.
  if (bytes.includes(0)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
