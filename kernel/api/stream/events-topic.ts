import type { Topic, TopicClient } from '../../contract/plugin.ts'
import type { LocaldEvent } from '../../events.ts'
import type { Kernel } from '../../kernel.ts'
import type { StreamSnapshot } from '../../protocol.ts'

/** Progress of a step is sent at most this often, ms. */
const stepMs = 200

/** The topic `events`: the state of everything when the client connects, then all events. */
export function eventsTopic({ events, known, projects }: Kernel): Topic {
  return {
    name: 'events',
    open(client) {
      const snapshot: StreamSnapshot = {
        event: 'snapshot',
        services: projects.services(undefined).map(({ state }) => state.view()),
        projects: known.list(),
      }
      client.push('', [snapshot])
      const steps = new StepEvents(client)
      const off = events.on(event => {
        if (event.event === 'step') return steps.add(event)
        steps.flush()
        client.push('', [event])
      })
      client.signal.addEventListener('abort', () => {
        off()
        steps.close()
      })
    },
  }
}

type StepEvent = Extract<LocaldEvent, { event: 'step' }>

/** Sends only the last of several steps of a service: a download reports hundreds a second. */
class StepEvents {
  readonly #client: TopicClient
  readonly #steps = new Map<string, StepEvent>()
  #timer: NodeJS.Timeout | undefined

  constructor(client: TopicClient) {
    this.#client = client
  }

  add(step: StepEvent): void {
    this.#steps.set(step.key, step)
    this.#timer ??= setTimeout(() => this.flush(), stepMs)
  }

  flush(): void {
    this.close()
    this.#client.push('', [...this.#steps.values()])
    this.#steps.clear()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
