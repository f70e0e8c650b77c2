import { EventEmitter } from 'node:events'
import { dirname, join } from 'node:path'
import type { LogSink } from '../contract/plugin.ts'
import { makeFolder } from '../system/files.ts'
import { LogWriter } from './writer.ts'

/** The cap of one service's output: ten files of 10 MB. */
export const logLimits = { maxBytes: 10 * 1000 * 1000, maxFiles: 10 } as const

/** One service's log: the sink its driver fills, and the wake-up for those who read along. */
export class ServiceLog implements LogSink {
  readonly file: string
  readonly maxBytes = logLimits.maxBytes
  readonly maxFiles = logLimits.maxFiles
  readonly #writer: LogWriter
  readonly #changes = new EventEmitter().setMaxListeners(0)
  readonly #followed = new Set<(followed: boolean) => void>()
  #followers = 0

  constructor(folder: string) {
    // Its own folder, the project's, and that of all.
    for (const each of [dirname(dirname(folder)), dirname(folder), folder]) makeFolder(each)
    this.file = join(folder, 'log')
    this.#writer = new LogWriter(this.file, this.maxBytes, this.maxFiles)
  }

  write(stream: 'stdout' | 'stderr' | 'locald', text: string): void {
    this.#writer.write(stream, text)
    this.changed()
  }

  changed(): void {
    this.#changes.emit('change')
  }

  onFollowed(listener: (followed: boolean) => void): () => void {
    this.#followed.add(listener)
    listener(this.#followers > 0)
    return () => this.#followed.delete(listener)
  }

  /** Calls back after each write while wanted; tells the driver that somebody reads along. */
  watch(listener: () => void): () => void {
    this.#changes.on('change', listener)
    if (++this.#followers === 1) this.#tell()
    let active = true
    return () => {
      if (!active) return
      active = false
      this.#changes.off('change', listener)
      if (--this.#followers === 0) this.#tell()
    }
  }

  #tell(): void {
    for (const listener of this.#followed) listener(this.#followers > 0)
  }
}

/** The logs of all services, by key; made when first asked for. */
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
}
