import type { Instance, LogSink } from '../projects/instance.ts'
import type { CommonOptions, ProjectRef } from '../projects/project.ts'
import type { Argv } from '../services/boot.ts'
import type { Shape } from '../shape.ts'
import type { FeatureName } from './feature.ts'

/** A runtime driver for one service type. */
export interface ServiceType<O> {
  readonly type: string
  /** The type of a service table without `type`. One driver only. */
  readonly isDefault?: boolean
  /** Its own keys; the kernel adds the common ones. */
  readonly shape: Shape<O>
  /** Common keys that mean nothing for it: a file that has one is refused. Default: none. */
  readonly excludes?: readonly ExcludableKey[]
  /** Finds what is wrong with options that fit the shape. A message is the rest of a sentence: "must be …". */
  problems?(options: O): readonly OptionProblem[]
  /** Off → a refusal with the flag's hint. */
  readonly requires?: readonly FeatureName[]
  /**
   * `guest`: its services do not run on this machine's own network (a container, a VM). Their environment has no
   * variable of the shell, no HOST and no fallback of a plugin, and its references are resolved as they see other
   * services. Default: `host`.
   */
  readonly reach?: 'host' | 'guest'
  /** Default `web`. */
  readonly network?: Network | NetworkOf<O>
  /** The port inside a guest: its PORT. Undefined: none is known, and PORT is not set. */
  guestPort?(options: O): number | undefined
  /** The name by which other guests of the project reach it. Absent: only the host does. */
  guestHost?(run: Run<O>): string
  /** The name by which its services reach this machine's loopback; absent: not at all. */
  readonly hostName?: string
  /** More ports inside: each gets a port of its own on this machine, in `run.ports`. */
  ports?(options: O): readonly number[]
  /** What a `web` service speaks on its port; default HTTP/1.1. */
  protocol?(options: O): Protocol
  /**
   * Returns the glob patterns of the files that are watched for a service, relative to the project's root; default: its
   * `watch`. A change goes to `Instance.changed`.
   */
  watch?(options: O, common: CommonOptions): readonly string[]
  /** Slow, once, its own step: initdb, image pull. Rejects with ENGINE_FAILED, IMAGE_FAILED and the like. */
  prepare?(run: Run<O>): Promise<void>
  /** Returns the command that `start` runs where it is another than the written one. */
  adaptCommand?(target: CommandTarget<O>): Promise<AdaptedCommand | undefined>
  start(run: Run<O>): Promise<Instance>
  /** After a daemon restart. */
  adopt?(run: Run<O>, state: unknown): Promise<Instance | undefined>
  /** `locald service reset`. */
  reset?(run: Run<O>): Promise<void>
  /**
   * Returns what `${services.NAME.*}` may read besides port, host and url. `at`: where the one who refers to it reaches
   * it.
   */
  exports?(run: Run<O>, at: Address): Record<string, string>
  /**
   * Returns a one-off command in the service's place, for `locald run`. `argv` is not empty; `tty`: the caller has a
   * terminal. Default: `argv` in the service's folder with its environment. Throws where it cannot run.
   */
  oneOff?(run: Run<O>, argv: Argv, how: { readonly tty: boolean }): OneOff | Promise<OneOff>
}

/** Keys of every service that some types have no use for. */
export type ExcludableKey = 'health_check' | 'ready_timeout' | 'restart' | 'idle'

/** What is wrong with one key of a service's options. */
export interface OptionProblem {
  readonly key: string
  readonly message: string
  readonly hint?: string
}

/** `web`: a port and a host name; `port`: a port only; `none`: neither. */
export type Network = 'web' | 'port' | 'none'

/** Returns the network of a service. The type of a method, so that types of any options fit a list of all types. */
export type NetworkOf<O> = { of(options: O): Network }['of']

/** Where a service is reached; without a port it has none. */
export interface Address {
  readonly host: string
  readonly port: number | undefined
}

/** A program that runs a one-off command, and its whole environment. It is started in the project's folder for guests. */
export interface OneOff {
  readonly argv: Argv
  readonly env: Readonly<Record<string, string>>
}

/**
 * `https`: HTTP/1.1 over TLS, whose certificate is not verified. `h2c`: HTTP/2 without TLS from the first byte on (RFC
 * 9113 section 3.3), as gRPC servers speak it.
 */
export type Protocol = 'http' | 'https' | 'h2c'

/** What the command of a service can depend on. */
export interface CommandTarget<O> extends Pick<Run<O>, 'options' | 'dir' | 'env' | 'hasWrittenPort'> {}

/** A command that a driver runs in place of the written one. */
export interface AdaptedCommand {
  readonly command: string
  /** Variables that it is run with besides the service's own. */
  readonly env: Readonly<Record<string, string>>
  /** What differs and why, for users. */
  readonly reason: string
}

/** The service's scope, as a plain object. */
export interface Run<O> {
  readonly project: ProjectRef
  readonly name: string
  readonly key: string
  readonly options: O
  /** Whether the service was started by its name, or by a change of files that it watches. */
  readonly isRequested: boolean
  /** Its port on this machine. */
  readonly port: number | undefined
  /** Whether the project's file has its port: the command may listen there without reading PORT. */
  readonly hasWrittenPort: boolean
  /** Its further ports on this machine, by the port inside: those of `ServiceType.ports`. */
  readonly ports: Readonly<Record<string, number>>
  /** For a guest: ports on this machine's loopback of the host services that it depends on or refers to, in order. */
  readonly hostPorts: readonly number[]
  readonly env: Readonly<Record<string, string>>
  /** Working folder, absolute; the project's folder for a guest. */
  readonly dir: string
  /** `workdir` as written; for a guest, a folder inside. */
  readonly workdir: string | undefined
  /** A folder of the service's own for data that stays; made on demand by the driver. */
  readonly data: string
  readonly stopSignal: string
  /** ms */
  readonly stopTimeout: number
  readonly log: LogSink
  readonly signal: AbortSignal
  step(text: string, progress?: { done: number; total: number }): void
}
