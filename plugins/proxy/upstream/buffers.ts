import type { Memory } from '../../../kernel/contract/plugin.ts'

/** Memory to write from, used again once it was written: what is allocated anew for each piece costs more than the piece. */
export class Slots {
  readonly #size: number
  readonly #most: number
  readonly #free: Buffer[] = []

  /** @param size bytes of each @param most of them are kept */
  constructor(size: number, most: number) {
    this.#size = size
    this.#most = most
  }

  /** The pieces in one buffer, after a head in latin1; `done` is to be called when it was written, with why not. */
  join(
    head: string,
    pieces: readonly Buffer[],
    size: number,
  ): { readonly bytes: Buffer; readonly done: (error?: Error | null) => void } {
    const fits = size <= this.#size
    const slot = fits ? (this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#size)) : Buffer.allocUnsafeSlow(size)
    let at = slot.write(head, 0, 'latin1')
    for (const piece of pieces) {
      slot.set(piece, at)
      at += piece.length
    }
    const done = (error?: Error | null): void => {
      // Of one that was not written nobody knows who still holds it.
      if (fits && !error && this.#free.length < this.#most) this.#free.push(slot)
    }
    return { bytes: slot.subarray(0, at), done }
  }

  /** Keeps none, for now. */
  clear(): void {
    this.#free.length = 0
  }
}

/** For pieces as large as a read, with a head before. */
export const slots = new Slots(80 * 1024, 64)

export function sizeOf(pieces: readonly Buffer[]): number {
  let size = 0
  for (const piece of pieces) size += piece.length
  return size
}

const nothing = { bytes: Buffer.alloc(0), done: (): void => undefined }

/** A copy of the pieces in one; `done` is to be called when it was written. */
export function copied(pieces: readonly Buffer[]): ReturnType<Slots['join']> {
  if (pieces.length === 0) return nothing
  const size = sizeOf(pieces)
  // Small ones share a slab of Node's own.
  return size <= 4096 ? { bytes: Buffer.concat(pieces, size), done: nothing.done } : slots.join('', pieces, size)
}

let discarded: Memory['discarded'] = () => {}

/** Reports discarded buffers to the daemon's memory from now on. */
export function reportDiscarded(memory: Memory): void {
  discarded = bytes => memory.discarded(bytes)
}

/** Reports that so many bytes of a large body were read into buffers of their own, which are soon garbage. */
export function spent(bytes: number): void {
  discarded(bytes)
}
