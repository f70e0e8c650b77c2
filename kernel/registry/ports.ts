import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import { isAnswered } from '../contract/loopback.ts'
import type { ProcessTable, ProjectRef } from '../contract/plugin.ts'
import { LocaldError, systemCode } from '../errors.ts'
import { OperationQueue } from '../system/async.ts'
import type { Registry } from './registry.ts'

/** Assigned ports are below every platform's ephemeral range and none of those that browsers refuse. */
const first = 20_000
const count = 10_000
const addresses = ['127.0.0.1', '::1'] as const

/** What to lease for: a fixed port, or the one it had, or a new one. */
export interface LeaseRequest {
  readonly service: string
  readonly fixed: number | undefined
}

/** How it is found out whether a port is free. Tests answer as another system would. */
export interface FreeTests {
  readonly isBindable: (host: string, port: number) => Promise<boolean>
  readonly isTaken: (host: string, port: number) => Promise<boolean>
}

/** Leases host ports: the same one for a project's service tomorrow, free on both loopback addresses. */
export class Ports {
  readonly #registry: Registry
  readonly #table: () => ProcessTable | undefined
  /** Ports of services that run or start now, with their keys. */
  readonly #held = new Map<number, string>()
  /** One choice at a time: what is chosen is remembered before the next begins. */
  readonly #choices = new OperationQueue()

  constructor(registry: Registry, table: () => ProcessTable | undefined) {
    this.#registry = registry
    this.#table = table
  }

  /** The ports of a project's services, by service: the ones they had, else new ones, all remembered in one write. */
  lease(project: ProjectRef, requests: readonly LeaseRequest[]): Promise<ReadonlyMap<string, number>> {
    return this.#choices.run(async () => {
      const leases = new Map<string, number>()
      for (const { service, fixed } of requests) if (fixed !== undefined) leases.set(service, fixed)
      const assigned: Record<string, number> = {}
      for (const { service, fixed } of requests) {
        if (fixed !== undefined) continue
        const chosen = new Set(leases.values())
        const port = this.#known(project, service, chosen) ?? (await this.#assign(project, service, chosen))
        leases.set(service, port)
        assigned[service] = port
      }
      this.#registry.setPorts(project.path, assigned)
      return leases
    })
  }

  /** Marks a port as used by a service; PORT_TAKEN when another of locald's has it. */
  hold(port: number, key: string): void {
    const holder = this.#held.get(port)
    if (holder !== undefined && holder !== key) throw taken(port, key, `service ${holder}`)
    this.#held.set(port, key)
  }

  release(port: number, key: string): void {
    if (this.#held.get(port) === key) this.#held.delete(port)
  }

  /** PORT_TAKEN, naming the holder, when something listens on the port. */
  async check(port: number, key: string): Promise<void> {
    if (await isFree(port)) return
    const freeing = await this.#table()?.freeing?.(port)
    throw taken(port, key, (await this.holder(port)) ?? 'another process', freeing)
  }

  /** Who listens on a port, if that can be told. */
  async holder(port: number): Promise<string | undefined> {
    const holder = await this.#table()?.holder(port)
    return holder?.endsWith(`(pid ${process.pid})`) ? ownProxy : holder
  }

  /** Whether a service of locald's has a port. */
  isHeld(port: number): boolean {
    return this.#held.has(port)
  }

  /** A fresh port for a service whose own was taken by a stranger. */
  reassign(project: ProjectRef, service: string): Promise<number> {
    return this.#choices.run(async () => {
      const own = this.#registry.port(project.path, service)
      const port = await this.#assign(project, service, new Set(own === undefined ? [] : [own]))
      this.#registry.setPorts(project.path, { [service]: port })
      return port
    })
  }

  /** The port it had, unless another service has it now. */
  #known(project: ProjectRef, service: string, chosen: ReadonlySet<number>): number | undefined {
    const key = `${project.name}:${service}`
    const known = this.#registry.port(project.path, service)
    if (known === undefined || chosen.has(known)) return undefined
    return (this.#held.get(known) ?? key) === key ? known : undefined
  }

  /** The search begins where the project's folder, the service and this registry say, so that two daemons rarely meet. */
  async #assign(project: ProjectRef, service: string, chosen: ReadonlySet<number>): Promise<number> {
    const seed = [this.#registry.file, project.path, service].join('\0')
    const start = createHash('sha256').update(seed).digest().readUInt32BE() % count
    for (let step = 0; step < count; step++) {
      const port = first + ((start + step) % count)
      if (chosen.has(port) || this.#held.has(port) || this.#registry.portTaken(port, project.path, service)) continue
      if (await isFree(port)) return port
    }
    throw new LocaldError(
      'NO_FREE_PORT',
      `no port from ${first} to ${first + count - 1} is free for ${project.name}:${service}`,
      { hint: 'Set `port = …` for the service, or free some: `locald status --all`.' },
    )
  }
}

/** All that listens in the daemon's process. */
const ownProxy = `locald's own proxy (pid ${process.pid})`

/** @param freeing how a part of the system is made to let go of it */
function taken(port: number, key: string, holder: string, freeing?: string): LocaldError {
  const free = freeing ?? 'Stop what uses it'
  const hint =
    holder === ownProxy
      ? 'Give the service another `port`, or move the proxy: set LOCALD_HTTP_PORT or LOCALD_HTTPS_PORT and run `locald server restart`.'
      : `${free}, or give the service another \`port\`; without \`port\` locald assigns a free one.`
  return new LocaldError('PORT_TAKEN', `port ${port} of ${key} is in use by ${holder}`, { service: key, hint })
}

/** Whether nothing listens on a port of either loopback address: it can be bound, and nobody answers there. */
export async function isFree(
  port: number,
  { isBindable, isTaken }: FreeTests = { isBindable: canBind, isTaken: isAnswered },
): Promise<boolean> {
  const results = await Promise.all(
    addresses.map(async host => (await isBindable(host, port)) && !(await isTaken(host, port))),
  )
  return results.every(Boolean)
}

function canBind(host: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', error => {
      const code = systemCode(error)
      // A machine without IPv6 has no ::1 to be taken.
      resolve(code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT')
    })
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
