import type { Warning } from './hosting.ts'

/** A variable that a plugin sets for services, before references such as `${NAME}` are resolved. */
export interface Variable {
  readonly name: string
  /**
   * `override`: it wins over all others; `fallback`: set where neither the project nor the shell sets it. A change of
   * either restarts the service.
   */
  readonly rank: 'override' | 'fallback'
  /** Returns its value; undefined: it is not set for this service, or not at present. */
  value(service: VariableTarget): string | undefined
  /**
   * Returns what is wrong with a value that the project or the shell sets; `folder` is the working folder of the
   * service.
   */
  check?(value: string, folder: string): Promise<Warning | undefined>
}

/** What the value of a variable can depend on. */
export interface VariableTarget {
  readonly port: number | undefined
  /** The service's host names, the main one first. */
  readonly hosts: readonly string[]
}
