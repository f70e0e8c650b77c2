/** Responses about projects: their configuration, and the registry. */
import { ref } from './named.ts'
import { flag, integer, list, object, orNull, text, texts, time } from './parts.ts'

export const graph = object({
  ...{ project: text, path: text },
  services: list(
    object({
      ...{ key: text, dependsOn: texts },
      start: orNull(object({ beganAt: time, startedAt: orNull(time), readyAt: orNull(time) })),
    }),
  ),
})
export const inferred = object(
  {
    ...{ path: text, file: text },
    services: {
      type: 'object',
      additionalProperties: { type: 'object', additionalProperties: true },
      description: 'The keys of each service as `locald.toml` would have them',
    },
    files: { type: 'object', additionalProperties: text },
    notes: texts,
    format: { ...text, description: 'The format whose translation says more about the services' },
  },
  ['format'],
)
const findings = list(object({ key: text, message: text, at: object({ file: text, line: integer }) }))
export const translation = object({
  ...{ files: texts, name: text },
  services: list(
    object({
      ...{ name: text, comments: texts, isInactive: flag },
      entries: list(object({ key: text, value: {}, comment: text }, ['comment'])),
    }),
  ),
  dropped: { ...findings, description: 'Keys without a counterpart' },
  changed: { ...findings, description: 'What differs from what the format means' },
})
export const configValues = list(object({ key: text, value: {}, file: orNull(text), line: orNull(integer) }))
const known = list(ref('KnownProject'))
export const registry = object({ projects: known })
export const cleaned = object({
  ...{ forgotten: known, kept: known },
  data: list(
    object({ project: text, what: text, name: orNull(text), path: orNull(text), bytes: integer, removed: flag }),
  ),
  removed: list(object({ project: text, path: text, bytes: integer })),
})
export const config = object(
  {
    ...{ project: text, path: text },
    values: configValues,
    unresolved: { $ref: 'Error#' },
    warnings: list(object({ message: text, hint: text })),
  },
  ['unresolved', 'warnings'],
)
export const allowed = object({ path: text, owners: list(integer) })
