import { type ShapeOf, shape } from '../../kernel/contract/shape.ts'
import { parseDuration } from '../lib/duration.ts'

const size = '^[1-9][0-9]*(\\.[0-9]+)?(MiB|GiB|TiB)$'
const time = '^[0-9]+(\\.[0-9]+)?(ms|s|m|h)$'

/** ms */
const usualStartMs = 600_000
/** Without KVM each command takes about ten times as long. */
const slowPatience = 10

/** `[plugins.container-lima]`. */
export const optionsShape = shape({
  type: 'object',
  properties: {
    cpus: { type: 'integer', minimum: 1, default: 2, description: 'Set the number of CPUs of the VM.' },
    memory: { type: 'string', pattern: size, default: '2GiB', description: 'Write a size such as "2GiB".' },
    disk: { type: 'string', pattern: size, default: '40GiB', description: 'Write a size such as "40GiB".' },
    idle_stop: {
      anyOf: [
        { type: 'number', minimum: 0 },
        { type: 'string', pattern: time },
      ],
      default: '15m',
      description: 'Write a time such as "15m" after which an unused VM stops; 0 leaves it running.',
    },
    stop_with_daemon: { type: 'boolean', default: false, description: 'Stop the VM when the daemon stops.' },
    port_forwarder: {
      type: 'string',
      enum: ['grpc', 'ssh'],
      description: 'Select how Lima forwards ports; without it Lima decides.',
    },
    allow_slow: {
      type: 'boolean',
      default: false,
      description: 'Allow a VM without KVM, which takes minutes to start.',
    },
    mounts: {
      type: 'array',
      items: { type: 'string', pattern: '^[~/]' },
      default: [],
      description: 'List folders of this machine that containers may mount: "~/code", or "/srv/data:ro" read-only.',
    },
    start_timeout: {
      anyOf: [
        { type: 'number', exclusiveMinimum: 0 },
        { type: 'string', pattern: time },
      ],
      default: '10m',
      description: 'Write a time such as "10m" after which a start of the VM has failed.',
    },
    template: {
      type: 'string',
      pattern: '^(~?/|template:)',
      description: 'Name a Lima template with the image and the engine of the VM: a path, or "template:NAME".',
    },
    engine: {
      type: 'string',
      enum: ['auto', 'nerdctl', 'podman', 'docker'],
      default: 'auto',
      description: 'Select the engine in the VM; "auto" uses the one that is there.',
    },
  },
  additionalProperties: false,
})

/** What the table says, with times in ms and sizes in bytes. */
export interface LimaOptions {
  readonly cpus: number
  readonly memory: string
  readonly disk: string
  /** ms; 0: never. */
  readonly idleStopMs: number
  readonly stopWithDaemon: boolean
  readonly portForwarder: 'grpc' | 'ssh' | undefined
  readonly allowSlow: boolean
  readonly mounts: readonly Mount[]
  readonly startMs: number
  /** By how much longer than usual a command in the VM may take. */
  readonly patience: number
  readonly template: string | undefined
  readonly engine: 'auto' | 'nerdctl' | 'podman' | 'docker'
}

/** A folder that the VM sees, at the same path. */
export interface Mount {
  readonly path: string
  readonly isWritable: boolean
}

/** Reads the options; `home` stands for `~`. */
export function readOptions(value: unknown, home: string): LimaOptions {
  const given = isTable(value) ? value : undefined
  const startMs = milliseconds(given?.start_timeout ?? '10m')
  const allowSlow = given?.allow_slow ?? false
  return {
    cpus: given?.cpus ?? 2,
    memory: given?.memory ?? '2GiB',
    disk: given?.disk ?? '40GiB',
    idleStopMs: milliseconds(given?.idle_stop ?? '15m'),
    stopWithDaemon: given?.stop_with_daemon ?? false,
    portForwarder: given?.port_forwarder,
    allowSlow,
    mounts: (given?.mounts ?? []).map(text => readMount(text, home)),
    startMs,
    patience: Math.max(1, startMs / usualStartMs, allowSlow ? slowPatience : 1),
    template: given?.template === undefined ? undefined : expandHome(given.template, home),
    engine: given?.engine ?? 'auto',
  }
}

// The kernel has validated it by the shape.
function isTable(value: unknown): value is Partial<ShapeOf<typeof optionsShape>> {
  return typeof value === 'object' && value !== null
}

/** A text has the form that the shape asks for. */
function milliseconds(value: number | string): number {
  return typeof value === 'number' ? value * 1000 : (parseDuration(value) ?? 0)
}

function readMount(text: string, home: string): Mount {
  const match = /^(.*?)(?::(ro|rw))?$/.exec(text)
  const path = expandHome(match?.[1] ?? text, home)
  return { path: path.length > 1 ? path.replace(/\/+$/, '') : path, isWritable: match?.[2] !== 'ro' }
}

function expandHome(path: string, home: string): string {
  return path === '~' || path.startsWith('~/') ? `${home}${path.slice(1)}` : path
}
