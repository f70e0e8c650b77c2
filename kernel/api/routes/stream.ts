import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import type { Topic, TopicClient } from '../../contract/plugin.ts'
import { LocaldError, messageOf } from '../../errors.ts'
import type { Kernel } from '../../kernel.ts'
import type { StreamQuery } from '../../protocol.ts'
import { closest } from '../../system/suggest.ts'
import { eventStream } from '../schemas/answers.ts'
import { streamQuery } from '../schemas/requests.ts'
import { eventsTopic } from '../stream/events-topic.ts'
import { logsTopic } from '../stream/logs-topic.ts'
import { runsTopic } from '../stream/runs-topic.ts'
import type { StreamSlots } from '../stream/slots.ts'
import { usageTopic } from '../stream/usage-topic.ts'
import { decodePositions, StreamWriter } from '../stream/writer.ts'

/** The route of the one stream that a page reads: server-sent events of the topics that it asks for. */
export function streamRoutes(kernel: Kernel, slots: StreamSlots): FastifyPluginAsync {
  const { events, projects, usage } = kernel
  const onEvent = (listener: () => void) => events.on(({ event }) => void (event === 'service' && listener()))
  const own = [
    eventsTopic(kernel),
    logsTopic(kernel),
    runsTopic(kernel),
    usageTopic(() => usage.of(projects.services(undefined)), onEvent),
  ]
  const schema = { summary: 'Follow several topics', querystring: streamQuery, response: eventStream }
  return async app => {
    app.get<{ Querystring: StreamQuery }>('/stream', { schema }, async ({ query, headers }, reply) => {
      const resumed = headers['last-event-id']
      const id = (Array.isArray(resumed) ? resumed[0] : resumed) ?? query.after
      const positions = id === undefined ? new Map<string, string>() : decodePositions(id)
      if (positions === undefined) {
        throw new LocaldError('REQUEST_INVALID', `invalid position '${id}'`, {
          hint: 'Send the id of an event of this stream.',
        })
      }
      const release = slots.reserve()
      reply.raw.on('close', release)
      const topics = [...own, ...kernel.contributions.topics()]
      follow(reply, topics, query, positions)
      return reply
    })
  }
}

function follow(
  reply: FastifyReply,
  topics: readonly Topic[],
  { topic: names, service, tail }: StreamQuery,
  positions: ReadonlyMap<string, string>,
): void {
  reply.hijack()
  // A topic that is not followed now begins afresh later.
  const own = new Map([...positions].filter(([name]) => names.includes(name)))
  const writer = new StreamWriter(reply.raw, own)
  for (const name of new Set(names)) {
    const client: TopicClient = {
      services: service ?? [],
      tail,
      after: positions.get(name),
      signal: writer.signal,
      push: (position, values) => writer.push(name, position, values),
      send: (position, values) => {
        writer.push(name, position, values)
        return writer.drained()
      },
    }
    void open(topics, name, client).catch((error: unknown) => {
      if (!writer.signal.aborted) writer.problem({ topic: name, error: toJson(error) })
    })
  }
}

async function open(topics: readonly Topic[], name: string, client: TopicClient): Promise<void> {
  const topic = topics.find(it => it.name === name)
  if (topic !== undefined) return await topic.open(client)
  const known = topics.map(it => it.name)
  const near = closest(name, known)
  throw new LocaldError('REQUEST_INVALID', `unknown topic '${name}'`, {
    hint: near === undefined ? `Use one of: ${known.join(', ')}.` : `Did you mean '${near}'?`,
  })
}

function toJson(error: unknown) {
  return (LocaldError.is(error) ? error : new LocaldError('INTERNAL', messageOf(error))).toJSON()
}
