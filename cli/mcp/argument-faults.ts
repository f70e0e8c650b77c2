import { compilePluginSchema, type SchemaProblem, schemaProblemsOf } from '../../kernel/config/fields/plugin-schema.ts'
import { LocaldError } from '../../kernel/errors.ts'
import { cutText } from './size.ts'

/** The most that is shown of a value, in bytes. */
const mostOfValue = 80

/** Returns the error of arguments that are not as the schema of a tool's own arguments wants them, with all that is wrong. */
export function argumentError(tool: string, schema: object, given: unknown): LocaldError {
  const validate = compilePluginSchema({ ...schema })
  // It fills in defaults.
  const copy: unknown = structuredClone(given)
  const problems = validate(copy) ? [] : schemaProblemsOf(validate.errors ?? [], copy)
  const faults = [...new Set(problems.map(problem => describe(problem, given)))]
  return new LocaldError('USAGE', `${tool}: ${faults.length === 0 ? 'wrong arguments' : faults.join('; ')}`, {
    hint: 'Read the input schema of the tool, and call it again. Nothing was done.',
  })
}

function describe({ path, message, missing }: SchemaProblem, given: unknown): string {
  // Those of a declared command are in a table of their own.
  const name = path.filter((key, at) => at > 0 || key !== 'args' || path.length === 1).join('.')
  if (missing !== undefined) return `argument '${name}' is missing`
  if (message.startsWith('unknown key')) return message.replace('unknown key', `unknown argument '${name}'`)
  const text = JSON.stringify(valueAt(given, path)) ?? 'nothing'
  return `argument '${name}' ${message.replace('a table', 'an object')}, it is ${cutText(text, mostOfValue)}`
}

function valueAt(value: unknown, path: SchemaProblem['path']): unknown {
  let found = value
  for (const key of path) found = typeof found === 'object' && found !== null ? Reflect.get(found, key) : undefined
  return found
}
