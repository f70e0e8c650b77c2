import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Run } from '../../kernel/contract/plugin.ts'
import { type ErrorCode, LocaldError } from '../../kernel/errors.ts'
import type { ProgramResult } from '../lib/programs.ts'
import { removeContainer } from './calls/containers.ts'
import { engineError, longMs, reasonOf, tryEngine } from './calls/run-engine.ts'
import type { ContainerContext } from './context.ts'
import { createArgs } from './create-args.ts'
import type { ImageFacts } from './images/facts.ts'
import { logArgs } from './logs/args.ts'
import { type Mount, parseMounts, requireSources } from './mounts.ts'
import type { ContainerOptions } from './options.ts'
import type { Engine } from './provides.ts'

type ContainerRun = Run<ContainerOptions>

/** A container that was started. */
export interface Launched {
  readonly id: string
  readonly facts: ImageFacts
  /** What the engine itself writes, on this machine; undefined: it does not. */
  readonly files: ContainerFiles | undefined
}

/** Files that podman writes for a container. */
export interface ContainerFiles {
  /** The output, as conmon writes it: it needs no client, and outlives the container. */
  readonly log: string
  /** The id of the first process. */
  readonly pid: string
}

/** What engines say about a wrong option, and what to do about it. */
const wrongOptions: readonly { readonly says: RegExp; readonly code: ErrorCode; readonly hint: string }[] = [
  {
    says: /executable file .* not found|no such file or directory|permission denied.*exec|exec format/i,
    code: 'SPAWN_FAILED',
    hint: 'Correct `command` or `entrypoint`; it is a program of the image.',
  },
  {
    says: /unable to find (?:user|group)|no matching entries in (?:passwd|group)/i,
    code: 'SERVICE_FAILED',
    hint: 'Correct `user`.',
  },
  { says: /workdir|working dir|chdir to cwd/i, code: 'SERVICE_FAILED', hint: 'Correct `workdir`.' },
  { says: /tmpfs/i, code: 'SERVICE_FAILED', hint: 'Correct `tmpfs`.' },
]

/** Each kind of failure is repaired once. */
const repairs: readonly { readonly says: RegExp; readonly kind: 'name' | 'image' | 'network' }[] = [
  { says: /name .* is already in use|already in use by/i, kind: 'name' },
  { says: /image not known|no such image|unable to find image|image .* not found/i, kind: 'image' },
  { says: /network not found|network .* not found|no such network/i, kind: 'network' },
]

/** Starts one container, with all that it needs. */
export class ContainerLaunch {
  readonly #context: ContainerContext
  readonly #engine: Engine
  readonly #run: ContainerRun
  readonly #image: string
  readonly #name: string

  constructor(context: ContainerContext, engine: Engine, run: ContainerRun) {
    this.#context = context
    this.#engine = engine
    this.#run = run
    this.#image = context.images.nameFor(run)
    this.#name = context.names.container(run.project, run.name)
  }

