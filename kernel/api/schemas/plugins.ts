/** Responses about plugins and their commands. */
import { ref } from './named.ts'
import { integer, list, object, oneOf, text, texts } from './parts.ts'

export const plugins = object({ plugins: list(ref('Plugin')) })
const trustStep = object({ act: oneOf('trust', 'untrust'), domain: oneOf('user', 'admin'), certificate: text })
const commandTable = object({ columns: texts, rows: list({ type: 'array' }) })
const commandFlag = object({ name: text, value: text, description: text }, ['value'])
const described = { name: text, description: text, usage: text, details: text }
const subcommand = object({ ...described, flags: list(commandFlag) }, ['usage', 'details', 'flags'])
export const commandView = object({ ...described, subcommands: list(subcommand) }, ['usage', 'details', 'subcommands'])
export const commandResult = object(
  {
    ...{ exitCode: integer, text, table: commandTable, data: {}, steps: list(trustStep) },
    terminal: object({ argv: texts, env: { type: 'object', additionalProperties: text } }),
  },
  ['table', 'data', 'steps', 'terminal'],
)
