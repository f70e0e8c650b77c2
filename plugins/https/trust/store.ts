import type { KeychainStep } from '../../../kernel/contract/plugin.ts'
import type { Root } from '../ca/authority.ts'

/** Whether a store trusts a root, with what is to be said of it. `unusable`: that cannot be told or changed, and why. */
export type StoreState =
  | { readonly is: 'trusted'; readonly note?: string }
  | { readonly is: 'untrusted'; readonly note?: string }
  | { readonly is: 'unusable'; readonly reason: string; readonly hint: string }

/** What came of a change. `todo`: the command a person has to run; `step`: what the CLI has to do first, for only it can. */
export type Change = Changed | { readonly done: 'not yet'; readonly step: KeychainStep }
export type Changed = { readonly done: true } | { readonly done: false; readonly reason: string; readonly todo: string }

/** One list of roots that programs trust. */
export interface Store {
  /** `system`, or the browsers' databases. */
  readonly kind: 'system' | 'chromium' | 'firefox'
  /** For people: "the system's store (Debian, Ubuntu)". */
  readonly title: string
  state(root: Root): Promise<StoreState>
  add(root: Root): Promise<Change>
  remove(root: Root): Promise<Change>
}

/** The name a root has in stores, unique for each. */
export function nameOf(root: Root): string {
  return `locald-${root.id}`
}
