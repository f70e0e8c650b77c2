import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../../contract/plugin.ts'
import { messageOf } from '../../errors.ts'
import type { FolderIdentity } from '../../registry/folder-identity.ts'
import { recordId } from '../../services/records/record.ts'
import { readJson, writeAtomic } from '../../system/files.ts'

/** Hashes of a project's files when they were last applied. */
export interface AppliedHashes {
  readonly configuration: string
  /** Hashes of each service's `watch`, by its name. */
  readonly services: Readonly<Record<string, string>>
  /** The project's folder. */
  readonly folder?: FolderIdentity | undefined
}

/** Stores the hashes of projects' files: the next daemon finds the changes made while none ran. */
export class AppliedFiles {
  readonly #folder: string
  readonly #log: Log

  constructor(recordsFolder: string, log: Log) {
    this.#folder = join(recordsFolder, 'seen')
    this.#log = log
  }

  /** Returns undefined when nothing is known. */
  get(path: string): AppliedHashes | undefined {
    try {
      const value = readJson(this.#file(path))
      return isAppliedHashes(value) ? value : undefined
    } catch {
      return undefined
    }
  }

  save(path: string, hashes: AppliedHashes): void {
    try {
      writeAtomic(this.#file(path), JSON.stringify(hashes), { durable: false })
    } catch (error) {
      this.#log.warn(`changes in ${path} while the daemon is down will be missed: ${messageOf(error)}`)
    }
  }

  drop(path: string): void {
    rmSync(this.#file(path), { force: true })
  }

  #file(path: string): string {
    return join(this.#folder, `${recordId(path)}.json`)
  }
}

function isAppliedHashes(value: unknown): value is AppliedHashes {
  if (typeof value !== 'object' || value === null) return false
  const services: unknown = Reflect.get(value, 'services')
  const areHashes = typeof services === 'object' && services !== null
  return typeof Reflect.get(value, 'configuration') === 'string' && areHashes && isFolder(Reflect.get(value, 'folder'))
}

function isFolder(value: unknown): boolean {
  if (value === undefined) return true
  if (typeof value !== 'object' || value === null) return false
  return ['dev', 'ino', 'birthtimeMs'].every(key => typeof Reflect.get(value, key) === 'number')
}
