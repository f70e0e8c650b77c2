/** A value as `locald.toml` can have it. */
export type TomlValue = string | number | boolean | readonly TomlValue[] | { readonly [key: string]: TomlValue }

/** What the files of another format become in a `locald.toml`. */
export interface Translation {
  /** The files that were read, absolute. */
  readonly files: readonly string[]
  /** The name of the project, a DNS label. */
  readonly name: string
  readonly services: readonly TranslatedService[]
  /** Keys without a counterpart. */
  readonly dropped: readonly Finding[]
  /** What was translated and differs from what the format means. */
  readonly changed: readonly Finding[]
}

/** A service's table. */
export interface TranslatedService {
  readonly name: string
  /** Lines above its keys. */
  readonly comments: readonly string[]
  readonly entries: readonly TranslatedEntry[]
  /** Whether the whole table is a comment. */
  readonly isInactive: boolean
}

/** A key of a service, with the comment behind it. */
export interface TranslatedEntry {
  readonly key: string
  readonly value: TomlValue
  readonly comment?: string
}

/** What there is to say about a key of the files. */
export interface Finding {
  /** Dotted: `services.web.cap_add`. */
  readonly key: string
  /** The consequence. */
  readonly message: string
  readonly at: Place
}

/** Where something was written: an absolute path and a 1-based line. */
export interface Place {
  readonly file: string
  readonly line: number
}
