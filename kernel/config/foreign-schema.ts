import type { ValidateFunction } from 'ajv'
import { isTable } from './table.ts'

const options = {
  allErrors: true,
  useDefaults: true,
  // Lenient about keywords it does not know: they are annotations for editors.
  strict: false,
  verbose: true,
  validateFormats: false,
  logger: false,
  // The metaschema takes ten times as long to compile as a plugin's own schema. What no check can be made of is refused without it.
  meta: false,
  validateSchema: false,
} as const

/** The check of a plugin's own JSON schema: it fills defaults in, and finds all errors. Throws what ajv has against the schema. */
export async function compileForeign(schema: unknown): Promise<ValidateFunction> {
  // A library that is read only where there is something to check.
  const { Ajv } = await import('ajv')
  return new Ajv(options).compile(isTable(schema) ? schema : {})
}
