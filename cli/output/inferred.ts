import type { InferredService, LocaldEvent } from '../../kernel/events.ts'
import { sanitizeLine } from './sanitize.ts'

/** Lines of a list of services, with the one above it: a large project does not fill the screen. */
const lineLimit = 6

/**
 * Returns the lines that say what is run of a project without a `locald.toml`, and which file says so, with notes. The
 * folder is named where it is not the one of the caller, `cwd`.
 */
export function formatInferred(event: LocaldEvent, cwd = process.cwd()): readonly string[] {
  if (event.event !== 'project' || event.inferred === undefined) return []
  const { file, services, notes } = event.inferred
  const [first, ...others] = services
  if (first === undefined) return []
  const where = event.path === cwd ? '' : ` in ${event.path}`
  const noted = notes.map(note => sanitizeLine(`Note: ${note}`))
  if (others.length === 0) return [sanitizeLine(`No locald.toml: ${formatService(first)}${where}`), ...noted]
  const shown = services.length < lineLimit ? services : services.slice(0, lineLimit - 2)
  const width = Math.max(...shown.map(({ name }) => name.length))
  const rows = shown.map(one => `  ${one.name.padEnd(width)}  ${formatService(one)}`)
  const rest = services.length - shown.length
  const list = [
    `No locald.toml: ${services.length} services of ${file}${where}`,
    ...rows,
    ...(rest === 0 ? [] : [`  and ${rest} more, see \`locald config show\``]),
  ]
  return [...list.map(sanitizeLine), ...noted]
}

function formatService({ type, command, file }: InferredService): string {
  return command === null
    ? `running a service of type ${type}, because of ${file}`
    : `running \`${command}\` of ${file}`
}
