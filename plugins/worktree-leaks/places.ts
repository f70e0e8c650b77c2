import type { WorktreeService } from '../../kernel/contract/plugin.ts'
import { sharedIn } from './table.ts'

/** Where the services of several checkouts are reached, and which of them are another checkout's. */
export class Places {
  readonly services: readonly WorktreeService[]
  readonly #byKey: ReadonlyMap<string, WorktreeService>
  readonly #byPort = new Map<number, readonly WorktreeService[]>()
  readonly #byHost = new Map<string, readonly WorktreeService[]>()

  constructor(services: readonly WorktreeService[]) {
    this.services = services
    this.#byKey = new Map(services.map(service => [service.key, service]))
    for (const service of services) {
      for (const port of service.ports) add(this.#byPort, port, service)
      for (const host of service.hosts) add(this.#byHost, host.toLowerCase(), service)
    }
  }

  get(key: string): WorktreeService | undefined {
    return this.#byKey.get(key)
  }

  /** Returns the service at a port that is another checkout's than the given one, unless that is meant to use it. */
  atPort(from: WorktreeService, port: number): WorktreeService | undefined {
    return foreign(from, this.#byPort.get(port) ?? [])
  }

  /** As `atPort`, at a host name. */
  atHost(from: WorktreeService, host: string): WorktreeService | undefined {
    return foreign(from, this.#byHost.get(host.toLowerCase()) ?? [])
  }

  /** As `atPort`, for a service that is known. */
  isLeak(from: WorktreeService, target: WorktreeService): boolean {
    return foreign(from, [target]) !== undefined
  }

  /** Returns the service that a page is of, by its host and port: `web.shop.localhost` or `127.0.0.1:20123`. */
  ofPage(page: string): WorktreeService | undefined {
    const [, name = '', port] = /^(.*?)(?::(\d+))?$/.exec(page) ?? []
    const [named] = this.#byHost.get(name.toLowerCase()) ?? []
    return named ?? (port !== undefined && isLoopback(name) ? this.#byPort.get(Number(port))?.[0] : undefined)
  }
}

function add<K>(map: Map<K, readonly WorktreeService[]>, key: K, service: WorktreeService): void {
  map.set(key, [...(map.get(key) ?? []), service])
}

/** A place that the service's own checkout has, too, is its own; a service that its configuration names is meant. */
function foreign(from: WorktreeService, found: readonly WorktreeService[]): WorktreeService | undefined {
  if (found.some(({ checkout }) => checkout === from.checkout)) return undefined
  return found.find(
    target => target.repository === from.repository && !from.named.includes(target.key) && !isShared(from, target),
  )
}

function isShared(from: WorktreeService, target: WorktreeService): boolean {
  return [from, target].some(({ tables }) => sharedIn(tables).includes(target.name))
}

const loopbackName = /^(?:localhost|.*\.localhost|127(?:\.\d{1,3}){3}|\[?::1\]?|0\.0\.0\.0)$/i
const ofGuests = /^host\.(?:containers|docker|lima)\.internal$/i

/** Whether a host name or address leads to this machine, also from inside a container. */
export function isLoopback(host: string): boolean {
  return loopbackName.test(host) || ofGuests.test(host)
}
