/** Responses about the daemon and its machine. */
import { ref } from './named.ts'
import { flag, integer, list, object, oneOf, orNull, text, texts, time } from './parts.ts'

export const pong = object({ pong: flag, pid: integer, version: text })
export const server = object({
  ...{ pid: integer, socket: text, http: orNull(integer), https: orNull(integer) },
  ...{ version: text, startedAt: time },
})
export const opening = object({ url: text, argv: { type: ['array', 'null'], items: text }, hint: text }, ['hint'])
export const portHolder = object({
  port: integer,
  kind: oneOf('service', 'daemon', 'process', 'free'),
  ...{ holder: orNull(text), service: orNull(text), hint: orNull(text) },
})
export const diagnosis = object({
  ...{ ok: flag, checks: list(ref('Check')), fixes: texts },
  commands: list(object({ command: text, root: flag })),
})
export const fixed = object({ command: text, exitCode: orNull(integer), output: text })
export const disk = object({
  ...{ path: text, bytes: integer, freeBytes: integer },
  complete: { ...flag, description: 'Whether all of it was counted in time' },
  entries: list(
    object({
      kind: oneOf('logs', 'data', 'other'),
      what: { ...text, description: 'In words, such as `docker volume`' },
      name: { ...orNull(text), description: 'Null for files' },
      ...{ project: orNull(text), service: orNull(text) },
      path: { ...orNull(text), description: 'Null for what a container engine keeps' },
      bytes: integer,
    }),
  ),
})
const bootStep = object({ argv: texts, successCodes: list(integer), retryCodes: list(integer) }, [
  'successCodes',
  'retryCodes',
])
export const bootPlan = object(
  {
    ...{ file: text, text, manager: text, delayMs: integer, failureHint: text, hint: text },
    ...{ load: list(bootStep), start: list(bootStep) },
    ...{ unload: list(texts), loaded: list(texts), removed: list(texts) },
  },
  ['hint'],
)
export const redacted = object({ value: {} })
