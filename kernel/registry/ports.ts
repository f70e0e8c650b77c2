import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import type { DaemonPort, PortOccupant, ProcessTable, ProjectRef } from '../contract/plugin.ts'
import { LocaldError, systemCode } from '../errors.ts'
import { isAnswered } from '../lib/loopback.ts'
import { OperationQueue } from '../system/async.ts'
import type { Registry } from './registry.ts'

/** Assigned ports are below every platform's ephemeral range and not among those that browsers block. */
const first = 20_000
const count = 10_000
const addresses = ['127.0.0.1', '::1'] as const

/** A service that needs a port: its fixed one, or its last one, or a new one. */
export interface LeaseRequest {
  readonly service: string
  /** For a further port: the one inside the service. */
  readonly inside?: number
  readonly fixed: number | undefined
}

/** Returns the name of a lease in the registry: a service's name, or `minio:9001` for a further port. */
export function leaseName(service: string, inside?: number): string {
  return inside === undefined ? service : `${service}:${inside}`
}

/** The checks whether a port is free, which tests replace to simulate another system. */
export interface FreeTests {
  readonly isBindable: (host: string, port: number) => Promise<boolean>
  readonly isTaken: (host: string, port: number) => Promise<boolean>
}

/** Checks of ports that locald has not leased. */
export interface PortsInput {
  readonly table: () => ProcessTable | undefined
  /** Returns the daemon's own listener on a port. */
  readonly own: (port: number) => DaemonPort | undefined
}

/** A service's lease of one port. */
interface Lease {
  readonly service: string
  /** As `leaseName`. */
  readonly name: string
}

/** Leases host ports: free on both loopback addresses, and the same one for a service at every start. */
export class Ports {
  readonly #registry: Registry
  readonly #input: PortsInput
  /** Ports of services that run or start now, and the keys of the services. */
  readonly #held = new Map<number, string>()
  /** Runs one choice at a time, so that each sees what the one before it chose. */
  readonly #choices = new OperationQueue()

  constructor(registry: Registry, input: PortsInput) {
    this.#registry = registry
    this.#input = input
  }

  /**
   * Returns the ports of a project's services, by `leaseName`: those they had, else new ones. All are saved in one
   * write.
   */
  lease(project: ProjectRef, requests: readonly LeaseRequest[]): Promise<ReadonlyMap<string, number>> {
    return this.#choices.run(async () => {
      const leases = new Map<string, number>()
      for (const { service, inside, fixed } of requests)
        if (fixed !== undefined) leases.set(leaseName(service, inside), fixed)
      const assigned: Record<string, number> = {}
      for (const { service, inside, fixed } of requests) {
        if (fixed !== undefined) continue
        const lease = { service, name: leaseName(service, inside) }
        const chosen = new Set(leases.values())
        const port = this.#assigned(project, lease, chosen) ?? (await this.#assign(project, lease, chosen))
        leases.set(lease.name, port)
        assigned[lease.name] = port
      }
      this.#registry.setPorts(project.path, assigned)
      return leases
    })
  }

  /** Marks a port as used by a service. Throws PORT_TAKEN when another service has it. */
  hold(port: number, key: string): void {
    const holder = this.#held.get(port)
    if (holder !== undefined && holder !== key)
      throw portTakenError(port, key, `service ${holder}`, otherPort('Stop what uses it'))
    this.#held.set(port, key)
  }

  release(port: number, key: string): void {
    if (this.#held.get(port) === key) this.#held.delete(port)
  }

  /** Throws PORT_TAKEN, naming the process, when something listens on the port. */
  async check(port: number, key: string): Promise<void> {
    if (await isFree(port)) return
    const own = this.#input.own(port)
    if (own !== undefined)
      throw portTakenError(port, key, nameOf(own), `Give the service another \`port\`, or ${own.hint}.`)
    const freeing = (await this.#input.table()?.freeing?.(port)) ?? 'Stop what uses it'
    throw portTakenError(port, key, (await this.holder(port)) ?? 'another process', otherPort(freeing))
  }

  /** Returns the process that listens on a port, where the system shows it. */
  async holder(port: number): Promise<string | undefined> {
    const own = this.#input.own(port)
    return own === undefined ? await this.#input.table()?.holder(port) : nameOf(own)
  }

  /**
   * Returns what has a port, other than the services of a project: a service of another one, or a process. Undefined
   * where it is free.
   */
  async occupant(port: number, project: string | undefined): Promise<PortOccupant | undefined> {
    const key = this.#held.get(port)
    if (key !== undefined)
      return project !== undefined && key.startsWith(`${project}:`) ? undefined : { name: key, isService: true }
    if (await isFree(port)) return undefined
    return { name: (await this.holder(port)) ?? 'another process', isService: false }
  }

  /** Returns whether a service of locald's, or the daemon itself, has a port. */
  isHeld(port: number): boolean {
    return this.#held.has(port) || this.#input.own(port) !== undefined
  }

  /** Returns whether a service can use a port: no other one has it, and nothing listens on it. */
  async isUsable(port: number, key: string): Promise<boolean> {
    return (this.#held.get(port) ?? key) === key && (await isFree(port))
  }

  /** Assigns a new port to a service whose own, or whose further port, is in use by another program. */
  reassign(project: ProjectRef, service: string, inside?: number): Promise<number> {
    return this.#choices.run(async () => {
      const lease = { service, name: leaseName(service, inside) }
      const own = this.#registry.port(project.path, lease.name)
      const port = await this.#assign(project, lease, new Set(own === undefined ? [] : [own]))
      this.#registry.setPorts(project.path, { [lease.name]: port })
      return port
    })
  }

  /** Returns the port a service had, unless another service has it now. */
  #assigned(project: ProjectRef, { service, name }: Lease, chosen: ReadonlySet<number>): number | undefined {
    const key = `${project.name}:${service}`
    const known = this.#registry.port(project.path, name)
    if (known === undefined || chosen.has(known)) return undefined
    return (this.#held.get(known) ?? key) === key ? known : undefined
  }

  /** Searches from a port derived from project, lease and registry, so that two daemons rarely try the same ports. */
  async #assign(project: ProjectRef, { name }: Lease, chosen: ReadonlySet<number>): Promise<number> {
    const seed = [this.#registry.file, project.path, name].join('\0')
    const start = createHash('sha256').update(seed).digest().readUInt32BE() % count
    for (let step = 0; step < count; step++) {
      const port = first + ((start + step) % count)
      if (chosen.has(port) || this.#held.has(port) || this.#registry.portTaken(port, project.path, name)) continue
      if (await isFree(port)) return port
    }
    throw new LocaldError(
      'NO_FREE_PORT',
      `no port from ${first} to ${first + count - 1} is free for ${project.name}:${name}`,
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

function portTakenError(port: number, key: string, holder: string, hint: string): LocaldError {
  return new LocaldError('PORT_TAKEN', `port ${port} of ${key} is in use by ${holder}`, { service: key, hint })
}

/** Whether nothing listens on a port of either loopback address: it can be bound, and connections are refused. */
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
      // On a machine without IPv6 there is no ::1.
      resolve(code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT')
    })
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
