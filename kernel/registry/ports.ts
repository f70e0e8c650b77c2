import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import { isAnswered } from '../contract/loopback.ts'
import type { DaemonPort, ProcessTable, ProjectRef } from '../contract/plugin.ts'
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

/** What is asked about ports that locald has not leased. */
export interface PortsInput {
  readonly table: () => ProcessTable | undefined
  /** Returns the daemon's own listener on a port. */
  readonly own: (port: number) => DaemonPort | undefined
}

/** Leases host ports: the same one for a project's service tomorrow, free on both loopback addresses. */
export class Ports {
  readonly #registry: Registry
  readonly #input: PortsInput
  /** Ports of services that run or start now, with their keys. */
  readonly #held = new Map<number, string>()
  /** One choice at a time: what is chosen is remembered before the next begins. */
  readonly #choices = new OperationQueue()

  constructor(registry: Registry, input: PortsInput) {
    this.#registry = registry
    this.#input = input
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
    if (holder !== undefined && holder !== key)
      throw taken(port, key, `service ${holder}`, otherPort('Stop what uses it'))
    this.#held.set(port, key)
  }

  release(port: number, key: string): void {
    if (this.#held.get(port) === key) this.#held.delete(port)
  }

  /** PORT_TAKEN, naming the holder, when something listens on the port. */
  async check(port: number, key: string): Promise<void> {
    if (await isFree(port)) return
    const own = this.#input.own(port)
    if (own !== undefined) throw taken(port, key, nameOf(own), `Give the service another \`port\`, or ${own.hint}.`)
    const freeing = (await this.#input.table()?.freeing?.(port)) ?? 'Stop what uses it'
    throw taken(port, key, (await this.holder(port)) ?? 'another process', otherPort(freeing))
  }

  /** Who listens on a port, if that can be told. */
  async holder(port: number): Promise<string | undefined> {
    const own = this.#input.own(port)
    return own === undefined ? await this.#input.table()?.holder(port) : nameOf(own)
  }

  /** Returns whether a service of locald's, or the daemon itself, has a port. */
  isHeld(port: number): boolean {
    return this.#held.has(port) || this.#input.own(port) !== undefined
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

function nameOf({ name }: DaemonPort): string {
  return `${name} (pid ${process.pid})`
}

/** @param freeing how the port is freed, as an imperative */
function otherPort(freeing: string): string {
  return `${freeing}, or give the service another \`port\`; without \`port\` locald assigns a free one.`
}

function taken(port: number, key: string, holder: string, hint: string): LocaldError {
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
