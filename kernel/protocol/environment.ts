/** `reveal`: secrets are not masked, or with `name`, that of this variable is not; an event says so. */
export interface EnvQuery {
  readonly path: string
  readonly service: string
  readonly reveal?: boolean
  readonly name?: string
}

/** The environment that a service gets at its next start, by name. */
export interface EnvAnswer {
  readonly key: string
  /** Whether a process of it runs, with which `current` compares. */
  readonly running: boolean
  readonly variables: readonly EnvVariable[]
  /** Names that only its process has: a restart removes them. */
  readonly removed: readonly string[]
}

/** A variable of a service: its value, masked where it is a secret, and what set it. */
export interface EnvVariable {
  readonly name: string
  readonly value: string
  readonly secret: boolean
  readonly from: EnvPlace
  /** The places whose value it overrides, the strongest first. */
  readonly overrides: readonly EnvPlace[]
  /** Whether the running process has this value; otherwise a restart applies it. True for what differs from shell to shell. */
  readonly current: boolean
}

/** What sets a variable; `text` is for people: `.env.local:3`, `plugin https`, `shell`. */
export interface EnvPlace {
  readonly layer: 'shell' | 'project' | '.env' | 'env_file' | 'service' | 'locald' | 'plugin'
  readonly plugin: string | null
  readonly file: string | null
  readonly line: number | null
  readonly text: string
}
