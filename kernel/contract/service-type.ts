import type { FeatureName } from './feature.ts'
import type { Instance, LogSink } from './instance.ts'
import type { ProjectRef } from './project.ts'
import type { Shape } from './shape.ts'

/** A runtime driver for one service type. */
export interface ServiceType<O> {
  readonly type: string
  /** The type of a service table without `type`. One driver only. */
  readonly isDefault?: boolean
  /** Its own keys; the kernel adds the common ones. */
  readonly shape: Shape<O>
  /** Off → a refusal with the flag's hint. */
  readonly requires?: readonly FeatureName[]
  /** From where it sees other services. */
  readonly reach?: 'host' | 'guest'
  /** `web`: a port and a name; `port`: a port only; `none`: neither. Default `web`. */
  readonly network?: 'web' | 'port' | 'none'
  /** What a `web` service speaks on its port; default HTTP/1.1. */
  protocol?(options: O): Protocol
  /** Slow, once, its own step: initdb, image pull. */
  prepare?(run: Run<O>): Promise<void>
  start(run: Run<O>): Promise<Instance>
  /** After a daemon restart. */
  adopt?(run: Run<O>, state: unknown): Promise<Instance | undefined>
  /** `locald service reset`. */
  reset?(run: Run<O>): Promise<void>
  /** What `${services.NAME.*}` may read besides port, host and url. */
  exports?(run: Run<O>): Record<string, string>
  /** The argv and the shell-less environment of a one-off command in the service's place; default: as given. */
  oneOff?(
    run: Run<O>,
    argv: readonly string[],
  ): { readonly argv: readonly string[]; readonly env: Record<string, string> }
}

/**
 * `https`: HTTP/1.1 over TLS, whose certificate is not verified. `h2c`: HTTP/2 without TLS from the first byte on (RFC
 * 9113 section 3.3), as gRPC servers speak it.
 */
export type Protocol = 'http' | 'https' | 'h2c'

/** The service's scope, as a plain object. */
export interface Run<O> {
  readonly project: ProjectRef
  readonly name: string
  readonly key: string
  readonly options: O
  readonly port: number | undefined
  readonly env: Readonly<Record<string, string>>
  /** Working folder, absolute. */
  readonly dir: string
  /** A folder of the service's own for data that stays; made on demand by the driver. */
  readonly data: string
  readonly stopSignal: string
  /** ms */
  readonly stopTimeout: number
  readonly log: LogSink
  readonly signal: AbortSignal
  step(text: string, progress?: { done: number; total: number }): void
}
