import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Memory } from '../contract/plugin.ts'
import { loadNativeModule, type NativeModule } from './native-module.ts'

/*
 * The memory policy of a running daemon. What must be set before it starts, V8's flags and malloc(3)'s variables, is in
 * cli/daemon/start.ts and cli/daemon/environment.ts.
 */

/**
 * V8 collects when the heap has grown by this much since the last time, in percent; its default lets the heap grow to a
 * multiple.
 */
const growth = 60
/** A heap of this size belongs to a daemon that has been busy: bytes. */
const largeHeap = 64 * 1024 * 1024
/** So does a process of this size: bytes. */
const large = 112 * 1024 * 1024
/** A process that needs this much is shrunk once it has grown by this factor. */
const worth = 1.2
/** Memory is returned after this much quiet: ms. */
const quietMs = 1000
/** What one collection releases the next one frees, and the pages that this empties the third returns to the system. */
const rounds = 3
/**
 * V8 lets 32 MB and more of buffers become garbage before it collects; the young generation is collected after this
 * much: bytes.
 */
const discardedLimit = 8 * 1024 * 1024

/**
 * Keeps the daemon's memory near what it needs. V8 collects when something is allocated: an idle daemon would keep its
 * garbage.
 */
export class DaemonMemory implements Memory {
  readonly #folder: string
  #module: NativeModule | undefined
  #timer: NodeJS.Timeout | undefined
  #native = false
  /** The size of the process after it was shrunk last: bytes. */
  #least = 0
  #discarded = 0

  /** `native`: the folder of the native programs. */
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

  /** Collects the young generation, which takes a millisecond, after 8 MB. */
  discarded(bytes: number): void {
    this.#discarded += bytes
    if (this.#discarded < discardedLimit) return
    this.#discarded = 0
    void collect('minor')
  }

  /** Asks V8 for the size of its heap first: that of the process takes a read of /proc on Linux. */
  #isLarge(): boolean {
    if (getHeapStatistics().total_heap_size > largeHeap) return true
    return this.#native && process.memoryUsage.rss() > Math.max(large, this.#least * worth)
  }

  async #shrink(left: number): Promise<void> {
    await collect('major')
    if (left > 1) this.#timer = setTimeout(() => this.#shrink(left - 1), quietMs).unref()
    else this.#release()
  }

  /** Makes malloc(3) return free memory: glibc's keeps it for as long as something in use lies behind it. */
  #release(): void {
    this.#module ??= loadNativeModule(this.#folder)
    this.#module.trim()
    this.#least = process.memoryUsage.rss()
  }
}

type CollectGarbage = (options: {
  readonly type: 'minor' | 'major'
  readonly execution: 'sync' | 'async'
}) => Promise<void> | undefined

let collectGarbage: CollectGarbage | undefined

/**
 * Collects garbage. `minor`: recent allocations, before it returns; `major`: everything, in a task of its own, as from
 * within another one V8 keeps what native objects hold, such as the sessions of TLS.
 */
async function collect(type: 'minor' | 'major'): Promise<void> {
  if (collectGarbage === undefined) {
    setFlagsFromString('--expose-gc')
    const exposed: CollectGarbage = runInNewContext('gc')
    collectGarbage = exposed
  }
  await collectGarbage({ type, execution: type === 'minor' ? 'sync' : 'async' })
}
