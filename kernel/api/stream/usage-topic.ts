import type { Topic, TopicClient } from '../../contract/plugin.ts'
import type { ServiceUsage, StreamUsage } from '../../protocol.ts'

/** Interval of the samples while a client listens and services use something, ms. */
const sampleMs = 2000
/** While nothing changes, each interval is twice the last one, up to this, ms. */
const idleMs = 16_000
/** Memory is rounded to this, bytes: a value that wavers below it is no change. */
const memoryStep = 128 * 1024

interface Sample {
  readonly services: ReadonlyMap<string, ServiceUsage>
  readonly daemon: StreamUsage['daemon']
}

/** Reads the usage of all services. */
export type ReadUsage = () => Promise<readonly ServiceUsage[]>

/**
 * The topic `usage`: CPU and memory of services and of the daemon, sampled once for all clients.
 * @param onEvent calls its argument when a service has changed, until the result is called
 */
export function usageTopic(read: ReadUsage, onEvent: (listener: () => void) => () => void): Topic {
  const sampler = new Sampler(read, onEvent)
  return { name: 'usage', open: client => sampler.add(client) }
}

/** Samples as long as there are clients. */
class Sampler {
  readonly #read: ReadUsage
  readonly #onEvent: (listener: () => void) => () => void
  readonly #clients = new Set<TopicClient>()
  #timer: NodeJS.Timeout | undefined
  #intervalMs = sampleMs
  #off: (() => void) | undefined
  #last: Sample | undefined
  #cpu = { usedUs: 0, atMs: 0 }

  constructor(read: ReadUsage, onEvent: (listener: () => void) => () => void) {
    this.#read = read
    this.#onEvent = onEvent
  }

  add(client: TopicClient): void {
    this.#clients.add(client)
    client.signal.addEventListener('abort', () => this.#remove(client))
    this.#off ??= this.#onEvent(() => this.#shorten())
    this.#intervalMs = sampleMs
    if (this.#clients.size === 1) void this.#run()
    else if (this.#last !== undefined) sendAll([client], this.#last)
  }

  #remove(client: TopicClient): void {
    this.#clients.delete(client)
    if (this.#clients.size > 0) return
    clearTimeout(this.#timer)
    this.#off?.()
    this.#timer = this.#last = this.#off = undefined
  }

  /** Shortens a long interval: what a service does now is not what it did. */
  #shorten(): void {
    if (this.#intervalMs === sampleMs) return
    this.#intervalMs = sampleMs
    this.#plan()
  }

  #plan(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#run(), this.#intervalMs)
  }

  async #run(): Promise<void> {
    const clients = [...this.#clients]
    // Without a descriptor to spare, neither can be read: the next sample may succeed.
    const sample = await this.#sample().catch(() => undefined)
    if (this.#clients.size === 0) return
    if (sample !== undefined) {
      const changed = changesOf(sample, this.#last)
      this.#intervalMs = changed.length === 0 ? Math.min(idleMs, this.#intervalMs * 2) : sampleMs
      this.#send(clients, sample, changed)
    }
    this.#plan()
  }

  #send(clients: readonly TopicClient[], sample: Sample, changed: readonly ServiceUsage[]): void {
    // One that connected meanwhile has no earlier sample.
    const isNew = (client: TopicClient) => !clients.includes(client)
    sendAll([...this.#clients].filter(isNew), sample)
    if (changed.length > 0 || !isSame(sample.daemon, this.#last?.daemon)) send(clients, sample, changed)
    this.#last = sample
  }

  async #sample(): Promise<Sample> {
    const views = await this.#read()
    const services = views.map(({ key, cpu, memory }) => [key, { key, cpu, memory: round(memory) }] as const)
    return { services: new Map(services), daemon: this.#ownUsage() }
  }

  #ownUsage(): StreamUsage['daemon'] {
    const { user, system } = process.cpuUsage()
    const now = { usedUs: user + system, atMs: performance.now() }
    const elapsedMs = now.atMs - this.#cpu.atMs
    const cpu = (now.usedUs - this.#cpu.usedUs) / elapsedMs / 10
    this.#cpu = now
    // The sample itself takes some.
    return { cpu: Math.round(cpu), memory: round(process.memoryUsage.rss()) }
  }
}

function sendAll(clients: readonly TopicClient[], sample: Sample): void {
  send(clients, sample, [...sample.services.values()])
}

function send(clients: readonly TopicClient[], { daemon }: Sample, services: readonly ServiceUsage[]): void {
  const value: StreamUsage = { services, daemon }
  for (const client of clients) client.push('', [value])
}

function changesOf({ services }: Sample, last: Sample | undefined): readonly ServiceUsage[] {
  return [...services.values()].filter(usage => !isSame(usage, last?.services.get(usage.key)))
}

function isSame(a: Omit<ServiceUsage, 'key'>, b: Omit<ServiceUsage, 'key'> | undefined): boolean {
  return a.cpu === b?.cpu && a.memory === b?.memory
}

function round(memory: number): number
function round(memory: number | null): number | null
function round(memory: number | null): number | null {
  return memory === null ? null : Math.round(memory / memoryStep) * memoryStep
}
