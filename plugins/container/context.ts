import { setMaxListeners } from 'node:events'
import type { Log, ProjectRef, Run } from '../../kernel/contract/plugin.ts'
import { messageOf } from '../../kernel/errors.ts'
import { removeContainer } from './calls/containers.ts'
import { EngineEvents } from './calls/events.ts'
import { Claims } from './claims.ts'
import type { Forwarder, HostAccess } from './host-access/contract.ts'
import { Images } from './images/images.ts'
import { KnownImages } from './images/known-images.ts'
import { hostAlias, Names } from './names.ts'
import type { Engine } from './provides.ts'
import { Resources } from './resources.ts'

/** Finds the engine of a project. */
export interface EngineChoice {
  /**
   * Returns the project's engine, ready for use: the chosen one, the one of its last start, or the first that answers.
   * Rejects with ENGINE_FAILED.
   */
  of(project: ProjectRef, step: Run<unknown>['step'], signal: AbortSignal): Promise<Engine>
  /** Returns an engine by its name, if it runs; starts nothing. */
  running(name: string): Promise<Engine | undefined>
}

/** A project, as it was named when it used an engine. */
interface Use {
  readonly project: ProjectRef
  readonly engine: Engine
}

/** What the parts of the plugin share. */
export class ContainerContext {
  readonly names: Names
  readonly images: Images
  readonly knownImages = new KnownImages()
  readonly resources: Resources
  readonly claims: Claims
  readonly engines: EngineChoice
  readonly hostAccess: HostAccess
  readonly #log: Log
  /** The engines of projects that are up, by their paths; the latest name is last. */
  readonly #used = new Map<string, readonly Use[]>()
  /** The names of containers that services have. */
  readonly #live = new Set<string>()
  readonly #closing = new AbortController()
  readonly #events = new Map<string, EngineEvents>()

  constructor(dataFolder: string, engines: EngineChoice, hostAccess: HostAccess, log: Log) {
    this.names = new Names(dataFolder)
    this.images = new Images(this.names)
    this.resources = new Resources(this.names)
    this.claims = new Claims(dataFolder)
    this.engines = engines
    this.hostAccess = hostAccess
    this.#log = log
    // Every container adds a listener.
    setMaxListeners(0, this.#closing.signal)
  }

  /** Aborted when the daemon stops: containers run on, and the next daemon adopts them. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  /** Returns the events of an engine. */
  events(engine: Engine): EngineEvents {
    const known = this.#events.get(engine.name) ?? new EngineEvents(engine, this.names.owner, this.#log)
    this.#events.set(engine.name, known)
    return known
  }

  /** Notes that a project uses an engine, for when it is down. */
  use(project: ProjectRef, engine: Engine): void {
    const others = (this.#used.get(project.path) ?? []).filter(use => use.project.name !== project.name)
    this.#used.set(project.path, [...others, { project, engine }])
  }

  /** Lets a service reach ports of this machine's loopback; returns flags for its `run`. Throws ENGINE_FAILED. */
  async access(
    engine: Engine,
    project: ProjectRef,
    service: string,
    ports: readonly number[],
    signal?: AbortSignal,
  ): Promise<readonly string[]> {
    const { hostName } = engine
    if (hostName === hostAlias) return []
    if (hostName !== undefined) return ['--add-host', `${hostAlias}:${hostName}`]
    const labels = this.names.labels(project, undefined, 'tunnel')
    const request = {
      ...this.#forwarder(engine, project),
      service,
      ports,
      labels,
      network: this.names.network(project),
    }
    return await this.hostAccess.ensure(request, signal)
  }

  /** Removes containers that a killed daemon had started and no service has adopted: they hold ports. */
  async removeLost(): Promise<void> {
    const claims = await this.claims.list()
    const lost = claims.filter(({ container }) => !this.#live.has(container))
    await Promise.all(
      lost.map(async ({ container, engine: name }) => {
        const engine = await this.engines.running(name).catch(() => undefined)
        if (engine === undefined) return
        await removeContainer(engine, container)
        await this.claims.remove(container)
      }),
    )
  }

  /** Notes a container that a service has: it is not lost. */
  hold(container: string): void {
    this.#live.add(container)
  }

  /** Notes that a container is removed. */
  async drop(container: string): Promise<void> {
    this.#live.delete(container)
    await this.claims.remove(container).catch(error => this.#log.warn(messageOf(error)))
  }

  /** Removes what is left of a project that is down: its forwarder and its network, also those of names it had. */
  async down({ path }: ProjectRef): Promise<void> {
    const uses = this.#used.get(path) ?? []
    this.#used.delete(path)
    for (const { engine, project } of uses) {
      await this.hostAccess.release(this.#forwarder(engine, project))
      await this.resources.removeNetwork(engine, project)
    }
  }

  /** Stops following logs and events. */
  async close(): Promise<void> {
    this.#closing.abort()
    for (const events of this.#events.values()) events.close()
    await this.hostAccess.close()
  }

  #forwarder(engine: Engine, project: ProjectRef): Forwarder {
    return { engine, project, name: this.names.forwarder(project) }
  }
}