  /** Throws ENGINE_FAILED, IMAGE_FAILED, PORT_TAKEN, SPAWN_FAILED or SERVICE_FAILED; nothing of it is left then. */
  async start(): Promise<Launched> {
    const { project, name, options, data, signal } = this.#run
    const mounts = parseMounts(options.volumes, project, name)
    await this.#checkMounts(mounts)
    await mkdir(data, { recursive: true, mode: 0o700 })
    const files = this.#files()
    for (const repaired = new Set<string>(); ; ) {
      const facts = await this.#facts()
      const result = await this.#tryRun(mounts, facts, files)
      if (result.code === 0) {
        await this.#forwarded()
        return { id: result.stdout.trim().split('\n').at(-1) ?? '', facts, files }
      }
      const said = reasonOf(result)
      const kind = repairs.find(({ says }) => says.test(said))?.kind
      await removeContainer(this.#engine, this.#name)
      signal.throwIfAborted()
      if (kind === undefined || repaired.has(kind)) throw this.#error(result, said)
      repaired.add(kind)
      this.#context.resources.forget()
    }
  }

  /** Waits until a VM forwards the ports. Throws PORT_TAKEN or ENGINE_FAILED, after removing the container. */
  async #forwarded(): Promise<void> {
    const { port, ports, signal } = this.#run
    const published = [...(port === undefined ? [] : [port]), ...Object.values(ports)]
    try {
      if (published.length > 0) await this.#engine.published?.(published, signal)
    } catch (error) {
      await removeContainer(this.#engine, this.#name)
      throw error
    }
  }

  /** Throws SERVICE_FAILED for a folder that is not there, or that a VM does not share with its containers. */
  async #checkMounts(mounts: readonly Mount[]): Promise<void> {
    await requireSources(mounts, this.#run.key)
    for (const mount of mounts) {
      if (mount.kind !== 'bind' || (await this.#engine.shares(mount.source))) continue
      throw new LocaldError(
        'SERVICE_FAILED',
        `${this.#engine.name} does not share ${mount.source} with its containers`,
        {
          service: this.#run.key,
          hint:
            this.#engine.sharingHint ?? `Add the folder to those that ${this.#engine.name} shares, or use a volume.`,
        },
      )
    }
  }

  /** Returns what a start needs to know of the image; pulls it where it is missing. */
  async #facts(): Promise<ImageFacts> {
    const found = await this.#context.knownImages.get(this.#engine, this.#image, this.#run.signal)
    if (found !== undefined) return found
    const { pull, build } = this.#run.options
    if (build !== undefined) await this.#context.images.build(this.#engine, this.#run)
    else if (pull === 'never') throw this.#missing()
    else await this.#context.images.pull(this.#engine, this.#image, this.#run)
    const pulled = await this.#context.knownImages.get(this.#engine, this.#image, this.#run.signal)
    if (pulled === undefined) throw this.#missing()
    return pulled
  }

  #missing(): LocaldError {
    return new LocaldError('IMAGE_FAILED', `${this.#engine.name} does not have the image ${this.#image}`, {
      service: this.#run.key,
      hint: `Run \`${this.#engine.name} pull ${this.#image}\`, or set pull = "missing".`,
    })
  }

  #files(): ContainerFiles | undefined {
    const { dialect, isNative } = this.#engine
    if (dialect !== 'podman' || !isNative) return undefined
    return { log: join(this.#run.data, 'container.log'), pid: join(this.#run.data, 'container.pid') }
  }

  async #tryRun(
    mounts: readonly Mount[],
    facts: ImageFacts,
    files: ContainerFiles | undefined,
  ): Promise<ProgramResult> {
    const { names } = this.#context
    const { env, signal, project, name } = this.#run
    const [volumes, hostFlags] = await Promise.all([
      this.#volumes(mounts, facts),
      this.#context.resources
        .ensureNetwork(this.#engine, project)
        .then(() => this.#context.access(this.#engine, project, name, hostPortsOf(this.#run), signal)),
    ])
    const pidFlags = files === undefined ? [] : ['--pidfile', files.pid]
    const keepFlags = [...logArgs(this.#engine, files?.log), ...pidFlags]
    const args = createArgs(this.#run, {
      names,
      image: this.#image,
      volumes,
      hostFlags,
      keepFlags,
    })
    return await tryEngine(this.#engine, args, { variables: env, timeoutMs: longMs, signal })
  }

  /** Names each mount's source for the engine, and makes volumes that are missing. */
  async #volumes(mounts: readonly Mount[], facts: ImageFacts): Promise<readonly { mount: Mount; source: string }[]> {
    const { project, name, options } = this.#run
    const { names, resources } = this.#context
    const taken = new Set(mounts.map(({ target }) => target))
    const declared: readonly Mount[] = facts.volumes
      .filter(target => !taken.has(target))
      .map(target => ({ kind: 'own', target }))
    return await Promise.all(
      [...mounts, ...declared].map(async mount => {
        if (mount.kind === 'bind') return { mount, source: mount.source }
        // What a built image has at such a path, node_modules for example, is of that image alone.
        const image = options.build === undefined || facts.volumes.includes(mount.target) ? '' : facts.id
        const isNamed = mount.kind === 'volume'
        const source = isNamed ? names.volume(project, mount.name) : names.ownVolume(project, name, mount.target, image)
        const labels = isNamed ? names.labels(project) : names.labels(project, name)
        await resources.ensureVolume(this.#engine, { name: source, labels })
        return { mount, source }
      }),
    )
  }

  #error(result: ProgramResult, said: string): LocaldError {
    const { key } = this.#run
    if (/address already in use|port is already allocated|port .* in use/i.test(said))
      return new LocaldError('PORT_TAKEN', `a port of ${key} is in use: ${said}`, {
        service: key,
        hint: 'Stop what uses it, or give the service another `port`.',
      })
    const wrong = wrongOptions.find(({ says }) => says.test(said))
    if (wrong === undefined) return engineError(this.#engine, 'run', result)
    const { code, hint } = wrong
    return new LocaldError(code, `${key} cannot be started in its container: ${said}`, { service: key, hint })
  }
}

/** Returns the ports that a container may reach: those of services it refers to, and those that it names itself. */
export function hostPortsOf({ hostPorts, env, options }: Run<ContainerOptions>): readonly number[] {
  const texts = [...Object.values(env), ...[options.command ?? [], options.entrypoint ?? []].flat()]
  const named = texts.flatMap(text => [...text.matchAll(/host\.docker\.internal:([0-9]{1,5})/g)])
  return [...new Set([...hostPorts, ...named.map(([, port]) => Number(port))])].sort((a, b) => a - b)
}
