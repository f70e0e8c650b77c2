import type { Block } from './block.ts'
import type { Kind } from './fold.ts'

/** Blocks of a sequence that is looked for: a crash prints a few. */
const longest = 10

/**
 * Joins sequences of blocks that follow themselves, in their order: of five crashes that print the same, each block
 * is there once, with a count.
 */
export function joinRepeats(blocks: readonly Block[]): readonly Kind[] {
  const kinds: Kind[] = []
  for (let start = 0; start < blocks.length; ) {
    const { length, times } = findRepeat(blocks, start)
    for (const [index, block] of blocks.slice(start, start + length).entries()) {
      const last = blocks[start + length * (times - 1) + index] ?? block
      const { service, text } = block
      kinds.push({ service, template: '', count: times, gravity: 0, first: block.time, last: last.time, text })
    }
    start += length * times
  }
  return kinds
}

/** Returns the sequence at a place that covers most by its repetitions; of one block, once, where none is repeated. */
function findRepeat(blocks: readonly Block[], start: number): { readonly length: number; readonly times: number } {
  let best = { length: 1, times: 1 }
  for (let length = 1; length <= longest; length += 1) {
    let equal = 0
    while (isEqual(blocks[start + equal], blocks[start + equal + length])) equal += 1
    const times = Math.floor(equal / length) + 1
    if (times > 1 && times * length > best.times * best.length) best = { length, times }
  }
  return best
}

function isEqual(one: Block | undefined, other: Block | undefined): boolean {
  return one !== undefined && other !== undefined && one.service === other.service && one.text === other.text
}
