import { createHash } from 'node:crypto'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Log, ProjectPlan, ProjectRef } from '../../contract/plugin.ts'
import { messageOf } from '../../errors.ts'
import type { Status } from '../../events.ts'
import { type FileShape, withShape } from '../../system/file-shape.ts'
import { makeFolder, readText, writeAtomic } from '../../system/files.ts'
import { UnreadRecords } from './unread-records.ts'

/** What a later daemon needs to take a service over. It holds the environment, so it is as private as the data folder. */
export interface ServiceRecord {
  readonly version: 1
  /** The start of the machine in which it was written; absent in records of older versions. */
  readonly boot?: string
  readonly path: string
  readonly service: string
  /** The driver's state; null: it does not run any more. */
  readonly state: unknown
  readonly ready: boolean
  readonly status: Status
  readonly reason: string | null
  readonly startedMs: number | null
  /** Whether its last run got as far as a process; absent in records of older versions. */
  readonly launched?: boolean
  readonly restarts: number
  readonly port: number | null
  /** Where it was last seen to listen. */
  readonly address?: string
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

/** Whether it was being ended, to be started again. */
export function wasRestarting({ state, status }: ServiceRecord): boolean {
  return state !== null && status === 'restarting'
}

/** News of an instance that is recorded already may wait this long, to be written once: ms. */
const soonMs = 200

const kinds = ['services', 'projects'] as const

/**
 * Moves the records of a daemon of an earlier version, which were in the runtime folder, to where they are now. They are the newer ones
 * where both are there.
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

/** Records of what runs, in a folder of the data folder: whatever becomes of the runtime folder. They matter until the machine restarts. */
export class Records {
  readonly #services: string
  readonly #projects: string
  readonly unread: UnreadRecords
  /** Identifies the start of the machine; undefined: it is not known. */
  boot: string | undefined
  readonly #log: Log
  /** A hash of each file's text, the instance it tells of, and what is to be written soon. */
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
   * A new instance is written at once, for nobody else knows of it, and so is that one is ended to be started again. What becomes of it
   * otherwise (ready, ended) a later daemon would find out by itself, so that is written soon, and only the last of it. What its file
   * says already is not written: a take-over writes little.
   */
  saveService(record: ServiceRecord): void {
    const file = fileOf(this.#services, `${record.path}\0${record.service}`)
    const instance = JSON.stringify(record.state)
    this.#pending.set(file, record)
    const isNews = this.#instances.get(file) !== instance || wasRestarting(record)
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

  /** Writes what was to be written soon. */
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

  /** Whether a record with this `boot` was written since the machine started; true where nothing says it: what may run is not ended. */
  isCurrent(boot: string | undefined): boolean {
    return boot === undefined || this.boot === undefined || boot === this.boot
  }

  /** Removes all records: nothing runs any more. */
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

  /** A record that cannot be written (a full disk) costs the take-over after a crash, not the service. */
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

  /** The records of a folder, by file. */
  #load<T>(folder: string, shape: FileShape<T>): ReadonlyMap<string, T> {
    const records = new Map<string, T>()
    const names = readdirSync(folder).filter(name => name.endsWith('.json'))
    for (const file of names.sort().map(name => join(folder, name))) {
      try {
        const text = readText(file)
        records.set(file, withShape(JSON.parse(text), shape))
        this.#written.set(file, hashOf(text))
      } catch (error) {
        this.unread.putAside(file, messageOf(error))
      }
    }
    return records
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}

/** The name of a service's record, or of its project's. */
export function recordId(path: string, service?: string): string {
  return idOf(service === undefined ? path : `${path}\0${service}`)
}

function fileOf(folder: string, id: string): string {
  return join(folder, `${idOf(id)}.json`)
}

function idOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24)
}
