import type { Root } from './authority.ts'

/** Whether a store trusts a root. `unusable`: that cannot be told or changed, and why. */
export type StoreState =
  | { readonly is: 'trusted' }
  | { readonly is: 'untrusted' }
  | { readonly is: 'unusable'; readonly reason: string; readonly hint: string }

/** What came of a change. `todo`: the command a person has to run. */
export type Change = { readonly done: true } | { readonly done: false; readonly reason: string; readonly todo: string }

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
