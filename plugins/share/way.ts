import type { Log } from '../../kernel/contract/plugin.ts'
import type { Front, FrontSpec } from '../proxy/provides.ts'
import type { SharePlace } from './provides.ts'

/** A way by which a service is shared, as long as it is open. */
export interface Way {
  /** Its URLs at present, the best one first. */
  readonly places: readonly SharePlace[]
  /** What the user should know, a sentence each. */
  readonly notes: readonly string[]
  close(): Promise<void>
}

/** What a way needs. */
export interface WayInput {
  /** Key of the service. */
  readonly key: string
  /** Ports to try. */
  readonly ports: readonly number[]
  readonly openFront: (spec: FrontSpec) => Front
  readonly log: Log
  /** Aborts when the user does not want it any more. */
  readonly signal: AbortSignal
  /** Called when the URLs have changed. */
  readonly changed: () => void
  /** Called when it cannot go on. */
  readonly failed: (reason: string) => void
}
