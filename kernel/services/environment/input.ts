import type { Path } from '../../config/document/table.ts'
import type { DotenvEntries, EnvFiles } from '../../config/sources/env-files.ts'
import type { ProjectPlan, ServicePlan } from '../../contract/plugin.ts'

/** Where a variable comes from, weakest first. */
export type EnvLayer = 'shell' | 'project' | '.env' | 'env_file' | 'service' | 'locald'

/** What set a variable: a file and line where it is one. */
export interface EnvOrigin {
  readonly layer: EnvLayer
  readonly file: string | null
  readonly line: number | null
}

/** Finds the file (absolute) and the 1-based line of a path of the configuration; nulls for a default. */
export type Locate = (path: Path) => Promise<{ readonly file: string | null; readonly line: number | null }>

/** What an environment is made of. */
export interface EnvironmentInput {
  /** The environment of the caller's shell. */
  readonly shell: Readonly<Record<string, string | undefined>>
  readonly plan: ProjectPlan
  readonly service: ServicePlan
  /** Set by locald and its plugins: PORT and the like. The strongest layer; `${PORT}` reads it. */
  readonly own: Readonly<Record<string, string>>
  /** Set by locald unless a stronger layer than the shell does: a HOST of the project's wins. */
  readonly defaults?: Readonly<Record<string, string>>
  /** The value of `${services.NAME.FIELD}`. */
  lookup(service: string, field: string): string | undefined
  /** For messages with file and line. */
  readonly locate?: Locate
  /** Whether it is for a guest: the shell's variables can be referred to, and are not part of its environment. */
  readonly isGuest?: boolean
  /** Reads `.env` and `env_file`; default: a reader that trusts no allowed files. */
  readonly envFiles?: EnvFiles | undefined
}

/** A file with variables, and its entries. */
export interface EnvFile {
  readonly layer: '.env' | 'env_file'
  readonly file: string
  readonly entries: DotenvEntries
}

/** A table `env`. */
export interface EnvTable {
  readonly layer: 'project' | 'service'
  readonly table: Readonly<Record<string, string>>
  readonly path: Path
  /** Names that only stronger layers set: for hints. */
  readonly later: ReadonlySet<string>
}

/** The place of what has none. */
export const nowhere = { file: null, line: null } as const
