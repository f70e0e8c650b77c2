import { type ShapeOf, shape } from '../../kernel/contract/shape.ts'
import { majors } from './binaries/versions.ts'

const name = { type: 'string', minLength: 1, maxLength: 63, pattern: '^[^\\u0000]*$' } as const

/** The options of `type = "postgres"`. */
export const options = shape({
  type: 'object',
  properties: {
    version: {
      type: 'string',
      enum: majors,
      description: 'A major. Default: that of the data, else the newest that comes with locald.',
    },
    databases: {
      type: 'array',
      items: name,
      minItems: 1,
      uniqueItems: true,
      default: ['postgres'],
      description: 'Databases to create; URLs name the first.',
    },
    extensions: {
      type: 'array',
      items: { type: 'string', pattern: '^[A-Za-z0-9_-]+$' },
      uniqueItems: true,
      default: [],
      description: 'Extensions to create in each of the databases.',
    },
    init: {
      type: 'string',
      minLength: 1,
      description:
        'An SQL file, relative to the project: run once, in the first database, when the cluster is created.',
    },
    settings: {
      type: 'object',
      additionalProperties: { type: ['string', 'number', 'boolean'] },
      default: {},
      description: 'Settings of postgresql.conf, such as work_mem = "64MB".',
    },
    branch: {
      type: 'boolean',
      default: true,
      description:
        "In a git worktree: start with a copy of the main checkout's data (default), or with an empty cluster.",
    },
  },
  additionalProperties: false,
})

export type PostgresOptions = ShapeOf<typeof options>
