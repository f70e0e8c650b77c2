import type { EngineFound } from '../provides.ts'

/** An engine that cannot be used. */
export type Absent = Extract<EngineFound, { readonly state: 'absent' }>

/** Makes one; `hint` is an imperative. */
export function absent(reason: string, hint: string): Absent {
  return { state: 'absent', reason, hint }
}
