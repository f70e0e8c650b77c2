import type { ProjectRef } from '../../../kernel/contract/plugin.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import type { ContainerEngines, Engine, EngineFound, EngineSource } from '../provides.ts'
import { type Choice, chooseEngine, findNamed, findSource, lookSafely } from './choose.ts'
import { DockerSource } from './docker.ts'
import { readContainersFlag } from './flag.ts'
import type { EngineMachine } from './machine.ts'
import { OpenEngines } from './open-engines.ts'
import { PodmanSource } from './podman.ts'
import type { RememberedEngine, RememberedEngines } from './remembered.ts'

/** What the register of engines works with. */
export interface EnginesInput {
  readonly machine: EngineMachine
  /** `[plugins.container] engine`. */
  readonly setting: string | undefined
  readonly remembered: RememberedEngines
}

/** An engine as it was found. */
export interface FoundEngine {
  readonly name: string
  readonly found: EngineFound
}

/** All engines, and which of them a project uses. */
export class Engines implements ContainerEngines {
  readonly machine: EngineMachine
  readonly #setting: string | undefined
  readonly #remembered: RememberedEngines
  readonly #sources: EngineSource[]
  readonly #open = new OpenEngines()

  constructor({ machine, setting, remembered }: EnginesInput) {
    this.machine = machine
    this.#setting = setting
    this.#remembered = remembered
    this.#sources = [new DockerSource(machine), new PodmanSource(machine)]
  }

  add(source: EngineSource): void {
    if (this.#sources.some(({ name }) => name === source.name)) {
      throw new LocaldError('PLUGIN_CONFLICT', `container engine '${source.name}' is added twice`)
    }
    this.#sources.push(source)
  }

  /** Returns the engines whose programs are on this machine, with the version of those that were used; fast. */
  known(): readonly string[] {
    const installed = this.#sources.filter(source => source.isInstalled?.() === true)
    return installed.map(source => {
      const version = this.#open.version(source)
      return version === undefined ? source.name : `${source.name} ${version}`
    })
  }

  /** Returns the names of all engines. */
  names(): readonly string[] {
    return this.#sources.map(({ name }) => name)
  }

  /**
   * Returns the engine of a project, open, and remembers it. Rejects with ENGINE_FAILED where there is none, or where the
   * project's containers are in another one than settings or environment name.
   */
  async of(
    project: Pick<ProjectRef, 'name' | 'path'>,
    step: (text: string) => void,
    signal: AbortSignal,
  ): Promise<Engine> {
    const { source } = await this.choose(project, signal)
    const known = this.#remembered.get(project.path)
    const engine = await this.#open.open(source, step, signal).catch(async error => {
      throw known === undefined || signal.aborted ? error : await this.#offerOther(LocaldError.from(error), source)
    })
    if (known === undefined) this.#remembered.set(project.path, { engine: source.name, isSet: false })
    return engine
  }

  /** Adds to the error of a project's own engine which other one could be used. */
  async #offerOther(error: LocaldError, source: EngineSource): Promise<LocaldError> {
    const found = await this.look()
    const other = found.find(each => each.name !== source.name && each.found.state === 'running')
    if (other === undefined || error.code !== 'ENGINE_FAILED') return error
    const hint = `${error.hint ?? ''} Or run \`locald container engine ${other.name}\`: the volumes in ${source.name} stay there.`
    return new LocaldError(error.code, error.message, { hint: hint.trimStart(), cause: error })
  }

  /** Returns an engine by its name, open, if it runs; starts nothing. */
  async running(name: string): Promise<Engine | undefined> {
    const source = this.#sources.find(each => each.name === name)
    if (source === undefined) return undefined
    const isOpen = this.#open.has(source)
    if (!isOpen && (await lookSafely(source)).state !== 'running') return undefined
    return await this.#open.open(source, () => {}, new AbortController().signal)
  }

  /** Returns an engine by its name, open. */
  async named(name: string, step: (text: string) => void, signal: AbortSignal): Promise<Engine> {
    return await this.#open.open(findSource(this.#sources, name), step, signal)
  }

  /** Chooses the engine of a project, or of a new one, without starting anything. Rejects as `of`. */
  async choose(project: Pick<ProjectRef, 'name' | 'path'> | undefined, signal?: AbortSignal): Promise<Choice> {
    const known = project === undefined ? undefined : this.#remembered.get(project.path)
    if (known?.isSet) return this.#known(known, '`locald container engine` set it')
    const named = await findNamed(this.machine, this.#setting)
    if (project === undefined || known === undefined) {
      return await chooseEngine(this.#sources, named, signal).catch(error => {
        const { reason, hint } = readContainersFlag(this)
        if (named !== undefined || reason === undefined || hint === undefined) throw error
        throw new LocaldError('ENGINE_FAILED', reason, { hint })
      })
    }
    if (named !== undefined && named.name !== known.engine)
      throw otherEngine(project.name, known.engine, named.name, named.by)
    return this.#known(known, 'the project used it before')
  }

  /** Finds out what is there, without starting anything. */
  async look(signal?: AbortSignal): Promise<readonly FoundEngine[]> {
    const look = async (source: EngineSource) => ({ name: source.name, found: await lookSafely(source, signal) })
    return await Promise.all(this.#sources.map(look))
  }

  /** Returns the engine that has a project's containers and volumes. */
  remembered(path: string): RememberedEngine | undefined {
    return this.#remembered.get(path)
  }

  /** Throws ENGINE_FAILED where there is no engine of that name. */
  requireKnown(name: string): void {
    findSource(this.#sources, name)
  }

  /** Sets a project's engine. Throws ENGINE_FAILED for an unknown one. */
  set(path: string, name: string): void {
    this.#remembered.set(path, { engine: findSource(this.#sources, name).name, isSet: true })
  }

  /** Returns the folders of all projects that have an engine. */
  projects(): readonly string[] {
    return this.#remembered.paths()
  }

  /** Returns the names of the engines that a project has, or had earlier. */
  enginesOf(path: string): readonly string[] {
    const known = this.#remembered.get(path)
    return known === undefined ? [] : [known.engine, ...(known.earlier ?? [])]
  }

  /** Drops what is remembered of a project that does not exist any more. */
  forget(path: string): void {
    this.#remembered.forget(path)
  }

  #known({ engine }: RememberedEngine, why: string): Choice {
    return { source: findSource(this.#sources, engine), why }
  }
}

function otherEngine(project: string, known: string, name: string, by: string): LocaldError {
  return new LocaldError(
    'ENGINE_FAILED',
    `project '${project}' has its containers in ${known}, and ${by} names ${name}`,
    {
      hint: `Run \`locald container engine ${name}\` to change to it, or \`locald container engine ${known}\` to stay: volumes stay where they are.`,
    },
  )
}
