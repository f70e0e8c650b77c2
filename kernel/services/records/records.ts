import { createHash } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../../contract/plugin.ts'
import { messageOf } from '../../errors.ts'
import { type FileShape, requireShape } from '../../system/file-shape.ts'
import { makeFolder, readText, writeAtomic } from '../../system/files.ts'
import { idOf, type ProjectRecord, projectRecord, type ServiceRecord, serviceRecord, wasRestarting } from './record.ts'
import { UnreadRecords } from './unread-records.ts'

/** Changes of an instance that is recorded already are collected for this long, and written once: ms. */
const soonMs = 200

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

function fileOf(folder: string, id: string): string {
  return join(folder, `${idOf(id)}.json`)
}
