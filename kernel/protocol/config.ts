import type { ErrorJson } from '../errors.ts'

export interface ConfigBody {
  readonly path: string
  readonly env: Readonly<Record<string, string>>
  /** Checked in place of the `locald.toml` of this very folder, which need not exist. */
  readonly draft?: string
}

export interface ConfigAnswer {
  readonly project: string
  readonly path: string
  readonly values: readonly ConfigValue[]
  /** What an `up` from the caller's shell would not find a value for. */
  readonly unresolved?: ErrorJson
  /** What an `up` from the caller's shell would warn of. */
  readonly warnings?: readonly ConfigWarning[]
}

/** One value of the merged configuration; `file` null: a default. `env` values are never shown resolved. */
export interface ConfigValue {
  readonly key: string
  readonly value: unknown
  readonly file: string | null
  readonly line: number | null
}

export interface ConfigWarning {
  readonly message: string
  readonly hint: string
}

export interface AllowBody {
  /** A folder, or a file in it; absolute. */
  readonly path: string
}

/** The folder whose project files are taken from now on, of these users; none where they are the caller's anyway. */
export interface AllowAnswer {
  readonly path: string
  readonly owners: readonly number[]
}
