import { type ErrorJson, LocaldError } from '../../kernel/errors.ts'
import type { LocaldEvent } from '../../kernel/events.ts'
import type { StreamSnapshot, StreamUsage } from '../../kernel/protocol.ts'
import type { ExchangeView } from '../../plugins/proxy/provides.ts'
import { linesOf } from './lines.ts'

/** Values of one topic of `GET /v1/stream`. */
export type TopicBatch =
  | { readonly topic: 'events'; readonly values: readonly (StreamSnapshot | LocaldEvent)[] }
  | { readonly topic: 'usage'; readonly values: readonly StreamUsage[] }
  | { readonly topic: 'requests'; readonly values: readonly ExchangeView[] }

/**
 * Reads server-sent events (WHATWG HTML 9.2.6), as far as the daemon writes them: each is a batch of a topic. Throws the
 * daemon's problem with a topic.
 */
export async function* topicsOf(body: AsyncIterable<Buffer>): AsyncGenerator<readonly TopicBatch[]> {
  let topic = ''
  let data = ''
  for await (const lines of linesOf(body)) {
    const batches: TopicBatch[] = []
    for (const line of lines) {
      if (line.startsWith('event: ')) topic = line.slice('event: '.length)
      else if (line.startsWith('data: ')) data = line.slice('data: '.length)
      else if (line === '' && data !== '') {
        batches.push(batchOf(topic, data))
        topic = data = ''
      }
    }
    if (batches.length > 0) yield batches
  }
}

function batchOf(topic: string, data: string): TopicBatch {
  if (topic === 'problem') {
    const { error }: { error: ErrorJson } = JSON.parse(data)
    throw LocaldError.fromJSON(error)
  }
  return JSON.parse(`{"topic":${JSON.stringify(topic)},"values":${data}}`)
}
