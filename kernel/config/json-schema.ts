import { LocaldError } from '../errors.ts'
import { commonDefaults, type commonKeys, conditionWords, restartWords } from './fields/common.ts'
import { durationPattern } from './fields/duration.ts'
import { healthDefaults, healthKeys, healthTypes } from './fields/health-check.ts'
import { domainPattern, labelPattern, variablePattern } from './fields/names.ts'
import type { Types } from './fields/service.ts'
import { isTable, own, type Table } from './table.ts'

/**
 * The JSON schema (draft 07) of `locald.toml` with all types that are available here, for editors and agents. What only
 * the whole file shows, such as a cycle, it cannot say.
 */
export function projectSchema(types: Types): Table {
  const available = types.names.flatMap(name => {
    const found = types.find(name)
    return LocaldError.is(found) ? [] : [{ name, schema: found.shape.schema }]
  })
  const services = available.map(({ name, schema }) => [
    `type-${name}`,
    serviceSchema(name, name === types.defaultType, schema),
  ])
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'locald.toml',
    description:
      'The services of a project that locald runs. Unknown keys are errors. Times are seconds, or texts such as "500ms".',
    type: 'object',
    additionalProperties: false,
    required: ['project'],
    properties: {
      project: projectTable,
      env: {
        ...envTable,
        description:
          "Environment of every service of the project; .env, env_file and the service's own env are stronger.",
      },
      services: {
        type: 'object',
        description:
          "The services, by name: a DNS label. `web`, or the one named like the project, owns the project's domain; others get <service>.<domain>.",
        propertyNames: { pattern: labelPattern },
        additionalProperties: { anyOf: available.map(({ name }) => ({ $ref: `#/definitions/type-${name}` })) },
      },
      routes: routesTable,
      plugins: {
        type: 'object',
        description:
          'npm plugins that the project needs, with a range of versions. locald never installs one by itself: `locald plugins add NAME`.',
        additionalProperties: { type: 'string', minLength: 1 },
      },
    },
    definitions: { ...commonSchemas, ...Object.fromEntries(services) },
  }
}

/** A service of one type: its own keys and the common ones. */
function serviceSchema(name: string, isDefault: boolean, schema: unknown): Table {
  const shape: Table = isTable(schema) ? schema : {}
  const properties = own(shape, 'properties')
  const required = own(shape, 'required')
  const common = Object.keys(commonSchemas).map(key => [key, { $ref: `#/definitions/${key}` }])
  const description = `A service of this type. ${isDefault ? 'It is the type of a service without `type`.' : ''}`.trim()
  return {
    description,
    ...shape,
    type: 'object',
    properties: {
      type: { const: name, description: isDefault ? `The default: may be left out.` : "The service's type." },
      ...(isTable(properties) ? properties : {}),
      ...Object.fromEntries(common),
    },
    required: [...(isDefault ? [] : ['type']), ...(Array.isArray(required) ? required : [])],
    additionalProperties: own(shape, 'additionalProperties') === true,
  }
}

const text = { type: 'string', minLength: 1, pattern: '\\S' } as const
const duration = {
  anyOf: [
    { type: 'number', minimum: 0 },
    { type: 'string', pattern: durationPattern },
  ],
} as const
const positive = {
  anyOf: [
    { type: 'number', exclusiveMinimum: 0 },
    { type: 'string', pattern: durationPattern },
  ],
} as const

const projectTable: Table = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: {
    name: { type: 'string', pattern: labelPattern, description: 'A DNS label: lower-case letters, digits and "-".' },
    domain: {
      type: 'string',
      pattern: domainPattern,
      maxLength: 253,
      description: 'Where the project is reached. Default: <name>.localhost',
    },
    wildcard: {
      type: 'boolean',
      default: false,
      description: "Whether the names below the domain that are no service's go to the service that owns the domain.",
    },
  },
}

const envTable: Table = {
  type: 'object',
  propertyNames: { pattern: variablePattern },
  additionalProperties: { type: ['string', 'number', 'boolean'] },
}

const routesTable: Table = {
  type: 'object',
  description:
    'Paths on the project\'s domain that another service answers: { "/api" = "api" }. The longest prefix wins.',
  propertyNames: { pattern: '^/[^\\s?#]*$' },
  additionalProperties: {
    anyOf: [
      text,
      {
        type: 'object',
        additionalProperties: false,
        required: ['service'],
        properties: {
          service: { ...text, description: 'The service that answers.' },
          strip_prefix: {
            type: 'boolean',
            default: false,
            description: 'Whether the service sees the path without the prefix.',
          },
        },
      },
    ],
  },
}

const healthSchemas: Readonly<Record<string, Table>> = {
  path: {
    type: 'string',
    pattern: '^/\\S*$',
    default: healthDefaults.path,
    description: 'Healthy when it answers with a status below 400.',
  },
  command: { ...text, description: "Healthy when it exits with 0. Run by sh in the service's place." },
  pattern: {
    ...text,
    description: 'A JavaScript regular expression: healthy from the first line of output that fits.',
  },
}

function healthSchema(type: (typeof healthTypes)[number]): Table {
  const keys = healthKeys[type]
  return {
    type: 'object',
    additionalProperties: false,
    required: ['type', ...keys.filter(key => key !== 'path')],
    properties: {
      type: { const: type },
      ...Object.fromEntries(keys.map(key => [key, healthSchemas[key] ?? {}])),
      interval: { ...positive, default: healthDefaults.interval, description: 'Time between two checks.' },
      timeout: { ...positive, default: healthDefaults.timeout, description: 'When one check has failed.' },
    },
  }
}

/** Every common key but `type`. */
const commonSchemas: Readonly<Record<Exclude<(typeof commonKeys)[number], 'type'>, Table>> = {
  workdir: { ...text, description: "Working folder, relative to the project's root. Default: the root." },
  port: {
    type: 'integer',
    minimum: 1,
    maximum: 65535,
    description: 'A fixed port. Default: an assigned one that stays the same. The service must listen on $PORT.',
  },
  env: {
    ...envTable,
    description: `Environment of this service. Values may hold \${VAR}, \${VAR:-default}, \${VAR:?message}, \${services.NAME.port|host|url}, \${project.name|domain}; $\${ is a literal \${.`,
  },
  env_file: {
    anyOf: [text, { type: 'array', items: text }],
    description: "Files of variables, relative to the project's root; stronger than .env, which is read anyway.",
  },
  depends_on: {
    anyOf: [
      { type: 'array', items: text },
      { type: 'object', additionalProperties: { enum: [...conditionWords] } },
    ],
    description:
      'Services that must be ready first: ["db"], or { db = "ready", seed = "completed", cache = "started" }.',
  },
  health_check: {
    anyOf: [text, ...healthTypes.map(healthSchema)],
    description:
      'How locald knows that the service is ready. A string is a command. Default: its port accepts connections.',
  },
  ready_timeout: {
    ...positive,
    default: commonDefaults.ready_timeout,
    description: 'When a service that is not ready has failed.',
  },
  restart: {
    enum: [...restartWords],
    default: commonDefaults.restart,
    description: 'Whether it is started again after it ended.',
  },
  stop_signal: {
    type: 'string',
    pattern: '^[A-Za-z][A-Za-z0-9+]*$',
    default: commonDefaults.stop_signal,
    description: 'The signal that asks it to end.',
  },
  stop_timeout: {
    ...duration,
    default: commonDefaults.stop_timeout,
    description: 'Time to end after that; then its whole tree is killed.',
  },
  watch: {
    type: 'array',
    items: text,
    description: "Glob patterns, relative to the project's root: a change restarts the service.",
  },
}
