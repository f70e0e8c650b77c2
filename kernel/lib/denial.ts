/** Why the system denies a program access to a file of its user, and how to allow it. */
export interface Denial {
  readonly message: string
  readonly hint: string
  /** The hint in a few words. */
  readonly brief: string
}

/**
 * Returns why the system denies access to a path with a code such as EPERM; undefined where the permissions of files
 * say enough.
 */
export type ExplainDenial = (path: string, code: string | undefined) => Denial | undefined

let explain: ExplainDenial = () => undefined

/**
 * Sets how denials are explained in this process, for errors of files that are read everywhere: a platform plugin's,
 * during `setup`.
 */
export function setDenials(by: ExplainDenial): void {
  explain = by
}

/** Explains a denial, by the platform plugin; undefined where it has no explanation, or is not loaded. */
export function denialOf(path: string, code: string | undefined): Denial | undefined {
  return explain(path, code)
}
