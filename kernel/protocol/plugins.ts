import type { ErrorCode } from '../errors.ts'

export interface PluginView {
  readonly name: string
  readonly version: string
  readonly from: 'built-in' | 'npm'
  readonly state: 'active' | 'off' | 'broken'
  /** Why it is off or broken. */
  readonly reason: string | null
  /** The code of that reason; absent if the user disabled the plugin. */
  readonly code?: ErrorCode
  readonly types: readonly string[]
  readonly features: readonly string[]
  /** What is known of its features that are on, by their names, such as the version of what provides one. */
  readonly details?: Readonly<Record<string, string>>
  readonly commands: readonly string[]
  /** ms of its setup. */
  readonly setupMs: number | null
}

export interface PluginsAnswer {
  readonly plugins: readonly PluginView[]
}
