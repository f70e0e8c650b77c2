import type { Topic, TopicClient } from '../../contract/plugin.ts'
import type { Kernel } from '../../kernel.ts'
import { LogPosition } from '../../logs/log-position.ts'
import { readLogs } from '../../logs/merge.ts'

/** Past lines of all services together that a client gets without `tail`. */
const defaultTail = 200

/** The topic `logs`: lines of services, also of those that are added later. */
export function logsTopic(kernel: Kernel): Topic {
  return {
    name: 'logs',
    async open(client) {
      const position = LogPosition.parse(client.after) ?? new LogPosition(new Date().toISOString())
      let tail = client.after === undefined ? (client.tail ?? defaultTail) : undefined
      while (!client.signal.aborted) {
        await readUntilChanged(kernel, client, position, tail)
        tail = undefined
      }
    },
  }
}

/** Sends lines from a position until there are other services to read. */
async function readUntilChanged(
  { events, projects }: Kernel,
  client: TopicClient,
  position: LogPosition,
  tail: number | undefined,
): Promise<void> {
  const wanted = new Set(client.services)
  const read = () =>
    projects.services(undefined).filter(({ ref }) => client.services.length === 0 || wanted.has(ref.key))
  const services = read()
  const keys = new Set(services.map(({ ref }) => ref.key))
  position.cover([...keys], client.services.length === 0)
  // A client that is cut before the next line resumes here.
  client.push(position.toString(), [])
  const changed = new AbortController()
  const off = events.on(({ event }) => {
    if (event === 'service' && read().some(({ ref }) => !keys.has(ref.key))) changed.abort()
  })
  try {
    const { since, anchors } = position.resume()
    const sources = services.map(({ ref: { key }, log }) => ({
      ...{ service: key, log, after: anchors.get(key) },
      // Lines that a service has from before it was followed are not sent, except as the tail.
      since: tail === undefined ? since.get(key) : undefined,
    }))
    const signal = AbortSignal.any([client.signal, changed.signal])
    for await (const lines of readLogs({ sources, tail, follow: true, signal })) {
      position.take(lines)
      await client.send(position.toString(), lines)
    }
  } finally {
    off()
  }
}
