import type { ProjectRef } from '../../kernel/contract/plugin.ts'
import { engineError, reasonOf, tryEngine } from './calls/run-engine.ts'
import { type Labels, labelFlags, type Names } from './names.ts'
import type { Engine } from './provides.ts'

/** A volume to make. */
export interface VolumeRequest {
  readonly name: string
  readonly labels: Labels
}

/** What an engine says where something of the name is there already. */
const isThere = /already exists|already used|name is in use/i

/** The networks and volumes of projects in engines. */
export class Resources {
  readonly #names: Names
  /** What this daemon knows to be there, by engine, kind and name. */
  readonly #known = new Map<string, Promise<void>>()

  constructor(names: Names) {
    this.#names = names
  }

  /** Makes the project's network, where it is missing. Throws ENGINE_FAILED. */
  ensureNetwork(engine: Engine, project: ProjectRef): Promise<void> {
    return this.#ensure(engine, 'network', this.#names.network(project), this.#names.labels(project))
  }

  /** Makes a volume, where it is missing. Throws ENGINE_FAILED. */
  ensureVolume(engine: Engine, { name, labels }: VolumeRequest): Promise<void> {
    return this.#ensure(engine, 'volume', name, labels)
  }

  /** Forgets what is known: someone has removed some of it. */
  forget(): void {
    this.#known.clear()
  }

  /** Forgets volumes: while no container has them, they can be removed from outside, and `run` makes them without labels. */
  forgetVolumes(engine: Engine): void {
    const start = keyOf(engine, 'volume', '')
    for (const key of this.#known.keys()) if (key.startsWith(start)) this.#known.delete(key)
  }

  /** Removes the project's network; one that others use stays. */
  async removeNetwork(engine: Engine, project: ProjectRef): Promise<void> {
    const name = this.#names.network(project)
    this.#known.delete(keyOf(engine, 'network', name))
    await tryEngine(engine, ['network', 'rm', name])
  }

  /** Removes a volume with its data; one that is missing is not an error. Throws ENGINE_FAILED where it is in use. */
  async removeVolume(engine: Engine, name: string): Promise<void> {
    this.#known.delete(keyOf(engine, 'volume', name))
    const result = await tryEngine(engine, ['volume', 'rm', name])
    if (result.code !== 0 && !/no such volume|not found/i.test(result.stderr))
      throw engineError(engine, 'volume rm', result)
  }

  #ensure(engine: Engine, kind: 'network' | 'volume', name: string, labels: Labels): Promise<void> {
    const key = keyOf(engine, kind, name)
    const known = this.#known.get(key) ?? make(engine, kind, name, labels)
    this.#known.set(key, known)
    known.catch(() => this.#known.delete(key))
    return known
  }
}

async function make(engine: Engine, kind: 'network' | 'volume', name: string, labels: Labels): Promise<void> {
  const result = await tryEngine(engine, [kind, 'create', ...labelFlags(labels), name])
  if (result.code !== 0 && !isThere.test(reasonOf(result))) throw engineError(engine, `${kind} create`, result)
}

function keyOf({ name: engine }: Engine, kind: string, name: string): string {
  return [engine, kind, name].join(' ')
}
