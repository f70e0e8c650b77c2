/** Responses about services. */
import { health, ref, status } from './named.ts'
import { flag, integer, list, number, object, oneOf, orNull, text, texts, time } from './parts.ts'
import { configValues } from './projects.ts'

export const services = object({ services: list(ref('StatusService')) })
export const keys = object({ keys: texts })
const change = object({ text, command: orNull(text), kind: text, at: orNull(time) })
export const account = object(
  {
    ...{ key: text, text, because: texts, tree: ref('WhyStep') },
    ...{ changes: list(change), wellAt: orNull(time), folder: text },
  },
  ['tree', 'changes', 'wellAt', 'folder'],
)
export const details = object(
  {
    service: ref('Service'),
    ...{ dir: text, command: orNull(text), commandReason: orNull(text), hosts: texts },
    ports: { type: 'object', additionalProperties: integer },
    dependencies: list(
      object({ key: text, name: text, condition: oneOf('started', 'ready', 'completed'), status, health, met: flag }),
    ),
    ...{ dependents: texts, logFile: text, config: configValues, problem: { $ref: 'Error#' } },
  },
  ['problem'],
)
export const history = object({
  key: text,
  entries: list(
    object({
      ...{ time, kind: oneOf('state', 'exit', 'warning') },
      status: { type: ['string', 'null'], enum: [...status.enum, null] },
      ...{ health, text: orNull(text), code: orNull(integer), signal: orNull(text) },
    }),
  ),
})
export const usage = object({
  key: text,
  samples: { ...list(list(number)), description: 'ms since the epoch, CPU in percent of one core, bytes of memory' },
})
const envPlace = object({
  layer: oneOf('shell', 'project', '.env', 'env_file', 'service', 'locald', 'plugin'),
  ...{ plugin: orNull(text), file: orNull(text), line: orNull(integer), text },
})
export const environment = object({
  ...{ key: text, running: flag },
  variables: list(
    object({ name: text, value: text, secret: flag, from: envPlace, overrides: list(envPlace), current: flag }),
  ),
  removed: texts,
})
export const oneOff = object(
  { dir: text, argv: texts, env: { type: 'object', additionalProperties: text }, notRunning: texts },
  ['argv'],
)
const value = { type: ['string', 'number', 'boolean'] }
const argument = {
  ...{ name: text, type: oneOf('string', 'integer', 'number', 'boolean', 'enum') },
  ...{ values: texts, default: value, description: text },
}

const command = object({
  ...{ name: text, run: text, description: orNull(text), confirm: flag },
  args: list(object(argument, ['values', 'default', 'description'])),
})
export const serviceCommands = object({ services: list(object({ key: text, commands: list(command) })) })
