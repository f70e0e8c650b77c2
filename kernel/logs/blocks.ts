import { setImmediate } from 'node:timers/promises'
import { newline } from './lines.ts'
import type { Prefilter } from './prefilter.ts'
import { endsBefore, type LogSegment } from './segments.ts'

/** Bytes read from a file at once. */
export const blockSize = 64 * 1024
/** Bytes read at once where most are not looked at line by line: Node.js has longer strings outside of its heap. */
export const scanSize = 1024 * 1024

/** Complete entries at a place. */
export interface Block {
  readonly segment: LogSegment
  readonly offset: number
  readonly bytes: Buffer
  /** False if the prefilter found that none of its lines matches. */
  readonly mayMatch: boolean
}

/**
 * Yields blocks of complete entries backwards from the end of a segment, then those of older segments. With a prefilter
 * blocks are larger where nothing matches.
 */
export async function* blocksBefore(
  file: string,
  newest: LogSegment,
  newestEnd: number,
  prefilter?: Prefilter,
): AsyncGenerator<Block> {
  const size = prefilter === undefined ? blockSize : scanSize
  for await (const { segment, size: fileEnd } of endsBefore(file, { segment: newest, size: newestEnd })) {
    let end = fileEnd
    for (let length = size; end > 0; ) {
      const from = Math.max(0, end - length)
      const block = Buffer.allocUnsafe(end - from)
      const bytes = block.subarray(0, await segment.read(block, from))
      const start = from === 0 ? 0 : bytes.indexOf(newline) + 1
      const isCut = from > 0 && (start === 0 || start === bytes.length)
      length = isCut ? length * 2 : size
      if (isCut) continue
      end = from + start
      yield* piecesOf({ segment, offset: end, bytes: bytes.subarray(start), mayMatch: true }, prefilter)
    }
  }
}

/**
 * Yields a block where nothing matches as it is, else smaller ones, backwards: other work has its turn between them, as
 * to match a megabyte of lines takes long.
 */
async function* piecesOf(block: Block, prefilter: Prefilter | undefined): AsyncGenerator<Block> {
  if (prefilter === undefined) return yield block
  if (!prefilter.mayMatch(block.bytes)) return yield { ...block, mayMatch: false }
  for (let end = block.bytes.length; end > 0; ) {
    const start = end <= blockSize ? 0 : block.bytes.lastIndexOf(newline, end - blockSize) + 1
    const bytes = block.bytes.subarray(start, end)
    yield { ...block, offset: block.offset + start, bytes, mayMatch: prefilter.mayMatch(bytes) }
    end = start
    await setImmediate()
  }
}
