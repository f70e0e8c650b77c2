import { basename } from 'node:path'
import { labelOf } from '../../kernel/config/fields/names.ts'
import type { InferredAnswer } from '../../kernel/protocol.ts'
import { type Entry, formatToml, type Section, type TomlValue } from './toml.ts'

/** Returns the name that a project has without a file: its folder's. */
export function defaultName(folder: string): string {
  return labelOf(basename(folder))
}

/** Formats the `locald.toml` of what is inferred: the same names, commands and ports as without a file. */
export function formatInferred(
  name: string,
  services: InferredAnswer['services'],
  comments: readonly string[],
): string {
  const project: Section = { header: ['project'], entries: [{ key: 'name', value: name }] }
  const sections = Object.entries(services).map(([service, table]) => ({
    header: ['services', service],
    entries: entriesOf(table),
  }))
  return formatToml(comments, [project, ...sections])
}

function entriesOf(table: Readonly<Record<string, unknown>>): readonly Entry[] {
  return Object.entries(table).flatMap(([key, value]) => (isTomlValue(value) ? [{ key, value }] : []))
}

/** Whether a value of the daemon's answer can be written. */
function isTomlValue(value: unknown): value is TomlValue {
  if (Array.isArray(value)) return value.every(isTomlValue)
  if (typeof value === 'object' && value !== null) return Object.values(value).every(isTomlValue)
  return ['string', 'number', 'boolean'].includes(typeof value)
}
