import type { DiskEntry } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import { shortenPath } from '../output/errors.ts'
import { formatBytes } from '../output/humanize.ts'
import { print, printJson, printStderr } from '../output/terminal.ts'
import type { Added, Removed } from './project.ts'

/** Prints which service was written, and where. */
export function reportAdded({ json, cwd }: Pick<Context, 'json' | 'cwd'>, service: string, added: Added): void {
  const { file, line, toml, created, warnings } = added
  if (json) {
    const from = created?.from ?? null
    printJson({ service, file, line, toml, created: created !== undefined, from, warnings })
    return
  }
  const name = shortenPath(file, cwd)
  if (created?.from !== undefined) print(`Created ${name} with the services of ${created.from}`)
  print(`Added ${service} to ${name}:${line}\n`)
  print(toml.replace(/^(?=.)/gm, '  '))
  for (const { message, hint } of warnings) printStderr(`Warning: ${message}\nHint: ${hint}`)
  print(`\nNext: locald up ${service}`)
}

/** What `locald service remove` has done, or would do. */
export interface Removal extends Removed {
  readonly isDry: boolean
  /** Whether it runs, or has run until now. */
  readonly isRunning: boolean
  /** Its data, which stays. */
  readonly kept: readonly DiskEntry[]
}

/** Prints which lines were removed, and what stays. */
export function reportRemoved({ json, cwd }: Pick<Context, 'json' | 'cwd'>, service: string, removal: Removal): void {
  const { file, line, toml, isDry, isRunning, kept, warnings } = removal
  if (json) {
    const data = kept.map(({ what, path, name, bytes }) => ({ what, path, name, bytes }))
    printJson({ service, file, line, toml, dryRun: isDry, stopped: isRunning && !isDry, data, warnings })
    return
  }
  if (isRunning) print(`${isDry ? 'Would stop' : 'Stopped'} ${service}`)
  print(`${isDry ? 'Would remove' : 'Removed'} ${service} from ${shortenPath(file, cwd)}:${line}\n`)
  print(toml.replace(/^(?=.)/gm, '  ').trimEnd())
  for (const { what, name, path, bytes } of kept)
    print(`\n${isDry ? 'Would keep' : 'Kept'} the ${what} of ${service} (${formatBytes(bytes)}): ${path ?? name}`)
  if (kept.length > 0) print(`A service '${service}' that is added again uses it.`)
  for (const { message, hint } of warnings) printStderr(`Warning: ${message}\nHint: ${hint}`)
}
