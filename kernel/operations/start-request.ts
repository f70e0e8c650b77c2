import type { ProjectRef } from '../contract/plugin.ts'
import type { LoadedPlan } from '../projects/loaded-plan.ts'
import type { Shell } from '../services/environment/shell.ts'

/** Which services of a plan to start. */
export interface StartRequest {
  readonly loaded: LoadedPlan
  readonly shell: Shell
  /** Undefined: all. */
  readonly names: readonly string[] | undefined
  /** Only these, without their dependencies. */
  readonly isExact?: boolean
  /** Stopped first, even when nothing of them has changed. */
  readonly restart: readonly string[]
  /** Started even when they have exited with success and nothing of them has changed. */
  readonly again: readonly string[]
  /** Of an `up`: run without use, though they have `idle`; undefined: as before. */
  readonly kept?: readonly string[]
  /** The project whose services need these, of another one: they are left alone while they run. */
  readonly neededBy?: ProjectRef['name']
}
