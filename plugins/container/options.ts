import { type ShapeOf, shape } from '../../kernel/contract/shape.ts'

const text = { type: 'string', minLength: 1 } as const
const portNumber = '(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])'
const size = '^[0-9]+(?:\\.[0-9]+)?(?:[bkmgBKMG]|[kmgKMG]i?[bB])?$'
/** NAME, ./folder, ../folder, /folder or ~/folder; then the path inside, and flags. */
const mount = '^(?:(?:[A-Za-z0-9][A-Za-z0-9_.-]*|\\.{1,2}(?:/[^:]*)?|~?/[^:]*):)?/[^:]*(?::[A-Za-z,]+)?$'
const words = {
  anyOf: [
    { type: 'string', minLength: 1 },
    { type: 'array', items: { type: 'string' }, minItems: 1 },
  ],
} as const

/** The options of `type = "container"`. */
export const options = shape({
  type: 'object',
  properties: {
    image: { ...text, pattern: '^\\S+$', description: 'The image, such as redis:7. Or `build`.' },
    build: {
      type: 'object',
      properties: {
        context: { ...text, default: '.', description: 'Folder that is sent to the engine, relative to the project.' },
        dockerfile: { ...text, description: 'Relative to the context; default: Dockerfile.' },
        target: { ...text, description: 'Stage of the Dockerfile.' },
        args: {
          type: 'object',
          additionalProperties: { type: 'string' },
          default: {},
          description: 'Build arguments. Not for secrets: they are stored in the image.',
        },
      },
      additionalProperties: false,
      description:
        'Write { context = "." } to have the engine build the image, from its cache where nothing has changed.',
    },
    container_port: {
      type: 'integer',
      minimum: 1,
      maximum: 65_535,
      description: "The port inside that gets the service's port on 127.0.0.1, its name and its URL.",
    },
    ports: {
      type: 'array',
      items: {
        type: 'string',
        pattern: `^${portNumber}$`,
        description: 'Write a port inside, from 1 to 65535; locald assigns that of this machine.',
      },
      uniqueItems: true,
      default: [],
      description:
        'More ports inside; each gets a port of its own on 127.0.0.1, which services.NAME.ports.PORT refers to.',
    },
    command: {
      ...words,
      description: "Replaces the image's CMD. A string is split into words; a shell does not run it.",
    },
    entrypoint: { ...words, description: "Replaces the image's ENTRYPOINT, and removes its CMD." },
    volumes: {
      type: 'array',
      items: { type: 'string', pattern: mount, description: 'Write NAME:/path, ./folder:/path:ro, or /path.' },
      uniqueItems: true,
      default: [],
      description: 'NAME:/path, ./folder:/path, with :ro to forbid writing; or /path for a volume of its own.',
    },
    user: { ...text, description: "User inside, such as node or 1000:1000; default: the image's." },
    tmpfs: { type: 'array', items: { type: 'string', pattern: '^/' }, default: [], description: 'Folders in memory.' },
    shm_size: { type: 'string', pattern: size, description: 'Size of /dev/shm, such as 256m.' },
    labels: {
      type: 'object',
      additionalProperties: { type: 'string' },
      default: {},
      description: 'Labels of the container.',
    },
    memory: { type: 'string', pattern: size, description: 'Memory limit, such as 512m.' },
    cpus: { type: 'number', exclusiveMinimum: 0, description: 'Limit of processors, such as 1.5.' },
    init: {
      type: 'boolean',
      default: true,
      description: 'Run an init that forwards signals and reaps processes (default). false: the image has its own.',
    },
    pull: {
      type: 'string',
      enum: ['missing', 'always', 'never'],
      default: 'missing',
      description: 'When the image is pulled: where it is missing (default), at each start, or never.',
    },
    protocol: {
      type: 'string',
      enum: ['http', 'https', 'h2c'],
      default: 'http',
      description: 'Protocol on container_port: HTTP/1.1 (default), https if it speaks TLS itself, or h2c, for gRPC.',
    },
  },
  anyOf: [{ required: ['image'] }, { required: ['build'] }],
  additionalProperties: false,
})

export type ContainerOptions = ShapeOf<typeof options>
