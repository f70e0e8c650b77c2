import { Ajv, type ValidateFunction } from 'ajv'
import { isTable } from '../table.ts'

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
export function compileForeign(schema: unknown): ValidateFunction {
  return new Ajv(options).compile(isTable(schema) ? schema : {})
}
