import { once } from 'node:events'
import type { FastifyReply } from 'fastify'
import plugin from 'fastify-plugin'
import type { Memory } from '../contract/plugin.ts'
import { LocaldError } from '../errors.ts'

/** A response of one JSON value a line. */
export interface Lines<T> {
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal
  /** Writes values at once; a client that lets them pile up is cut off. */
  tell(...values: readonly T[]): void
  /** Writes values, and waits until the client has room for more. */
  send(values: readonly T[]): Promise<void>
}

declare module 'fastify' {
  interface FastifyReply {
    /**
     * Answers with NDJSON. The head is sent with the first line: what is thrown before is answered as an error. What is thrown after it
     * is told by a last line, as `failed` makes it; without that the connection is cut, so that nobody takes the answer for whole.
     */
    lines<T>(write: (lines: Lines<T>) => Promise<void>, failed?: (error: unknown) => T): Promise<FastifyReply>
  }
}

/** More than this waiting for a client means that it does not read: bytes. */
const pileLimit = 4 * 1024 * 1024
/** Streams at once: each may hold a file, and what its client has not read yet. */
const streamLimit = 512

/** Gives replies `lines`. */
export const streams = plugin<{ readonly memory: Memory }>(async (app, { memory }) => {
  let streaming = 0
  app.decorateReply('lines', async function <
    T,
  >(this: FastifyReply, write: (lines: Lines<T>) => Promise<void>, failed?: (error: unknown) => T) {
    if (streaming >= streamLimit) {
      throw new LocaldError('DAEMON_BUSY', `the daemon has ${streamLimit} clients that follow something already`, {
        hint: 'End some: `locald logs -f`, `up`, `wait`, dashboards.',
      })
    }
    const { raw } = this
    const gone = new AbortController()
    raw.on('close', () => gone.abort(new Error('the client is gone')))
    const open = () => {
      if (this.sent) return
      this.hijack()
      raw.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' })
    }
    const tell = (...values: readonly T[]) => {
      open()
      // Judged by what waits already: one answer may be larger than the limit.
      if (raw.writableLength > pileLimit) raw.destroy()
      if (raw.destroyed || values.length === 0) return true
      // As bytes it is no burden to the garbage collection while it waits.
      return raw.write(Buffer.from(values.map(value => `${JSON.stringify(value)}\n`).join('')))
    }
    const send = async (values: readonly T[]) => {
      if (tell(...values) || raw.destroyed) return
      await once(raw, 'drain', { signal: gone.signal }).catch(() => undefined)
    }
    streaming += 1
    try {
      await write({ signal: gone.signal, tell, send })
    } catch (error) {
      if (!this.sent) throw error
      if (failed === undefined) raw.destroy()
      else tell(failed(error))
    } finally {
      streaming -= 1
      if (streaming === 0) memory.rest('garbage')
    }
    open()
    raw.end()
    return this
  })
})
