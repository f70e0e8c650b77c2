/**
 * The schemas of responses that the OpenAPI document lists by name. Their types are in `kernel/protocol.ts` and
 * `kernel/events.ts`.
 */
import { catalogue } from '../../errors.ts'
import { flag, integer, list, number, object, oneOf, orNull, text, texts, time } from './parts.ts'

/** Refers to a schema by its name in `named`. */
export function ref(name: keyof typeof named) {
  return { $ref: `${name}#` } as const
}

export function event(name: string, properties: Readonly<Record<string, object>>, optional: readonly string[] = []) {
  return object({ event: oneOf(name), ...properties }, optional)
}

const places = { file: text, line: integer, key: text }
const problem = object({ ...places, message: text, hint: text }, [...Object.keys(places), 'hint'])
export const status = oneOf('waiting', 'starting', 'running', 'restarting', 'stopping', 'stopped', 'exited', 'failed')
export const health = { type: ['string', 'null'], enum: ['healthy', 'unhealthy', 'starting', null] } as const

/** A service's state. */
const service = {
  ...{ key: text, project: text, name: text, path: text, type: text },
  ...{ status, health },
  ...{ port: orNull(integer), url: orNull(text), pid: orNull(integer), startedAt: orNull(time), restarts: integer },
  cpu: { ...orNull(number), description: 'Percent of one core' },
  memory: { ...orNull(integer), description: 'Bytes' },
  reason: orNull(text),
  asleep: { ...flag, description: 'Stopped because it was not used: the next request starts it' },
  hidden: { ...flag, description: 'Lists show it only when it has failed' },
  shared: { ...list(object({ via: text, url: text })), description: 'Where others reach it, by `locald share`' },
}

/** How far a search is. */
const searched = {
  scannedTo: { ...orNull(time), description: 'Back to this time all services were searched' },
  ...{ scannedBytes: integer, totalBytes: integer, matches: integer },
}

/** The schemas that the document lists by name. */
export const named = {
  Error: object(
    {
      code: oneOf(...Object.keys(catalogue)),
      ...{ message: text, hint: text, plugin: text, service: text, problems: list(problem) },
    },
    ['hint', 'plugin', 'service', 'problems'],
  ),
  Service: object(service, ['asleep', 'hidden', 'shared']),
  StatusService: object(
    {
      ...service,
      startedBy: { ...orNull(text), description: 'Who started it: you, or the owners of its leases' },
      leases: list(object({ pid: orNull(integer), name: orNull(text), until: orNull(time) })),
    },
    ['asleep', 'hidden', 'shared', 'startedBy', 'leases'],
  ),
  WhyStep: object({
    ...{ key: text, name: text, status, health, reason: orNull(text) },
    ...{ facts: texts, lines: texts, dependents: texts },
    causes: list({ $ref: 'WhyStep#' }),
  }),
  Event: {
    oneOf: [
      event(
        'project',
        {
          ...{ project: text, path: text, domain: text, neededBy: text },
          inferred: {
            ...object({
              file: text,
              services: list(object({ name: text, type: text, command: orNull(text), file: text })),
              notes: texts,
            }),
            description: 'What is run of a project without a `locald.toml`, and the files that it is read from',
          },
        },
        ['neededBy', 'inferred'],
      ),
      event('service', { service: { $ref: 'Service#' } }),
      event('step', { key: text, text, progress: object({ done: number, total: number }) }, ['progress']),
      event('warning', { key: text, path: text, message: text, hint: text }, ['key', 'path', 'hint']),
      event('notice', { path: text, message: text }, ['path']),
      event('removed', { key: text }),
      event(
        'done',
        {
          ok: flag,
          services: list({ $ref: 'Service#' }),
          error: { $ref: 'Error#' },
          tails: { type: 'object', additionalProperties: texts },
        },
        ['error', 'tails'],
      ),
    ],
  },
  LogLine: object(
    {
      time: { ...time, description: 'With microseconds' },
      ...{ service: text, stream: oneOf('stdout', 'stderr', 'locald'), text },
      from: { ...number, description: 'Start of a piece within its unfinished line, in UTF-16 units' },
    },
    ['from'],
  ),
  LogSearchLine: {
    anyOf: [
      object({ match: { $ref: 'LogLine#' } }),
      object({ progress: object(searched) }),
      object({ done: object({ ...searched, isComplete: flag }) }),
      object({ error: { $ref: 'Error#' } }),
    ],
  },
  Plugin: object(
    {
      ...{ name: text, version: text, from: oneOf('built-in', 'npm'), state: oneOf('active', 'off', 'broken') },
      ...{ reason: orNull(text), code: oneOf(...Object.keys(catalogue)) },
      ...{ types: texts, features: texts, commands: texts },
      details: { type: 'object', additionalProperties: text },
      setupMs: orNull(number),
    },
    ['code', 'details'],
  ),
  KnownProject: object(
    {
      ...{ name: text, path: text, domain: text, pinned: flag },
      exists: { ...flag, description: 'Whether its folder exists' },
      ...{ usedAt: time, problem: orNull(text) },
      branch: { ...text, description: 'Of the linked git worktree that it is in' },
      mainCheckout: { ...text, description: 'The same folder in the main checkout' },
    },
    ['branch', 'mainCheckout'],
  ),
  Snapshot: object({
    event: oneOf('snapshot'),
    services: list({ $ref: 'Service#' }),
    projects: list({ $ref: 'KnownProject#' }),
  }),
  Usage: object({
    services: list(object({ key: text, cpu: orNull(number), memory: orNull(integer) })),
    daemon: object({ cpu: number, memory: integer }),
  }),
  Check: object({
    ...{ plugin: text, id: text },
    severity: oneOf('critical', 'important', 'optional'),
    status: oneOf('pass', 'warn', 'fail', 'skip'),
    ...{ summary: text, fix: orNull(text) },
  }),
} as const
