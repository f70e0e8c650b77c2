import type { Run } from '../../kernel/contract/plugin.ts'
import type { Mount } from './mounts.ts'
import { labelFlags, type Names } from './names.ts'
import type { ContainerOptions } from './options.ts'
import { wordsOf } from './words.ts'

/** What a container is created from, besides its service. */
export interface CreateInput {
  readonly names: Names
  readonly image: string
  /** Each volume's name for the engine. */
  readonly volumes: readonly { readonly mount: Mount; readonly source: string }[]
  /** How the engine keeps the output, and where it writes the process id. */
  readonly keepFlags: readonly string[]
  /** How the container reaches this machine's loopback. */
  readonly hostFlags: readonly string[]
}

/** Returns the arguments of `run` for a service's container: detached, on the project's network, named for life. */
export function createArgs(run: Run<ContainerOptions>, input: CreateInput): readonly string[] {
  const { options, project, name, stopSignal } = run
  const { names, image, keepFlags, hostFlags } = input
  const [program, ...programArgs] = wordsOf(options.entrypoint) ?? []
  return [
    ...['run', '--detach', '--pull', 'never', '--name', names.container(project, name)],
    ...labelFlags({ ...options.labels, ...names.labels(project, name, 'service') }),
    ...['--network', names.network(project), '--network-alias', name],
    ...publishFlags(run),
    ...hostFlags,
    ...(options.init ? ['--init'] : []),
    ...['--stop-signal', stopSignal],
    ...keepFlags,
    ...input.volumes.flatMap(volumeFlags),
    ...limitFlags(options),
    ...(run.workdir === undefined ? [] : ['--workdir', run.workdir]),
    ...(options.user === undefined ? [] : ['--user', options.user]),
    ...(program === undefined ? [] : ['--entrypoint', program]),
    image,
    ...programArgs,
    ...(wordsOf(options.command) ?? []),
  ]
}

/** Only on 127.0.0.1: without an address an engine may listen on all, with other ports for IPv6. */
function publishFlags({ options, port, ports }: Run<ContainerOptions>): readonly string[] {
  const main =
    options.container_port === undefined || port === undefined ? [] : [[port, options.container_port] as const]
  const more = options.ports.flatMap(inside => (ports[inside] === undefined ? [] : [[ports[inside], inside] as const]))
  return [...main, ...more].flatMap(([outside, inside]) => ['--publish', `127.0.0.1:${outside}:${inside}`])
}

function volumeFlags({ mount, source }: CreateInput['volumes'][number]): readonly string[] {
  const flags = mount.kind === 'own' ? [] : mount.flags
  return ['--volume', [source, mount.target, ...(flags.length === 0 ? [] : [flags.join(',')])].join(':')]
}

function limitFlags({ tmpfs, shm_size: shm, memory, cpus }: ContainerOptions): readonly string[] {
  return [
    ...tmpfs.flatMap(path => ['--tmpfs', path]),
    ...(shm === undefined ? [] : ['--shm-size', shm]),
    ...(memory === undefined ? [] : ['--memory', memory]),
    ...(cpus === undefined ? [] : ['--cpus', String(cpus)]),
  ]
}
