import { basename } from 'node:path'
import type { TranslationAnswer } from '../../kernel/protocol.ts'
import { formatToml, type Section } from './toml.ts'

/** Formats the `locald.toml` of what files of another format become. */
export function formatTranslation(format: string, { name, files, services }: TranslationAnswer): string {
  const names = files.map(path => basename(path)).join(' and ')
  const sections = services.map(({ name, ...section }): Section => ({ header: ['services', name], ...section }))
  return formatToml(
    [`Made from ${names} by \`locald init --from ${format}\`.`],
    [{ header: ['project'], entries: [{ key: 'name', value: name }] }, ...sections],
  )
}
