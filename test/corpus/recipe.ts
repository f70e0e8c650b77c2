import type { Files } from '../lib/sandbox.ts'

/** A small project, as people have them, most without a locald.toml, and what `locald up` makes of it. */
export interface Recipe {
  /** Also the name of its folder, and so of the project. */
  readonly name: string
  readonly files: Files
  /** Its domain, where its locald.toml has another than `NAME.localhost`. */
  readonly domain?: string
  /** Packages with their versions, for the project's package.json. */
  readonly npm?: Readonly<Record<string, string>>
  /** The scripts of its package.json. */
  readonly scripts?: Readonly<Record<string, string>>
  /** More of its package.json. */
  readonly manifest?: Readonly<Record<string, unknown>>
  /** Packages whose programs the project's user has installed, such as another package manager or Node: first in PATH. */
  readonly tools?: Readonly<Record<string, string>>
  /** Packages for a virtual environment in `.venv`. */
  readonly pip?: readonly string[]
  /** Programs that must be there; where one is not, the project is not tried. */
  readonly programs?: readonly string[]
  /** A shell command in the project's folder, before `up`. */
  readonly prepare?: string
  /** A text in the page, by the host: `''` is the project's own domain, `api` is `api.` before that. */
  readonly answers: Readonly<Record<string, string>>
  /** A change of a file that an open page shows without being loaded by its user again. */
  readonly edit?: Edit
  /** One of those that run in CI; the others run at night. */
  readonly isFast?: boolean
}

/** Replaces a text in a file; the page shows `to` in place of `from`. */
export interface Edit {
  readonly file: string
  readonly from: string
  readonly to: string
}

/** Returns the files of a project, with the package.json of its scripts and packages. */
export function filesOf({ files, npm, scripts, manifest }: Recipe): Readonly<Record<string, string>> {
  if (npm === undefined && scripts === undefined) return files
  const all = { private: true, type: 'module', ...manifest, scripts, dependencies: npm }
  return { 'package.json': JSON.stringify(all, null, 2), ...files }
}
