/** Responses about commands on terminals of their own. */
import { integer, list, object, orNull, text, texts, time } from './parts.ts'

const run = object({
  ...{ id: text, service: text, argv: texts, startedAt: time },
  exit: { ...object({ code: orNull(integer), signal: orNull(text) }), type: ['object', 'null'] },
})
export const started = object({ run, notRunning: texts })
export const runs = object({ runs: list(run) })
