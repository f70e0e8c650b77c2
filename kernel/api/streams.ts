import { once } from 'node:events'
import type { FastifyReply } from 'fastify'
import plugin from 'fastify-plugin'

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
    /** Answers with NDJSON. The head is sent with the first line: what is thrown before is answered as an error. */
    lines<T>(write: (lines: Lines<T>) => Promise<void>): Promise<FastifyReply>
  }
}

/** More than this waiting for a client means that it does not read: bytes. */
const pileLimit = 16 * 1024 * 1024

/** Gives replies `lines`. */
export const streams = plugin(async app => {
  app.decorateReply('lines', async function <T>(this: FastifyReply, write: (lines: Lines<T>) => Promise<void>) {
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
      if (raw.destroyed || values.length === 0) return true
      const fits = raw.write(values.map(value => `${JSON.stringify(value)}\n`).join(''))
      if (raw.writableLength > pileLimit) raw.destroy()
      return fits
    }
    const send = async (values: readonly T[]) => {
      if (tell(...values) || raw.destroyed) return
      await once(raw, 'drain', { signal: gone.signal }).catch(() => undefined)
    }
    await write({ signal: gone.signal, tell, send })
    open()
    raw.end()
    return this
  })
})
