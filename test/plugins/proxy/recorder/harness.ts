import Fastify, { type FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { streams } from '../../../../kernel/api/ndjson.ts'
import { StreamSlots } from '../../../../kernel/api/stream/slots.ts'
import { checkSchemas, noCompilers } from '../../../../kernel/api/validation.ts'
import { LocaldError } from '../../../../kernel/errors.ts'
import type { ExchangeDetail, ExchangesAnswer, ExchangeView, ReplayBody } from '../../../../plugins/proxy/provides.ts'
import { type BootOptions, boot, type Running } from '../lib/boot.ts'
import { deadline } from '../lib/wait.ts'

/** A proxy and the API of what it records. */
export interface Inspected extends Running {
  readonly app: FastifyInstance
  list(query?: string): Promise<readonly ExchangeView[]>
  detail(id: string, query?: string): Promise<ExchangeDetail>
  replay(id: string, body?: ReplayBody): Promise<ExchangeView>
  get(path: string): Promise<{ readonly status: number; readonly text: string }>
  /** Looks at requests, so that bodies are kept; collects the rows. */
  look(): { readonly rows: ExchangeView[]; stop(): void }
  /** Waits until a row fits; returns the first. */
  row(fits: (row: ExchangeView) => boolean): Promise<ExchangeView>
}

/** Boots the proxy with the routes of its recorder. */
export async function inspected(t: Test, options: BootOptions = {}): Promise<Inspected> {
  const proxy = await boot(t, options)
  const app = Fastify({ schemaController: { compilersFactory: noCompilers } })
  checkSchemas(app)
  app.setErrorHandler((error, _, reply) => {
    const known = LocaldError.from(error)
    void reply.code(known.code === 'UNKNOWN_REQUEST' ? 404 : 409).send({ error: known.toJSON() })
  })
  await app.register(streams, { slots: new StreamSlots({ rest: () => undefined, discarded: () => undefined }) })
  for (const [prefix, plugin] of proxy.routes) await app.register(plugin, { prefix })
  t.teardown(() => app.close())
  const get = async (path: string) => {
    const { statusCode: status, body: text } = await app.inject({ method: 'GET', url: path })
    return { status, text }
  }
  const list = async (query = '') => {
    const answer: ExchangesAnswer = JSON.parse((await get(`/requests${query}`)).text)
    return answer.requests
  }
  return {
    ...proxy,
    app,
    get,
    list,
    async detail(id, query = '') {
      const detail: ExchangeDetail = JSON.parse((await get(`/requests/${id}${query}`)).text)
      return detail
    },
    async replay(id, body = {}) {
      const { statusCode, body: text } = await app.inject({
        method: 'POST',
        url: `/requests/${id}/replay`,
        payload: body,
      })
      if (statusCode !== 200) throw new Error(text)
      const row: ExchangeView = JSON.parse(text)
      return row
    },
    look() {
      const rows: ExchangeView[] = []
      const stop = new AbortController()
      t.teardown(() => stop.abort())
      const push = (_: string, values: readonly unknown[]): void => void rows.push(...values.filter(isRow))
      const topic = proxy.topics.find(({ name }) => name === 'requests')
      const client = { services: [], tail: 0, after: undefined, signal: stop.signal, push, send: async () => undefined }
      void topic?.open(client)
      return { rows, stop: () => stop.abort() }
    },
    async row(fits) {
      const end = performance.now() + deadline
      for (;;) {
        const found = (await list()).find(fits)
        if (found !== undefined) return found
        if (performance.now() > end) throw new Error(`no such row: ${JSON.stringify(await list())}`)
        await new Promise(resolve => setTimeout(resolve, 5))
      }
    },
  }
}

function isRow(value: unknown): value is ExchangeView {
  return typeof value === 'object' && value !== null && 'id' in value
}
