import { LocaldError } from './errors.ts'
import type { PluginView } from './wire.ts'

export function requirePlugins(needed: Readonly<Record<string, string>>, views: readonly PluginView[]): void {
  const missing = Object.keys(needed).filter(
    name => !views.some(view => view.name === name || view.name === `locald-plugin-${name}`),
  )
  if (missing.length === 0) return
  throw new LocaldError('PLUGIN_MISSING', `this project needs plugins that are not installed: ${missing.join(', ')}`, {
    hint: missing.map(name => `\`locald plugins add ${name}\``).join(', '),
  })
}
