import type { ErrorJson } from '../../../../kernel/errors.ts'

/** What a tab and the hub say to each other; the hub is in the shared worker, or in the tab itself. */

/** How the connection to the daemon is. Times in ms since the epoch. */
export type Link =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  /** No data since `since`; the next try is under way or soon. */
  | { readonly state: 'lost'; readonly since: number }
  /** The daemon wants a session: the page shows how to sign in. */
  | { readonly state: 'refused' }

/** Why the daemon does not send a topic. */
export interface Problem {
  readonly topic: string
  readonly error: ErrorJson
}

/** What a tab follows. */
export interface Subscription {
  readonly topic: string
  /** Keys of services; empty: all. */
  readonly services: readonly string[]
  /** How many past values it wants at most at first; undefined: all that are known. */
  readonly tail?: number | undefined
}

export type ToHub =
  | ({ readonly type: 'follow'; readonly id: number } & Subscription)
  | { readonly type: 'unfollow'; readonly id: number }
  /** Connects now instead of after the rest of the pause. */
  | { readonly type: 'retry' }
  /** The tab is closed, or kept by the browser without running. */
  | { readonly type: 'bye' }

export type FromHub =
  | { readonly type: 'values'; readonly id: number; readonly values: readonly unknown[] }
  | { readonly type: 'link'; readonly link: Link }
  | { readonly type: 'problem'; readonly problem: Problem }
