import type { Anchor } from './anchor.ts'
import { LineJoiner, longestLine, type OutputLine, streamsIn } from './lines.ts'
import { LogPart, partBeside } from './segments.ts'

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
  let found = 0
  const hasEnough = (bytes: Buffer) => {
    const lines = linesIn(bytes)
    // At a block's edges one line of each stream may be cut in two, and its pieces be wanted where it is not.
    found += Math.max(0, select(lines, filter).length - 2 * streamsIn(bytes).seen.size - 1)
    const [first] = lines
    return found >= tail || (filter.since !== undefined && first !== undefined && first.time < filter.since)
  }
  return await placeWhere(file, newest, end, bytes => (hasEnough(bytes) ? 0 : undefined), tail <= 0)
}

/** The place of the first entry that has an anchor's time and stream; undefined when there is none. */
export async function placeOf(
  file: string,
  newest: LogPart,
  end: number,
  { time, stream }: Anchor,
): Promise<Place | undefined> {
  const head = Buffer.from(`${time} ${stream} `)
  let isFound = false
  const found = (bytes: Buffer) => {
    const at = startOf(bytes, head)
    // What is at the very start of a block may go on in the one before it.
    const isHere = at !== undefined ? at > 0 : isFound
    isFound ||= at !== undefined
    return isHere ? (at ?? bytes.length) : undefined
  }
  const place = await placeWhere(file, newest, end, found)
  if (isFound) return place
  await place.part.close()
  return undefined
}

/** Where the first entry begins that starts with a text. */
function startOf(bytes: Buffer, head: Buffer): number | undefined {
  for (let at = bytes.indexOf(head); at >= 0; at = bytes.indexOf(head, at + 1)) {
    if (at === 0 || bytes[at - 1] === newline) return at
  }
  return undefined
}

/**
 * Searches blocks backwards from `end` (bytes) of the newest part until `found` returns where in one to stand; the oldest place if it
 * never does. `isFound`: the end is that place.
 */
async function placeWhere(
  file: string,
  newest: LogPart,
  end: number,
  found: (bytes: Buffer) => number | undefined,
  isFound = false,
): Promise<Place> {
  let place: Omit<Place, 'before'> = { part: newest.share(), offset: end }
  let isPlaced = isFound
  const before: Buffer[] = []
  const open = new Set<string>()
  const closed = new Set<string>()
  let length = 0
  try {
    for await (const { part, offset, bytes } of blocksBefore(file, newest, end)) {
      for (const stream of streamsIn(bytes).seen) open.add(stream)
      let rest = bytes
      if (!isPlaced) {
        const at = found(bytes)
        isPlaced = at !== undefined
        await place.part.close()
        place = { part: part.share(), offset: offset + (at ?? 0) }
        rest = bytes.subarray(0, at ?? 0)
      }
      if (rest.length === 0) continue
      before.unshift(rest)
      length += rest.length
      for (const stream of streamsIn(rest).ended) closed.add(stream)
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
