import { messageOf } from '../../../kernel/errors.ts'
import type { ExchangesAnswer, ExchangeView } from '../../../plugins/proxy/provides.ts'
import type { Client, Stream } from '../../daemon/client.ts'
import type { TopicBatch } from '../../daemon/topics.ts'

/** What is called with what comes. */
export interface RequestFeedEvents {
  /** What was known is of another daemon, or of an earlier time. */
  opened(): void
  /** Requests that are new or have changed. */
  rows(rows: readonly ExchangeView[]): void
  failed(message: string): void
}

/** How many requests of the past are read. */
const pastRequests = 1000
const off = 'Requests are not recorded: remove `record = "off"` from [proxy] in config.toml.'

/** Follows the requests that the proxy receives, while they are shown: the proxy keeps bodies meanwhile. */
export class RequestFeed {
  readonly #events: RequestFeedEvents
  #daemon: Client | undefined
  #isOn = false
  #stream: Stream<TopicBatch> | undefined

  constructor(events: RequestFeedEvents) {
    this.#events = events
  }

  /** Follows them, or stops. */
  set isOn(isOn: boolean) {
    if (isOn === this.#isOn) return
    this.#isOn = isOn
    this.#open()
  }

  /** Continues with this daemon; undefined: there is none now. */
  use(daemon: Client | undefined): void {
    if (daemon === this.#daemon) return
    this.#daemon = daemon
    this.#open()
  }

  close(): void {
    this.#stream?.close()
    this.#stream = undefined
  }

  #open(): void {
    this.close()
    if (this.#isOn && this.#daemon !== undefined) void this.#read(this.#daemon)
  }

  async #read(daemon: Client): Promise<void> {
    const stream = daemon.topics(['requests'], { tail: pastRequests }, 'reading requests')
    this.#stream = stream
    this.#events.opened()
    try {
      void this.#checkRecording(daemon, stream)
      for await (const batches of stream.batches) {
        if (stream !== this.#stream) return
        for (const batch of batches) if (batch.topic === 'requests') this.#events.rows(batch.values)
      }
    } catch (error) {
      if (stream === this.#stream) this.#events.failed(messageOf(error))
    }
  }

  async #checkRecording(daemon: Client, stream: Stream<TopicBatch>): Promise<void> {
    const answer = await daemon.get<ExchangesAnswer>('/v1/requests', { tail: 0 }).catch(() => undefined)
    if (answer?.record === 'off' && stream === this.#stream) this.#events.failed(off)
  }
}
