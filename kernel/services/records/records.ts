import { createHash } from 'node:crypto'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Log, ProjectPlan, ProjectRef } from '../../contract/plugin.ts'
import { messageOf } from '../../errors.ts'
import type { Status } from '../../events.ts'
import { type FileShape, requireShape } from '../../system/file-shape.ts'
import { makeFolder, readText, writeAtomic } from '../../system/files.ts'
import { UnreadRecords } from './unread-records.ts'

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
const serviceRecord: FileShape<ServiceRecord> = {
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
const projectRecord: FileShape<ProjectRecord> = {
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

/** Changes of an instance that is recorded already are collected for this long, and written once: ms. */
const soonMs = 200

const kinds = ['services', 'projects'] as const

/**
 * Moves the records of earlier versions, which kept them in the runtime folder, to their present folder. When both
 * exist, those are the newer ones.
 */
export function moveRecords(runtime: string, folder: string, log: Log): void {
  for (const kind of kinds) {
    const from = join(runtime, kind)
    try {
      const names = existsSync(from) ? readdirSync(from).filter(name => name.endsWith('.json')) : []
      for (const name of names) writeAtomic(join(folder, kind, name), readText(join(from, name)), { durable: false })
      rmSync(from, { recursive: true, force: true })
    } catch (error) {
      log.warn(`could not move the records in ${from}: ${messageOf(error)}`)
    }
  }
}

/**
 * Records what runs, in a folder of the data folder, which outlives the runtime folder. Records are valid until the
 * machine restarts.
 */
export class Records {
  readonly #services: string
  readonly #projects: string
  readonly unread: UnreadRecords
  /** Identifies the start of the machine; undefined: it is not known. */
  boot: string | undefined
  readonly #log: Log
  /** For each file: a hash of its text, its instance, and the record to write soon. */
  readonly #written = new Map<string, string>()
  readonly #instances = new Map<string, string>()
  readonly #pending = new Map<string, ServiceRecord>()
  #timer: NodeJS.Timeout | undefined

  constructor(folder: string, log: Log) {
    this.#services = join(folder, 'services')
    this.#projects = join(folder, 'projects')
    this.#log = log
    const unread = join(folder, 'unread')
    for (const each of [folder, this.#services, this.#projects, unread]) {
      const aside = makeFolder(each)
      if (aside !== undefined) log.warn(`${each} is not a folder; moved it to ${aside}`)
    }
    this.unread = new UnreadRecords(unread, log)
  }

  /**
   * Writes a new instance at once, as no one else knows about it, and so a stop for a restart or for lack of use. Other
   * changes (ready, exited) a later daemon would find out without the record: they are written soon, and only the last one. A record
   * that equals its file is not written: adopting services writes little.
   */
  saveService(record: ServiceRecord): void {
    const file = fileOf(this.#services, `${record.path}\0${record.service}`)
    const instance = JSON.stringify(record.state)
    this.#pending.set(file, record)
    const isNews = this.#instances.get(file) !== instance || wasRestarting(record) || record.asleepMs !== undefined
    if (record.state !== null && isNews) {
      this.#instances.set(file, instance)
      this.#write(file)
    } else {
      this.#timer ??= setTimeout(() => this.flush(), soonMs).unref()
    }
  }

  dropService(path: string, service: string): void {
    const file = fileOf(this.#services, `${path}\0${service}`)
    this.#pending.delete(file)
    this.#instances.delete(file)
    this.#remove(file)
  }

  /** Writes all pending records. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const file of [...this.#pending.keys()]) this.#write(file)
  }

  saveProject(record: ProjectRecord): void {
    this.#save(fileOf(this.#projects, record.ref.path), record)
  }

  dropProject(path: string): void {
    this.#remove(fileOf(this.#projects, path))
  }

  services(): readonly ServiceRecord[] {
    const records = this.#load(this.#services, serviceRecord)
    for (const [file, { state }] of records) this.#instances.set(file, JSON.stringify(state))
    return [...records.values()]
  }

  projects(): readonly ProjectRecord[] {
    return [...this.#load(this.#projects, projectRecord).values()]
  }

  /**
   * Whether a record with this `boot` was written since the machine started; true when unknown: a process that may run
   * is not stopped.
   */
  isCurrent(boot: string | undefined): boolean {
    return boot === undefined || this.boot === undefined || boot === this.boot
  }

  /** Removes all records, as nothing runs any more. */
  clear(): void {
    for (const { path, service } of this.services()) this.dropService(path, service)
    for (const { ref } of this.projects()) this.dropProject(ref.path)
    for (const record of this.unread.list()) this.unread.remove(record)
  }

  #write(file: string): void {
    const record = this.#pending.get(file)
    this.#pending.delete(file)
    if (record !== undefined) this.#save(file, record)
  }

  /** Logs a failed write (a full disk): the service runs, but a later daemon could not adopt it. */
  #save(file: string, record: ServiceRecord | ProjectRecord): void {
    const text = JSON.stringify(this.boot === undefined ? record : { ...record, boot: this.boot })
    const hash = hashOf(text)
    if (this.#written.get(file) === hash) return
    try {
      writeAtomic(file, text, { durable: false })
      this.#written.set(file, hash)
    } catch (error) {
      this.#log.warn(`could not write ${file}: ${messageOf(error)}`)
    }
  }

  #remove(file: string): void {
    this.#written.delete(file)
    rmSync(file, { force: true })
  }

  /** Reads the records of a folder, by file. */
  #load<T>(folder: string, shape: FileShape<T>): ReadonlyMap<string, T> {
    const records = new Map<string, T>()
    const names = readdirSync(folder).filter(name => name.endsWith('.json'))
    for (const file of names.sort().map(name => join(folder, name))) {
      try {
        const text = readText(file)
        records.set(file, requireShape(JSON.parse(text), shape))
        this.#written.set(file, hashOf(text))
      } catch (error) {
        this.unread.quarantine(file, messageOf(error))
      }
    }
    return records
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}

/** Returns the name of a service's record, or of its project's. */
export function recordId(path: string, service?: string): string {
  return idOf(service === undefined ? path : `${path}\0${service}`)
}

function fileOf(folder: string, id: string): string {
  return join(folder, `${idOf(id)}.json`)
}

function idOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24)
}
