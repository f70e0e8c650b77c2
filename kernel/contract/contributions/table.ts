import type { Shape } from '../shape.ts'

/** A top-level table of a project's configuration that a plugin owns. Its values are in `ProjectPlan.tables`. */
export interface PluginTable {
  readonly name: string
  /**
   * Checks the table and fills in defaults; its descriptions are hints, and part of the JSON schema of `locald.toml`.
   */
  readonly shape: Shape<unknown>
  /** Whether the files of the folders above the project may have the table, too; default: only `locald.toml` may. */
  readonly inherited?: boolean
}
