import { EventEmitter } from 'node:events'
import { dirname, join } from 'node:path'
import type { LastEntry, LogEntry, LogSink } from '../contract/plugin.ts'
import { makeFolder } from '../system/files.ts'
import { findLastEntry } from './last-entry.ts'
import { removeTornEntry } from './torn-entry.ts'
import { LogWriter } from './writer.ts'

/** How large a log becomes: files of so many bytes. */
export type LogLimits = Pick<LogSink, 'maxBytes' | 'maxFiles'>

/** The limit of one service's log: ten files of 10 MB. */
export const logLimits: LogLimits = { maxBytes: 10 * 1000 * 1000, maxFiles: 10 }

/** One service's log: a sink for its driver, and change notifications for its readers. */
export class ServiceLog implements LogSink {
  readonly file: string
  readonly maxBytes: number
  readonly maxFiles: number
  readonly #writer: LogWriter
  readonly #changes = new EventEmitter().setMaxListeners(0)
  readonly #followListeners = new Set<(followed: boolean) => void>()
  #followers = 0

  constructor(folder: string, { maxBytes, maxFiles }: LogLimits = logLimits) {
    this.maxBytes = maxBytes
    this.maxFiles = maxFiles
    // The service's folder, the project's, and the root of all logs.
    for (const each of [dirname(dirname(folder)), dirname(folder), folder]) makeFolder(each)
    this.file = join(folder, 'log')
    // Before there is a reader, which would take the shorter file for a new one.
    removeTornEntry(this.file)
    this.#writer = new LogWriter(this.file, this.maxBytes, this.maxFiles)
  }

  write(stream: 'stdout' | 'stderr' | 'locald', text: string): void {
    this.#writer.write(stream, text)
    this.changed()
  }

  append(entries: readonly LogEntry[]): boolean {
    const isWritten = this.#writer.append(entries)
    if (isWritten && entries.length > 0) this.changed()
    return isWritten
  }

  lastEntry(stream?: 'stdout' | 'stderr'): Promise<LastEntry | undefined> {
    return findLastEntry(this.file, stream)
  }

  changed(): void {
    this.#changes.emit('change')
  }

  onFollowed(listener: (followed: boolean) => void): () => void {
    this.#followListeners.add(listener)
    listener(this.#followers > 0)
    return () => this.#followListeners.delete(listener)
  }

  /**
   * Calls the listener after each write until the returned function is called; notifies the driver of the first and the
   * last follower.
   */
  watch(listener: () => void): () => void {
    this.#changes.on('change', listener)
    if (++this.#followers === 1) this.#notifyDriver()
    let active = true
    return () => {
      if (!active) return
      active = false
      this.#changes.off('change', listener)
      if (--this.#followers === 0) this.#notifyDriver()
    }
  }

  #notifyDriver(): void {
    for (const listener of this.#followListeners) listener(this.#followers > 0)
  }
}

/** The logs of all services, by key; each is created at its first use. */
export class Logs {
  readonly #root: string
  readonly #logs = new Map<string, ServiceLog>()

  constructor(dataFolder: string) {
    this.#root = join(dataFolder, 'logs')
  }

  of(project: string, service: string): ServiceLog {
    const key = `${project}/${service}`
    const known = this.#logs.get(key)
    if (known !== undefined) return known
    const log = new ServiceLog(join(this.#root, project, service))
    this.#logs.set(key, log)
    return log
  }

  /** Forgets a project whose logs are removed: a later one of its name creates them again. */
  forget(project: string): void {
    for (const key of this.#logs.keys()) if (key.startsWith(`${project}/`)) this.#logs.delete(key)
  }
}
