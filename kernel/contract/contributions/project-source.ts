import type { Translation } from './translation.ts'

/** Services by name, each with the keys of its table in `locald.toml`. */
export type ServiceTables = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** A project's raw tables as `locald.toml` would have them, made from another file. */
export interface ProjectSource {
  /** The file looked for in the project's folder. */
  readonly file: string
  /** What the file has to be, for hints: "a package.json with a `dev` script"; default: "a `FILE`". */
  readonly description?: string
  /**
   * Services by name; undefined when the file does not describe a project. Throws an Error whose message names the
   * line. `folder` is the file's, absolute.
   */
  read(text: string, folder: string): ServiceTables | undefined
}

/** Finds the services of a project without a `locald.toml` in several files of its folder. */
export interface ProjectDetector {
  /** Names of the files in the project's folder that it reads: `locald config allow FOLDER` covers them. */
  readonly files: readonly string[]
  /** What the folder has to have, for hints: "a package.json with a `dev` script"; absent: hints leave it out. */
  readonly description?: string
  /** Whether all others are tried before it, also those of other plugins. */
  readonly isFallback?: boolean
  /**
   * Looks at the folder, and runs nothing. Undefined: nothing that it knows. Throws CONFIG_INVALID, with the file and
   * line as its problem, for a file with errors.
   */
  detect(folder: ProjectFolder): Promise<Detection | Unsuitable | undefined>
  /** Translates the files of a format of others for `locald init --from FORMAT`. */
  readonly translator?: Translator
}

/** Translates files to a `locald.toml` that people edit: with comments, and with all that has no counterpart. */
export interface Translator {
  /** The word of `--from`: `compose`. */
  readonly format: string
  /**
   * Translates these files, absolute; without any those of the folder. Runs nothing. Throws IMPORT_UNSUPPORTED for what
   * locald cannot do, CONFIG_NOT_FOUND without files, CONFIG_INVALID for faulty ones.
   */
  translate(folder: ProjectFolder, files: readonly string[]): Promise<Translation>
}

/** The services that a detector has found. */
export interface Detection {
  /** The file that describes them, relative to the folder. */
  readonly file: string
  readonly services: ServiceTables
  /** Files of services that another one than `file` describes, by the services' names, relative to the folder. */
  readonly files?: Readonly<Record<string, string>>
  /** What the user should know of the choice, a sentence each. */
  readonly notes?: readonly string[]
  /** Files whose change means a reload; default: all of the above. */
  readonly watched?: readonly string[]
  /** The format of the detector's translator, which says more about these services than their keys do. */
  readonly format?: string
}

/** Why a file that a detector knows does not describe a project. */
export interface Unsuitable {
  /** "go.mod has no main package at its root" */
  readonly reason: string
  /** What to do, a sentence that begins with an imperative; default: write the example. */
  readonly hint?: string
  /** Services that a `locald.toml` could have instead. */
  readonly example?: ServiceTables
}

/** A folder as detectors see it. Files of users whom the caller does not trust are refused. Paths are relative to it. */
export interface ProjectFolder {
  /** Absolute. */
  readonly path: string
  /** The service types that plugins registered. */
  readonly types: readonly string[]
  /** The variables of the caller's shell; none where no one called. */
  readonly env: Readonly<Record<string, string | undefined>>
  /**
   * Reads a text file of at most 1 MiB in a folder of the project; undefined where there is none. Throws CONFIG_UNREADABLE, and CONFIG_UNTRUSTED
   * for another user's.
   */
  read(file: string): Promise<string | undefined>
  /** Reads a file likewise that one of the project names, at any absolute path. */
  readNamed(file: string): Promise<string | undefined>
  /**
   * Returns whether a file or folder exists and belongs to a user whom the caller trusts. Follows links also out of the
   * project: a virtual environment may be one.
   */
  has(path: string): Promise<boolean>
  /**
   * Returns what uses a port of this machine, other than the project's own services. Undefined where it is free, and
   * where the project is read without being started.
   */
  portOccupant(port: number): Promise<PortOccupant | undefined>
  /** Lists a folder of the project by name; empty where there is none, or where it has more than 10,000 entries. */
  list(folder: string): Promise<readonly FolderEntry[]>
}

/** What uses a port. */
export interface PortOccupant {
  /** `node (pid 12)`, "another process"; the key of a service of another project: `shop:db`. */
  readonly name: string
  readonly isService: boolean
}

/** An entry of a folder. Links are not followed. */
export interface FolderEntry {
  readonly name: string
  readonly kind: 'file' | 'folder' | 'other'
}
