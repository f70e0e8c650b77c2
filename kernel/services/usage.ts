import type { Log, ProcessTree } from '../contract/plugin.ts'
import { messageOf } from '../errors.ts'
import type { ServiceView } from '../events.ts'
import type { Container } from '../plugins/container.ts'
import type { Service } from './service.ts'
import { UsageSamples } from './usage-samples.ts'

interface Sample {
  readonly pid: number
  readonly cpuMs: number
  /** ms of performance.now() */
  readonly atMs: number
}

/** Samples closer together than this say nothing about the load: ms. */
const shortestMs = 200
/** An older sample says too little about the present: ms. */
const longestMs = 60_000

/** Adds resource usage to views of services. Samples on request only. */
export class UsageView {
  readonly #container: Container
  readonly #log: Log
  readonly #samples = new Map<string, Sample>()
  readonly #past = new Map<string, UsageSamples>()

  constructor(container: Container, log: Log) {
    this.#container = container
    this.#log = log
  }

  /**
   * Returns CPU in percent of one core since the last sample, or since the start, and memory in bytes. Nulls where
   * nothing runs.
   */
  async of(services: readonly Service[]): Promise<readonly ServiceView[]> {
    const trees = services.flatMap(service => {
      const tree = service.supervisor.instance?.tree
      return tree === undefined ? [] : [{ key: service.ref.key, tree }]
    })
    const usage = await this.#sample(trees)
    const views = services.map(({ state, ref }) => ({ ...state.view(), ...usage.get(ref.key) }))
    for (const { ref, supervisor } of services) if (supervisor.instance === undefined) this.#samples.delete(ref.key)
    for (const [key, { cpu, memory }] of usage) this.#keep(key, cpu, memory)
    return views
  }

  /** Returns a service's usage at the times when someone asked for it, the oldest first. */
  past(key: string): ReturnType<UsageSamples['list']> {
    return this.#past.get(key)?.list() ?? []
  }

  #keep(key: string, cpu: number, memory: number): void {
    const samples = this.#past.get(key) ?? new UsageSamples()
    this.#past.set(key, samples)
    samples.add(Date.now(), cpu, memory)
  }

  async #sample(
    trees: readonly { readonly key: string; readonly tree: ProcessTree }[],
  ): Promise<ReadonlyMap<string, { readonly cpu: number; readonly memory: number }>> {
    const table = this.#container.optional('processTable')
    if (table === undefined || trees.length === 0) return new Map()
    try {
      const used = await table.usage(trees.map(({ tree }) => tree))
      return new Map(
        trees.flatMap(({ key, tree }, index) => {
          const usage = used[index]
          return usage === undefined ? [] : [[key, { cpu: this.#cpu(key, tree, usage.cpuMs), memory: usage.memory }]]
        }),
      )
    } catch (error) {
      this.#log.warn(`could not read the resource usage: ${messageOf(error)}`)
      return new Map()
    }
  }

  #cpu(key: string, tree: ProcessTree, cpuMs: number): number {
    const now = performance.now()
    const last = this.#samples.get(key)
    const fits = last?.pid === tree.pid && now - last.atMs <= longestMs && last.cpuMs <= cpuMs
    const from = fits && last !== undefined ? last : { cpuMs: 0, atMs: now - (Date.now() - tree.startedMs) }
    const elapsed = now - from.atMs
    if (!fits || elapsed >= shortestMs) this.#samples.set(key, { pid: tree.pid, cpuMs, atMs: now })
    return elapsed <= 0 ? 0 : Math.round(((cpuMs - from.cpuMs) / elapsed) * 1000) / 10
  }
}
