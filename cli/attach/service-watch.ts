import { LocaldError } from '../../kernel/errors.ts'
import type { LocaldEvent, ServiceView } from '../../kernel/events.ts'
import type { StreamSnapshot } from '../../kernel/protocol.ts'
import type { Paths } from '../../kernel/system/paths.ts'
import type { Client } from '../daemon/client.ts'
import type { TopicBatch } from '../daemon/topics.ts'
import { StreamFollower } from '../follow/stream.ts'
import { isSettled, stateOf } from '../output/service-state.ts'

/** A service that exits may be started again at once, as by `locald restart`: wait for it, ms */
const graceMs = 300

/** Follows the state of a service until it stays stopped. */
export class ServiceWatch {
  readonly #follower: StreamFollower<TopicBatch>
  #view: ServiceView
  #timer: NodeJS.Timeout | undefined
  #stop: () => void = () => {}
  readonly #stopped = new Promise<void>(resolve => {
    this.#stop = resolve
  })

  constructor(paths: Paths, view: ServiceView) {
    this.#view = view
    this.#follower = new StreamFollower(paths, {
      open: daemon => daemon.topics(['events'], {}, 'following the service'),
      take: batches => {
        for (const batch of batches) if (batch.topic === 'events') for (const event of batch.values) this.#apply(event)
        return true
      },
    })
  }

  /** Resolves with what has happened when the service stays stopped. Throws the error of a daemon that has exited. */
  async run(daemon: Client): Promise<string> {
    const lost = this.#follower.run(daemon).then(error => {
      throw error ?? new LocaldError('DAEMON_UNREACHABLE', 'lost connection to the daemon')
    })
    await Promise.race([this.#stopped, lost])
    // After `close` it is no error.
    lost.catch(() => undefined)
    const { name, reason } = this.#view
    return `${name} ${stateOf(this.#view)}${reason === null ? '' : `: ${reason}`}`
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#follower.close()
  }

  #apply(event: StreamSnapshot | LocaldEvent): void {
    if (event.event === 'snapshot') {
      const view = event.services.find(({ key }) => key === this.#view.key)
      if (view === undefined) this.#stop()
      else this.#change(view)
    } else if (event.event === 'service' && event.service.key === this.#view.key) this.#change(event.service)
    else if (event.event === 'removed' && event.key === this.#view.key) this.#stop()
  }

  #change(view: ServiceView): void {
    this.#view = view
    clearTimeout(this.#timer)
    if (isSettled(view)) this.#timer = setTimeout(this.#stop, graceMs)
  }
}
