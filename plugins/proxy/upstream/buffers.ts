/** Buffers to write from, reused once they were written: allocating one for each piece costs more than the piece. */
export class BufferPool {
  readonly #size: number
  readonly #max: number
  readonly #free: Buffer[] = []

  /** @param size of each buffer, in bytes @param max number of free buffers to keep */
  constructor(size: number, max: number) {
    this.#size = size
    this.#max = max
  }

  /**
   * Copies the pieces into one buffer, after a head in latin1. `done` must be called after the write, with its error.
   */
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
      // After a failed write the buffer may still be referenced.
      if (fits && !error && this.#free.length < this.#max) this.#free.push(slot)
    }
    return { bytes: slot.subarray(0, at), done }
  }

  /** Frees all unused buffers. */
  clear(): void {
    this.#free.length = 0
  }
}

/** Large enough for one read, with a head before it. */
export const slots = new BufferPool(80 * 1024, 64)

export function sizeOf(pieces: readonly Buffer[]): number {
  let size = 0
  for (const piece of pieces) size += piece.length
  return size
}

const nothing = { bytes: Buffer.alloc(0), done: (): void => undefined }

/** Copies the pieces into one buffer. `done` must be called after the write. */
export function copyPieces(pieces: readonly Buffer[]): ReturnType<BufferPool['join']> {
  if (pieces.length === 0) return nothing
  const size = sizeOf(pieces)
  // Small buffers share a slab of Node's.
  return size <= 4096 ? { bytes: Buffer.concat(pieces, size), done: nothing.done } : slots.join('', pieces, size)
}
