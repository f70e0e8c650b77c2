import { catalogue } from '../errors.ts'

/*
 * JSON schemas of the API's responses, for its OpenAPI document; `kernel/protocol.ts` and `kernel/events.ts` have their
 * types. Over 300 lines: they describe one document, and are read together.
 */

const text = { type: 'string' } as const
const number = { type: 'number' } as const
const integer = { type: 'integer' } as const
const flag = { type: 'boolean' } as const
const time = { type: 'string', format: 'date-time' } as const
const texts = { type: 'array', items: text } as const

function object(properties: Readonly<Record<string, object>>, optional: readonly string[] = []) {
  const required = Object.keys(properties).filter(key => !optional.includes(key))
  return { type: 'object', required, properties } as const
}

function oneOf(...values: readonly string[]) {
  return { type: 'string', enum: values } as const
}

function orNull(schema: { readonly type: string }) {
  return { ...schema, type: [schema.type, 'null'] } as const
}

function list(items: object) {
  return { type: 'array', items } as const
}

/** Refers to a schema by its name in `named`. */
export function ref(name: keyof typeof named) {
  return { $ref: `${name}#` } as const
}

function event(name: string, properties: Readonly<Record<string, object>>, optional: readonly string[] = []) {
  return object({ event: oneOf(name), ...properties }, optional)
}

const places = { file: text, line: integer, key: text }
const problem = object({ ...places, message: text, hint: text }, [...Object.keys(places), 'hint'])

const status = oneOf('waiting', 'starting', 'running', 'restarting', 'stopping', 'stopped', 'exited', 'failed')
const health = { type: ['string', 'null'], enum: ['healthy', 'unhealthy', 'starting', null] } as const

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

/** The values of an event, by topic. */
const batch = {
  anyOf: [
    { ...list(ref('LogLine')), description: '`logs`' },
    { ...list({ anyOf: [ref('Snapshot'), ref('Event')] }), description: '`events`' },
    { ...list(ref('Usage')), description: '`usage`' },
    { ...list({}), description: 'Topics of plugins' },
  ],
}

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
export const pong = object({ pong: flag, pid: integer, version: text })
export const server = object({
  ...{ pid: integer, socket: text, http: orNull(integer), https: orNull(integer) },
  ...{ version: text, startedAt: time },
})
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
const configValues = list(object({ key: text, value: {}, file: orNull(text), line: orNull(integer) }))
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
const run = object({
  ...{ id: text, service: text, argv: texts, startedAt: time },
  exit: { ...object({ code: orNull(integer), signal: orNull(text) }), type: ['object', 'null'] },
})
export const started = object({ run, notRunning: texts })
export const runs = object({ runs: list(run) })
export const opening = object({ url: text, argv: { type: ['array', 'null'], items: text }, hint: text }, ['hint'])
export const portHolder = object({
  port: integer,
  kind: oneOf('service', 'daemon', 'process', 'free'),
  ...{ holder: orNull(text), service: orNull(text), hint: orNull(text) },
})
export const nothing = object({})
export const plugins = object({ plugins: list(ref('Plugin')) })
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
const known = list(ref('KnownProject'))
export const registry = object({ projects: known })
export const cleaned = object({
  ...{ forgotten: known, kept: known },
  data: list(object({ project: text, path: text, bytes: integer, removed: flag })),
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
export const redacted = object({ value: {} })
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
