/** How the OpenAPI document describes responses. */
import { type named, ref } from './named.ts'
import { list, object } from './parts.ts'

/** The values of an event, by topic. */
const batch = {
  anyOf: [
    { ...list(ref('LogLine')), description: '`logs`' },
    { ...list({ anyOf: [ref('Snapshot'), ref('Event')] }), description: '`events`' },
    { ...list(ref('Usage')), description: '`usage`' },
    { ...list({}), description: 'Topics of plugins' },
  ],
}

export const nothing = object({})

/** Describes a response of one JSON value. */
export function answer(description: string, schema: object) {
  return { 200: { description, content: { 'application/json': { schema } } } }
}

/** Describes the stream, whose events OpenAPI 3.1 cannot describe: the schema of their data stands for the whole. */
export const eventStream = {
  200: {
    description:
      'Server-sent events. Each has a topic as its type, an array of values of it as its data, and an id that resumes after it.',
    content: { 'text/event-stream': { schema: batch } },
  },
}

/**
 * Describes a response of NDJSON. OpenAPI 3.1 cannot describe one line, so the line's schema stands for that of the
 * whole.
 */
export function stream(description: string, name: keyof typeof named) {
  return {
    200: {
      description: `${description}. One JSON value per line, each with this schema.`,
      content: { 'application/x-ndjson': { schema: ref(name) } },
    },
  }
}
