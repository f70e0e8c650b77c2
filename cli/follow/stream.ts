import { setTimeout } from 'node:timers/promises'
import { LocaldError } from '../../kernel/errors.ts'
import type { Paths } from '../../kernel/system/paths.ts'
import { type Client, findDaemon, findOrReviveDaemon, type Stream } from '../daemon/client.ts'
import { exitWithReader } from '../output/reader.ts'

/** A command that restarts the daemon starts the next one: wait this long for it before starting one here, ms */
const patienceMs = 1000
const stepMs = 50
/** After a stream that breaks sooner there is a pause, which grows, ms. */
const shortMs = 1000
const longestPauseMs = 500
/** It fails after this many of those in a row without a value. */
const mostIdle = 10

/** A stream without an end, and what to do with its values. */
export interface EndlessStream<T> {
  /** Requests it; again with each next daemon, and after `reopen`. */
  open(daemon: Client): Stream<T>
  /** Takes values; returns whether there was anything new in them. */
  take(values: readonly T[]): Promise<boolean> | boolean
}

/** Reads a stream of the daemon, and of the next daemon when that one exits: services keep running meanwhile. */
export class StreamFollower<T> {
  readonly #paths: Paths
  readonly #endless: EndlessStream<T>
  #stream: Stream<T> | undefined
  #isClosed = false
  #isStale = false
  #hasNews = false

  constructor(paths: Paths, endless: EndlessStream<T>) {
    this.#paths = paths
    this.#endless = endless
  }

  /**
   * Resolves when the daemon closes the stream, after `close`, or, with its error, when the daemon exited and left no
   * services for another one to adopt.
   */
  async run(first: Client): Promise<LocaldError | undefined> {
    const unwatch = exitWithReader(this.#paths)
    try {
      return await this.#follow(first)
    } finally {
      unwatch()
    }
  }

  /** Requests the stream again, when its query has changed. */
  reopen(): void {
    this.#isStale = true
    this.#stream?.close()
  }

  close(): void {
    this.#isClosed = true
    this.#stream?.close()
  }

  async #follow(first: Client): Promise<LocaldError | undefined> {
    let daemon = first
    for (let short = 0, idle = 0; !this.#isClosed; ) {
      const begunMs = Date.now()
      this.#hasNews = false
      const broken = await this.#read(this.#endless.open(daemon))
      if (this.#isClosed) return undefined
      if (this.#isStale) {
        this.#isStale = false
        continue
      }
      if (broken === undefined) return undefined
      short = Date.now() - begunMs < shortMs ? short + 1 : 0
      idle = this.#hasNews || short === 0 ? 0 : idle + 1
      if (idle >= mostIdle) throw broken
      if (short > 1) await setTimeout(Math.min(short * stepMs, longestPauseMs))
      const next = await nextDaemon(this.#paths)
      if (next === undefined) return withoutServices(broken)
      daemon = next
    }
    daemon.close()
    return undefined
  }

  /** Reads the stream; returns the error of a daemon that exited, throws any other. */
  async #read(stream: Stream<T>): Promise<LocaldError | undefined> {
    this.#stream = stream
    try {
      for await (const values of stream.batches) if (await this.#endless.take(values)) this.#hasNews = true
      return undefined
    } catch (error) {
      if (LocaldError.is(error) && ['DAEMON_UNREACHABLE', 'DAEMON_CLOSING'].includes(error.code)) return error
      throw error
    }
  }
}

/** Returns the error of a daemon that has also stopped its services. */
function withoutServices({ code, message }: LocaldError): LocaldError {
  return new LocaldError(code, message, { hint: 'Run `locald up`: its services have stopped, too.' })
}

async function nextDaemon(paths: Paths): Promise<Client | undefined> {
  for (const untilMs = Date.now() + patienceMs; Date.now() < untilMs; await setTimeout(stepMs)) {
    const found = await findDaemon(paths)
    if (found !== undefined) return found
  }
  return await findOrReviveDaemon(paths)
}
