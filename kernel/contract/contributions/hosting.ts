import type { SharedUrl } from '../../events.ts'
import type { Argv } from '../services/boot.ts'

/** Something that the user should know, and what to do about it. */
export interface Warning {
  readonly message: string
  readonly hint: string
}

/** Returns the URL that a browser opens for a host name such as `web.shop.localhost`, without a trailing slash. */
export type UrlSource = (host: string) => string

/** Returns where a service is shared, by its key. */
export type ShareSource = (key: string) => readonly SharedUrl[]

/** A host name that no project can have, nor one below it: its pages could set the cookies of what is served there. */
export interface ReservedHost {
  readonly host: string
  /** What is served there, for "is the WHAT's". */
  readonly what: string
}

/** A port on which a plugin listens in the daemon's process. */
export interface DaemonPort {
  /** Names the listener in "port 80 is in use by NAME". */
  readonly name: string
  /** Null where it does not listen. */
  readonly port: () => number | null
  /** How to free the port for a service. */
  readonly hint: string
}

/** How a URL is opened in the user's default browser: by a command, which the CLI runs, or not at all. */
export type Opening = { readonly argv: Argv } | { readonly argv: null; readonly hint?: string }
