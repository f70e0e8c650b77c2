import { LineJoiner, longestLine, type OutputLine, streamsIn } from './log-lines.ts'
import { LogPart, partBeside } from './log-parts.ts'

/** How much of a file is read at once: bytes. */
export const blockSize = 64 * 1024
const newline = 0x0a
/** A stream that was silent for as long as this has hardly left a line unfinished: bytes of the others. */
const enoughBefore = 4 * blockSize

/** Which lines are wanted. `since`: a time as in the files. */
export interface LineFilter {
  readonly since?: string | undefined
  readonly grep?: ((lines: readonly OutputLine[]) => readonly OutputLine[]) | undefined
}

/** A place in a log to read on from, at the start of an entry; `before` is what leads up to it, oldest first. */
export interface Place {
  readonly part: LogPart
  readonly offset: number
  /** Makes a line whole that begins before the place and ends behind it. */
  readonly before: readonly Buffer[]
}

/** Whole entries at a place. */
interface Block {
  readonly part: LogPart
  readonly offset: number
  readonly bytes: Buffer
}

/** The lines a filter wants. */
export function select(lines: readonly OutputLine[], { since, grep }: LineFilter): readonly OutputLine[] {
  const recent = since === undefined ? lines : lines.filter(line => line.time >= since)
  return grep === undefined ? recent : grep(recent)
}

/**
 * A place behind which are the last `tail` wanted lines and all since a time, as far as there are any; some more may be. Searched
 * backwards from `end` (bytes) of the newest part, in bounded memory.
 */
export async function placeBefore(
  file: string,
  newest: LogPart,
  end: number,
  { tail = Number.POSITIVE_INFINITY, ...filter }: LineFilter & { readonly tail?: number | undefined },
): Promise<Place> {
  let place: Omit<Place, 'before'> = { part: newest.share(), offset: end }
  let found = 0
  let isFound = tail <= 0
  const before: Buffer[] = []
  const open = new Set<string>()
  const closed = new Set<string>()
  let length = 0
  try {
    for await (const { part, offset, bytes } of blocksBefore(file, newest, end)) {
      const { seen, ended } = streamsIn(bytes)
      for (const stream of seen) open.add(stream)
      if (!isFound) {
        await place.part.close()
        place = { part: part.share(), offset }
        const lines = linesIn(bytes)
        // At a block's edges one line of each stream may be cut in two, and its pieces be wanted where it is not.
        found += Math.max(0, select(lines, filter).length - 2 * seen.size - 1)
        const [first] = lines
        isFound = found >= tail || (filter.since !== undefined && first !== undefined && first.time < filter.since)
        continue
      }
      before.unshift(bytes)
      length += bytes.length
      for (const stream of ended) closed.add(stream)
      if (length >= longestLine || (length >= enoughBefore && [...open].every(stream => closed.has(stream)))) break
    }
  } catch (error) {
    // A pattern that takes too long, a disk that fails: nobody else closes it.
    await place.part.close()
    throw error
  }
  return { ...place, before }
}

/** Blocks of whole entries from the end of a part backwards, then those of the parts before it. */
async function* blocksBefore(file: string, newest: LogPart, newestEnd: number): AsyncGenerator<Block> {
  let part = newest.share()
  let end = newestEnd
  try {
    for (;;) {
      for (let length = blockSize; end > 0; ) {
        const from = Math.max(0, end - length)
        const block = Buffer.allocUnsafe(end - from)
        const bytes = block.subarray(0, await part.read(block, from))
        const start = from === 0 ? 0 : bytes.indexOf(newline) + 1
        const isCut = from > 0 && (start === 0 || start === bytes.length)
        length = isCut ? length * 2 : blockSize
        if (isCut) continue
        end = from + start
        yield { part, offset: end, bytes: bytes.subarray(start) }
      }
      const older = await partBeside(file, part, -1)
      if (!(older instanceof LogPart)) return
      await part.close()
      part = older
      end = await part.size()
    }
  } finally {
    await part.close()
  }
}

function linesIn(chunk: Buffer): readonly OutputLine[] {
  const joiner = new LineJoiner()
  const lines = joiner.push(chunk)
  return [...lines, ...joiner.peek()]
}
