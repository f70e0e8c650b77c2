import type { TrustStep } from '../../../kernel/contract/plugin.ts'
import type { Root } from '../ca/authority.ts'

/** Whether a store trusts a root, with a note for the user. `unusable`: it cannot be read or changed, and why. */
export type StoreState =
  | { readonly is: 'trusted'; readonly note?: string }
  | { readonly is: 'untrusted'; readonly note?: string }
  | { readonly is: 'unusable'; readonly reason: string; readonly hint: string }

/**
 * The result of a change. `todo`: the command that the user has to run; `step`: what the CLI has to do first, as only
 * it can.
 */
export type Change = Changed | { readonly done: 'not yet'; readonly step: TrustStep }
export type Changed = { readonly done: true } | { readonly done: false; readonly reason: string; readonly todo: string }

/** One list of roots that programs trust. */
export interface Store {
  /** `system`, or the browsers' databases. */
  readonly kind: 'system' | 'chromium' | 'firefox'
  /** For users: "the system's store (Debian, Ubuntu)". */
  readonly title: string
  state(root: Root): Promise<StoreState>
  add(root: Root): Promise<Change>
  remove(root: Root): Promise<Change>
}

/** Returns the unique name of a root in stores. */
export function nameOf(root: Root): string {
  return `locald-${root.id}`
}
