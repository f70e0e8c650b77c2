import { once } from 'node:events'
import type { FastifyReply } from 'fastify'
import plugin from 'fastify-plugin'
import type { StreamSlots } from './stream/slots.ts'

/** A response of one JSON value a line. */
export interface Lines<T> {
  /** Aborts when the client disconnects. */
  readonly signal: AbortSignal
  /** Writes values without waiting; disconnects a client that does not read them. */
  push(...values: readonly T[]): void
  /** Writes values and waits until the client has read enough of them. */
  send(values: readonly T[]): Promise<void>
}

declare module 'fastify' {
  interface FastifyReply {
    /**
     * Responds with NDJSON. The head is sent with the first line, so an error before that gets a response of its own. A
     * later error becomes the last line, made by `failed`; without `failed` the connection is cut, so that the response
     * does not look complete.
     */
    lines<T>(write: (lines: Lines<T>) => Promise<void>, failed?: (error: unknown) => T): Promise<FastifyReply>
  }
}

/** A client with more unread bytes than this does not read. */
const unreadLimit = 4 * 1024 * 1024

/** Adds `lines` to replies. */
export const streams = plugin<{ readonly slots: StreamSlots }>(async (app, { slots }) => {
  app.decorateReply('lines', async function <
    T,
  >(this: FastifyReply, write: (lines: Lines<T>) => Promise<void>, failed?: (error: unknown) => T) {
    const release = slots.reserve()
    const { raw } = this
    const disconnected = new AbortController()
    raw.on('close', () => disconnected.abort(new Error('the client disconnected')))
    const open = () => {
      if (this.sent) return
      this.hijack()
      raw.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' })
    }
    const push = (...values: readonly T[]) => {
      open()
      // Measured before the write: a single value may be larger than the limit.
      if (raw.writableLength > unreadLimit) raw.destroy()
      if (values.length === 0) raw.flushHeaders()
      if (raw.destroyed || values.length === 0) return true
      // Bytes cost the garbage collector less than strings while they wait.
      return raw.write(Buffer.from(values.map(value => `${JSON.stringify(value)}\n`).join('')))
    }
    const send = async (values: readonly T[]) => {
      if (push(...values) || raw.destroyed) return
      await once(raw, 'drain', { signal: disconnected.signal }).catch(() => undefined)
    }
    try {
      await write({ signal: disconnected.signal, push, send })
    } catch (error) {
      if (!this.sent) throw error
      if (failed === undefined) raw.destroy()
      else push(failed(error))
    } finally {
      release()
    }
    open()
    raw.end()
    return this
  })
})
