import { join } from 'node:path'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { collectGarbage } from '../contract/memory.ts'
import type { Memory } from '../contract/plugin.ts'

/** Garbage is collected when the heap has grown by so much since the last time, in percent; V8 by itself lets it grow to a multiple. */
const growth = 60
/** A heap of this size is that of a daemon which has had much to do: bytes. */
const largeHeap = 64 * 1024 * 1024
/** As large a process: bytes. */
const large = 112 * 1024 * 1024
/** One that needs as much is made smaller when it has grown by this factor. */
const worth = 1.2
/** After so long without it, it is made small: ms. */
const quietMs = 1000
/** What one collection has let go of the next frees, and what that has emptied the one after it gives back to the system. */
const rounds = 3

/** Keeps the daemon's memory near to what it needs. V8 collects when something is allocated: an idle daemon would keep its garbage. */
export class DaemonMemory implements Memory {
  readonly #folder: string
  #trim: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #native = false
  /** What was left the last time: bytes. */
  #least = 0

  /** @param native the folder of the native programs */
  constructor(native: string) {
    this.#folder = native
    setFlagsFromString(`--heap-growing-percent=${growth}`)
  }

  rest(left: 'garbage' | 'native'): void {
    if (left === 'native') this.#native = true
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      if (this.#isLarge()) this.#shrink(rounds)
      this.#native = false
    }, quietMs).unref()
  }

  /** To ask for the size of the process is a look into /proc on Linux: V8 knows that of its heap. */
  #isLarge(): boolean {
    if (getHeapStatistics().total_heap_size > largeHeap) return true
    return this.#native && process.memoryUsage.rss() > Math.max(large, this.#least * worth)
  }

  async #shrink(left: number): Promise<void> {
    await collectGarbage('major')
    if (left > 1) this.#timer = setTimeout(() => this.#shrink(left - 1), quietMs).unref()
    else this.#release()
  }

  /** Has malloc(3) give back what is free: glibc's keeps it for as long as something lies behind it. */
  #release(): void {
    this.#trim ??= trimOf(this.#folder)
    this.#trim()
    this.#least = process.memoryUsage.rss()
  }
}

/** malloc_trim(3), by a module of Node.js (native/malloc-trim); nothing where there is none, as on macOS. */
function trimOf(native: string): () => void {
  const module: { exports: unknown } = { exports: {} }
  try {
    process.dlopen(module, join(native, 'locald-memory.node'))
  } catch {
    return () => undefined
  }
  const { exports } = module
  const trim: unknown = typeof exports === 'object' && exports !== null ? Reflect.get(exports, 'trim') : undefined
  return typeof trim === 'function' ? () => void trim() : () => undefined
}
