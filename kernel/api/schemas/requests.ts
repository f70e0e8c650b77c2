import { anchorPattern } from '../../logs/anchor.ts'
import { levels } from '../../logs/level.ts'

/** JSON schemas of the API's requests; `kernel/protocol.ts` has their types. */
const text = { type: 'string', maxLength: 4096 } as const
/** The text of a file: as long as one that is read may be. */
const fileText = { type: 'string', maxLength: 1024 * 1024 } as const
const path = { type: 'string', pattern: '^/', maxLength: 4096 } as const
const flag = { type: 'boolean' } as const
const moment = { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}T[0-9:.]+Z$' } as const
const names = { type: 'array', items: text, maxItems: 10_000 } as const
const words = { type: 'array', items: { type: 'string' } } as const
const env = { type: 'object', additionalProperties: { type: 'string' } } as const
const target = { path, services: names, all: flag } as const

const targetBody = {
  type: 'object',
  required: ['path'],
  properties: target,
  additionalProperties: false,
} as const
export const stopBody = { ...targetBody, properties: { ...target, begunBy: text } } as const
const pid = { type: 'integer', minimum: 1 } as const
/** A time is at most what a timer of Node can wait. */
const lease = {
  type: 'object',
  properties: {
    pid,
    name: { type: 'string', minLength: 1, maxLength: 100 },
    seconds: { type: 'number', exclusiveMinimum: 0, maximum: 2_147_483 },
  },
  oneOf: [{ required: ['pid'] }, { required: ['seconds'] }],
  additionalProperties: false,
} as const
const start = { ...target, env, id: text } as const
export const upBody = {
  type: 'object',
  required: ['path'],
  properties: { ...start, noDependencies: flag, isAddition: flag, envFiles: { ...names, items: path }, lease },
  additionalProperties: false,
} as const
export const restartBody = { ...upBody, properties: { ...start, dependents: flag } } as const
export const waitBody = {
  type: 'object',
  required: ['path', 'timeoutMs'],
  properties: { ...target, timeoutMs: { type: 'number', minimum: 0, maximum: 2_147_483_647 } },
  additionalProperties: false,
} as const
export const resetBody = {
  type: 'object',
  required: ['path', 'service'],
  properties: { path, service: text },
  additionalProperties: false,
} as const
export const shutdownBody = {
  type: 'object',
  required: ['keepServices'],
  properties: { keepServices: flag },
  additionalProperties: false,
} as const
/** A call of a command that a service declares. Its values are checked against what it declares. */
const command = {
  type: 'object',
  required: ['name'],
  properties: {
    name: text,
    args: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
  },
  additionalProperties: false,
} as const
export const oneOffBody = {
  type: 'object',
  required: ['path', 'env'],
  properties: { path, service: text, with: names, env, argv: words, command, tty: flag, pid, wake: flag },
  anyOf: [{ not: { required: ['command'] } }, { required: ['service'], not: { required: ['argv'] } }],
  additionalProperties: false,
} as const
export const useBody = {
  type: 'object',
  required: ['path', 'services', 'pid'],
  properties: { path, services: names, pid },
  additionalProperties: false,
} as const
/** A command line of a terminal is no longer. */
const argv = { type: 'array', items: { type: 'string', maxLength: 65_536 }, minItems: 1, maxItems: 1000 } as const
export const leaseReleaseBody = {
  type: 'object',
  required: ['pid'],
  properties: { pid: { type: 'integer', minimum: 1 } },
  additionalProperties: false,
} as const
export const runBody = {
  type: 'object',
  required: ['path', 'service'],
  properties: { path, service: text, argv, command },
  oneOf: [{ required: ['argv'] }, { required: ['command'] }],
  additionalProperties: false,
} as const
export const runCloseBody = {
  type: 'object',
  required: ['id'],
  properties: { id: text },
  additionalProperties: false,
} as const
export const bootBody = {
  type: 'object',
  required: ['run', 'shutdown', 'env', 'log'],
  properties: { sandbox: text, run: names, shutdown: names, env, log: path },
  additionalProperties: false,
} as const
export const configBody = {
  type: 'object',
  required: ['path', 'env'],
  properties: { path, env, draft: fileText },
  additionalProperties: false,
} as const
/** `value`: any JSON. */
export const redactBody = {
  type: 'object',
  required: ['value'],
  properties: { value: {} },
  additionalProperties: false,
} as const
export const allowBody = {
  type: 'object',
  required: ['path'],
  properties: { path },
  additionalProperties: false,
} as const
export const pinBody = {
  type: 'object',
  required: ['path', 'projects', 'pinned'],
  properties: { path, projects: names, pinned: flag },
  additionalProperties: false,
} as const
export const cleanBody = {
  type: ['object', 'null'],
  properties: { dryRun: { type: 'boolean' }, data: names },
  additionalProperties: false,
} as const
export const forgetBody = {
  type: 'object',
  required: ['paths'],
  properties: { paths: names },
  additionalProperties: false,
} as const
export const commandBody = {
  type: 'object',
  required: ['argv', 'cwd'],
  properties: {
    ...{ argv: names, cwd: path },
    outcomes: {
      type: 'array',
      items: {
        type: 'object',
        required: ['act', 'domain', 'certificate', 'status', 'says'],
        properties: {
          ...{ act: { enum: ['trust', 'untrust'] }, domain: { enum: ['user', 'admin'] } },
          certificate: { type: 'string', maxLength: 16_384 },
          ...{ status: { type: ['integer', 'null'] }, says: text },
        },
        additionalProperties: false,
      },
    },
  },
  additionalProperties: false,
} as const
export const fixBody = {
  type: 'object',
  required: ['command'],
  properties: { command: text },
  additionalProperties: false,
} as const
export const openerQuery = {
  type: 'object',
  required: ['url'],
  properties: { url: { type: 'string', pattern: '^(?:https?|file)://[^\\s]+$', maxLength: 4096 } },
} as const
export const portQuery = {
  type: 'object',
  required: ['port'],
  properties: { port: { type: 'integer', minimum: 1, maximum: 65_535 } },
} as const
export const doctorQuery = { type: 'object', properties: { check: names } } as const
export const keysQuery = {
  type: 'object',
  required: ['path'],
  properties: { path, service: names, all: flag },
} as const
export const logSearchQuery = {
  type: 'object',
  required: ['path'],
  properties: {
    ...keysQuery.properties,
    text: { type: 'string', minLength: 1, maxLength: 10_000 },
    level: {
      type: 'string',
      enum: levels,
      description: 'Only lines of this level, and graver ones; guessed from their first words',
    },
    ...{ regex: flag, case: flag, since: moment, until: moment },
    limit: { type: 'integer', minimum: 1, maximum: 10_000 },
  },
} as const
export const streamQuery = {
  type: 'object',
  required: ['topic'],
  properties: {
    topic: { ...names, minItems: 1, maxItems: 32 },
    service: names,
    tail: { type: 'integer', minimum: 0 },
    after: { type: 'string', maxLength: 65_536 },
  },
} as const
export const serviceQuery = { type: 'object', required: ['path'], properties: { path, service: text } } as const
export const oneServiceQuery = { ...serviceQuery, required: ['path', 'service'] } as const
export const envQuery = {
  type: 'object',
  required: ['path', 'service'],
  properties: { path, service: text, reveal: flag, name: text },
} as const
export const graphQuery = { type: 'object', required: ['path'], properties: { path } } as const
export const translationBody = {
  type: 'object',
  required: ['path', 'env', 'format', 'files'],
  properties: { path, env, format: text, files: { ...names, items: path, maxItems: 100 } },
  additionalProperties: false,
} as const
export const inferredQuery = { ...graphQuery, properties: { path, file: text } } as const
const cells = { type: 'integer', minimum: 1, maximum: 1000 } as const
export const terminalQuery = {
  ...serviceQuery,
  required: ['path', 'service', 'cols', 'rows'],
  properties: { ...serviceQuery.properties, cols: cells, rows: cells },
} as const
export const runTerminalQuery = {
  type: 'object',
  required: ['id', 'cols', 'rows'],
  properties: { id: text, cols: cells, rows: cells },
} as const
export const logsQuery = {
  type: 'object',
  required: ['path'],
  properties: {
    ...keysQuery.properties,
    tail: { type: 'integer', minimum: 0 },
    each: flag,
    since: moment,
    until: moment,
    resume: { ...names, items: { type: 'string', pattern: anchorPattern, maxLength: 4096 } },
    grep: { type: 'string', maxLength: 10_000 },
    ignoreCase: flag,
    follow: flag,
    partial: flag,
  },
} as const
