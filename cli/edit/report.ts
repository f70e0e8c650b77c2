import type { Context } from '../context.ts'
import { shortenPath } from '../output/errors.ts'
import { print, printJson, printStderr } from '../output/terminal.ts'
import type { Added } from './project.ts'

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
