import { createHash } from 'node:crypto'
import type { ProjectPlan, ProjectRef } from '../../contract/plugin.ts'
import type { Status } from '../../events.ts'
import type { FileShape } from '../../system/file-shape.ts'

/**
 * What a later daemon needs to adopt a service. It contains the environment, so it is as private as the data folder.
 */
export interface ServiceRecord {
  readonly version: 1
  /** Identifies the start of the machine in which it was written; absent in records of older versions. */
  readonly boot?: string
  readonly path: string
  readonly service: string
  /** The driver's state; null: it has exited. */
  readonly state: unknown
  readonly ready: boolean
  readonly status: Status
  readonly reason: string | null
  readonly startedMs: number | null
  /** Whether its last run started a process; absent in records of older versions. */
  readonly launched?: boolean
  readonly restarts: number
  readonly port: number | null
  /** Its further ports, by the ports inside; absent in records of older versions. */
  readonly ports?: Readonly<Record<string, number>>
  /** As `Run.hostPorts`; absent in records of older versions. */
  readonly hostPorts?: readonly number[]
  /** The address on which it was last seen to listen. */
  readonly address?: string
  /** The port on which it was found to listen instead of `port`. */
  readonly foundPort?: number
  /** As in the service's state, and `Service.isKept`. */
  readonly asleepMs?: number
  readonly isKept?: boolean
  readonly fingerprint: string
  readonly env: Readonly<Record<string, string>>
  readonly dir: string
}

/** A project as it was last started: its plan and the shell environment of its `up`. */
export interface ProjectRecord {
  readonly version: 1
  readonly boot?: string
  readonly ref: ProjectRef
  readonly plan: ProjectPlan
  readonly shell: Readonly<Record<string, string>>
  /** Names of the services that are meant to run. */
  readonly wanted: readonly string[]
}

const text = { type: 'string' } as const
const texts = { type: 'object', additionalProperties: text } as const

/** Covers what every version wrote. The driver's state is the driver's to check. */
export const serviceRecord: FileShape<ServiceRecord> = {
  schema: {
    type: 'object',
    required: ['version', 'path', 'service', 'state', 'status', 'restarts', 'env', 'dir'],
    properties: {
      version: { enum: [1] },
      boot: text,
      path: text,
      service: text,
      ready: { type: 'boolean' },
      status: text,
      reason: { type: ['string', 'null'] },
      startedMs: { type: ['number', 'null'] },
      restarts: { type: 'integer' },
      port: { type: ['integer', 'null'] },
      ports: { type: 'object', additionalProperties: { type: 'integer' } },
      foundPort: { type: 'integer' },
      asleepMs: { type: 'number' },
      isKept: { type: 'boolean' },
      hostPorts: { type: 'array', items: { type: 'integer' } },
      fingerprint: text,
      env: texts,
      dir: text,
    },
  },
}

/** Covers the outside of the plan, which was checked before it was written. */
export const projectRecord: FileShape<ProjectRecord> = {
  schema: {
    type: 'object',
    required: ['version', 'ref', 'plan', 'shell', 'wanted'],
    properties: {
      version: { enum: [1] },
      boot: text,
      ref: {
        type: 'object',
        required: ['name', 'path', 'domain'],
        properties: { name: text, path: text, domain: text },
      },
      plan: { type: 'object', required: ['services'], properties: { services: { type: 'array' } } },
      shell: texts,
      wanted: { type: 'array', items: text },
    },
  },
}

/** Whether it was being stopped for a restart. */
export function wasRestarting({ state, status }: ServiceRecord): boolean {
  return state !== null && status === 'restarting'
}

/** Returns the name of a service's record, or of its project's. */
export function recordId(path: string, service?: string): string {
  return idOf(service === undefined ? path : `${path}\0${service}`)
}

/** Returns the identifier of a path, or of a path and a service with a NUL between them. */
export function idOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24)
}
