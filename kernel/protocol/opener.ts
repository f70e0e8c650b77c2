/** A URL to be opened: of http or https. */
export interface OpenerQuery {
  readonly url: string
}

/** `argv` opens the URL; null where the machine cannot. */
export interface OpenAnswer {
  readonly url: string
  readonly argv: readonly string[] | null
  readonly hint?: string
}
