import { setTimeout } from 'node:timers/promises'
import { LocaldError } from '../../kernel/errors.ts'
import type { Paths } from '../../kernel/system/paths.ts'
import { type Client, find, findOrRevive, type Stream } from '../daemon/client.ts'

/** Who restarts a daemon starts the next one: it is looked for this long before one is started from here. ms */
const patienceMs = 1000
const stepMs = 50
/** A stream that breaks sooner is followed by a pause, ms, which grows. */
const shortMs = 1000
const longestPauseMs = 500
/** After so many of those in a row that bring nothing it is given up. */
const mostIdle = 10

/** A stream without an end, and what is done with it. */
export interface Endless<T> {
  /** Asks for it; again with each next daemon, and after `reopen`. */
  open(daemon: Client): Stream<T>
  /** Whether there was news in them. */
  take(values: readonly T[]): Promise<boolean> | boolean
}

/** Reads a stream of the daemon, and of the next daemon when that one has ended: services live on meanwhile. */
export class Follower<T> {
  readonly #paths: Paths
  readonly #endless: Endless<T>
  #stream: Stream<T> | undefined
  #isClosed = false
  #isStale = false
  #hasNews = false

  constructor(paths: Paths, endless: Endless<T>) {
    this.#paths = paths
    this.#endless = endless
  }

  /**
   * Resolves when the daemon ends the stream, after `close`, or, with its error, when the daemon has ended and nothing is left for
   * another one to take over.
   */
  async run(first: Client): Promise<LocaldError | undefined> {
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

  /** Asks for the stream once more, as something else is wanted of it. */
  reopen(): void {
    this.#isStale = true
    this.#stream?.close()
  }

  close(): void {
    this.#isClosed = true
    this.#stream?.close()
  }

  /** The error of a daemon that has ended; any other is thrown. */
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

/** The error of a daemon that has stopped its services, too. */
function withoutServices({ code, message }: LocaldError): LocaldError {
  return new LocaldError(code, message, { hint: 'None of its services is left: `locald up` starts a project again.' })
}

async function nextDaemon(paths: Paths): Promise<Client | undefined> {
  for (const untilMs = Date.now() + patienceMs; Date.now() < untilMs; await setTimeout(stepMs)) {
    const found = await find(paths)
    if (found !== undefined) return found
  }
  return await findOrRevive(paths)
}
