import type { ServiceView } from '../events.ts'
import type { KnownProjectView } from './registry.ts'

/** Topics of the stream. `service`: keys; `after`: the id of the last event, as the header `Last-Event-ID`. */
export interface StreamQuery {
  readonly topic: readonly string[]
  readonly service?: readonly string[]
  readonly tail?: number
  readonly after?: string
}

/** The first value of the topic `events`, also after each reconnect. */
export interface StreamSnapshot {
  readonly event: 'snapshot'
  readonly services: readonly ServiceView[]
  readonly projects: readonly KnownProjectView[]
}

/** A value of the topic `usage`: the services whose usage has changed since the last value. */
export interface StreamUsage {
  readonly services: readonly ServiceUsage[]
  readonly daemon: { readonly cpu: number; readonly memory: number }
}

/** CPU in percent of one core, memory in bytes; null while nothing runs. */
export interface ServiceUsage {
  readonly key: string
  readonly cpu: number | null
  readonly memory: number | null
}
