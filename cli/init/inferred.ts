import { basename } from 'node:path'
import { labelOf } from '../../kernel/config/names.ts'
import type { InferredAnswer } from '../../kernel/protocol.ts'
import { type Entry, formatToml, isTomlValue, type Section } from './toml.ts'

/** Returns the name that a project has without a file: its folder's. */
export function defaultName(folder: string): string {
  return labelOf(basename(folder))
}

/** Formats the `locald.toml` of what is inferred: the same names, commands and ports as without a file. */
export function formatInferred(
  name: string,
  { file, files, services }: Pick<InferredAnswer, 'file' | 'files' | 'services'>,
): string {
  const project: Section = { header: ['project'], entries: [{ key: 'name', value: name }] }
  const sections = Object.entries(services).map(([service, table]): Section => {
    const from = Object.hasOwn(files, service) ? files[service] : undefined
    return {
      header: ['services', service],
      comments: from === undefined ? [] : [`From ${from}`],
      entries: entriesOf(table),
    }
  })
  const head = [
    `What \`locald up\` runs, made from ${file}. Each service gets its port in $PORT.`,
    'Add more with `locald add COMMAND` or `locald service add postgres`; `locald ai schema` lists all keys.',
  ]
  return formatToml(head, [project, ...sections])
}

/** Lists a service's keys. The type of a service without `type` is left out. */
function entriesOf(table: Readonly<Record<string, unknown>>): readonly Entry[] {
  return Object.entries(table).flatMap(([key, value]) =>
    isTomlValue(value) && !(key === 'type' && value === 'exec') ? [{ key, value }] : [],
  )
}
