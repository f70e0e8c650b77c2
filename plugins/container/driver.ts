import { readFile } from 'node:fs/promises'
import type { Argv, Instance, OneOff, Run, ServiceType } from '../../kernel/contract/plugin.ts'
import { LocaldError } from '../../kernel/errors.ts'
import { listVolumes } from './calls/inventory.ts'
import type { ContainerContext } from './context.ts'
import { ContainerInstance } from './instance/instance.ts'
import { type ContainerState, isContainerState } from './instance/state.ts'
import { ContainerLaunch, hostPortsOf } from './launch.ts'
import { followLog } from './logs/follow-log.ts'
import { parseMounts } from './mounts.ts'
import { label } from './names.ts'
import type { ContainerOptions } from './options.ts'
import type { Engine } from './provides.ts'

type ContainerRun = Run<ContainerOptions>

type Late = Pick<ServiceType<ContainerOptions>, 'prepare' | 'start' | 'adopt' | 'reset' | 'oneOff'>

/** Runs services of type `container`. */
export class ContainerDriver implements Late {
  readonly #context: ContainerContext

  constructor(context: ContainerContext) {
    this.#context = context
  }

  /** Builds or pulls what every start asks for. An image that is missing is pulled by the start itself. */
  async prepare(run: ContainerRun): Promise<void> {
    const { build, pull } = run.options
    if (build === undefined && pull !== 'always') return
    const engine = await this.#engine(run)
    if (build !== undefined) return await this.#context.images.build(engine, run)
    await this.#context.images.pull(engine, this.#context.images.nameFor(run), run)
  }

  async start(run: ContainerRun): Promise<Instance> {
    const engine = await this.#engine(run)
    // Its VM must not stop as idle while an image is pulled.
    const release = engine.hold(run.key)
    try {
      return await this.#start(run, engine)
    } finally {
      release()
    }
  }

  async #start(run: ContainerRun, engine: Engine): Promise<Instance> {
    const startedMs = Date.now()
    const name = this.#context.names.container(run.project, run.name)
    this.#context.hold(name)
    await this.#context.claims.add({ container: name, engine: engine.name })
    const { id, facts, files } = await new ContainerLaunch(this.#context, engine, run).start().catch(async error => {
      await this.#context.drop(name)
      throw error
    })
    const pid = files === undefined ? undefined : await readPid(files.pid)
    const state: ContainerState = {
      ...{ container: id, name, engine: engine.name, startedMs },
      ...(files === undefined ? {} : { logFile: files.log }),
      ...(pid === undefined ? {} : { pid }),
    }
    return this.#instance(run, engine, state, { healthcheck: facts.healthcheck, isAdopted: false })
  }

  async adopt(run: ContainerRun, state: unknown): Promise<Instance | undefined> {
    if (!isContainerState(state)) return undefined
    const engine = await this.#context.engines.running(state.engine)
    if (engine === undefined)
      throw new LocaldError('ENGINE_FAILED', `${state.engine}, which runs ${run.key}, does not answer`, {
        service: run.key,
        hint: `Start ${state.engine}, then run \`locald server restart\`.`,
      })
    this.#context.use(run.project, engine)
    this.#context.hold(state.name)
    const [facts] = await Promise.all([
      this.#context.knownImages.get(engine, this.#context.images.nameFor(run)),
      this.#context.access(engine, run.project, run.name, hostPortsOf(run)),
    ])
    return this.#instance(run, engine, state, { healthcheck: facts?.healthcheck, isAdopted: true })
  }

  /** Removes the volumes of the service: those it names, and those it has alone. */
  async reset(run: ContainerRun): Promise<void> {
    const engine = await this.#engine(run)
    const { names, resources } = this.#context
    const { project, name } = run
    const named = parseMounts(run.options.volumes, project, name).flatMap(mount =>
      mount.kind === 'volume' ? [names.volume(project, mount.name)] : [],
    )
    const all = await listVolumes(engine, names.owner)
    const own = all.flatMap(({ name: volume, labels }) =>
      labels[label.project] === project.name && labels[label.service] === name ? [volume] : [],
    )
    for (const volume of new Set([...named, ...own])) await resources.removeVolume(engine, volume)
  }

  /** Runs the command inside the service's container. */
  async oneOff(run: ContainerRun, argv: Argv, { tty }: { readonly tty: boolean }): Promise<OneOff> {
    const engine = await this.#engine(run)
    const flags = tty ? ['--interactive', '--tty'] : ['--interactive']
    const name = this.#context.names.container(run.project, run.name)
    return engine.command(['exec', ...flags, name, ...argv], { tty })
  }

  async #engine({ project, step, signal }: ContainerRun): Promise<Engine> {
    const engine = await this.#context.engines.of(project, step, signal)
    this.#context.use(project, engine)
    return engine
  }

  #instance(
    run: ContainerRun,
    engine: Engine,
    state: ContainerState,
    how: Pick<ConstructorParameters<typeof ContainerInstance>[0], 'healthcheck' | 'isAdopted'>,
  ): ContainerInstance {
    const { log, project, name, port: outside, options } = run
    const { container_port: inside } = options
    const release = engine.hold(run.key)
    return new ContainerInstance({
      ...{ engine, state, log, ...how },
      events: this.#context.events(engine),
      port: inside === undefined || outside === undefined ? undefined : { inside, outside },
      followed: followLog({
        ...{ engine, container: state.container, file: state.logFile, log },
        isNew: !how.isAdopted,
        signal: this.#context.closing,
      }),
      removed: async () => {
        this.#context.hostAccess.withdraw(project, name)
        this.#context.resources.forgetVolumes(engine)
        await this.#context.drop(state.name)
        release()
      },
    })
  }
}

/** Reads the process id that podman wrote; undefined where there is none. */
async function readPid(file: string): Promise<number | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return /^[1-9]\d*\s*$/.test(text) ? Number(text) : undefined
}
