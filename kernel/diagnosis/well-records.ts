import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../contract/plugin.ts'
import { messageOf } from '../errors.ts'
import { recordId } from '../services/records/record.ts'
import { type FileShape, hasShape } from '../system/file-shape.ts'
import { readJson, writeAtomic } from '../system/files.ts'
import { type HashValue, ValueHash } from './value-hash.ts'

/** A service as it was when it was last well. It contains no value of an environment. */
export interface WellRecord {
  readonly version: 1
  readonly path: string
  readonly service: string
  /** When it was seen to be well; when its process was started: ms since the epoch. */
  readonly wellMs: number
  readonly startedMs: number
  /** The commit and the branch of the repository that its project is in; empty: none. */
  readonly head: string
  readonly branch: string
  /** Hashes of its variables, and the files that set them. */
  readonly env: Readonly<Record<string, string>>
  readonly sources: Readonly<Record<string, string>>
  /** Its `.env` files that existed, as written. */
  readonly envFiles: readonly string[]
  /** Its keys in the configuration, short values as JSON, others as hashes. */
  readonly config: Readonly<Record<string, string>>
  /** Versions of the tools that its folder suggests. */
  readonly tools: Readonly<Record<string, string>>
  /** When its dependencies were started: ms since the epoch; 0: not known. */
  readonly dependencies: Readonly<Record<string, number>>
}

const text = { type: 'string' } as const
const texts = { type: 'object', additionalProperties: text } as const
const numbers = { type: 'object', additionalProperties: { type: 'number' } } as const

const shape: FileShape<WellRecord> = {
  schema: {
    type: 'object',
    required: [
      ...['version', 'path', 'service', 'wellMs', 'startedMs', 'head', 'branch', 'env', 'sources', 'envFiles'],
      ...['config', 'tools', 'dependencies'],
    ],
    properties: {
      version: { enum: [1] },
      ...{ path: text, service: text, wellMs: { type: 'number' }, startedMs: { type: 'number' } },
      // It becomes an argument of git.
      head: { type: 'string', pattern: '^(?:[0-9a-f]{40}|[0-9a-f]{64}|)$' },
      ...{ branch: text, env: texts, sources: texts, config: texts, tools: texts, dependencies: numbers },
      envFiles: { type: 'array', items: text },
    },
  },
}

/** A larger record is not kept: bytes. */
const largest = 128 * 1024
/** Records of services that were not well for so long are removed: ms. */
const keptMs = 90 * 24 * 3_600_000

/** The records of services that were well, one file for each, in a folder of the data folder. */
export class WellRecords {
  /** Hashes values as the records have them. */
  readonly hash: HashValue
  readonly #folder: string
  readonly #log: Log

  constructor(folder: string, log: Log) {
    this.#folder = folder
    this.#log = log
    this.hash = new ValueHash(folder).of
  }

  /** Returns the record of a service; undefined where there is none that can be read. */
  read(path: string, service: string): WellRecord | undefined {
    try {
      const record = readJson(this.#fileOf(path, service))
      return hasShape(record, shape) ? record : undefined
    } catch {
      return undefined
    }
  }

  write(record: WellRecord): void {
    try {
      const content = JSON.stringify(record)
      if (content.length <= largest) writeAtomic(this.#fileOf(record.path, record.service), content, { durable: false })
    } catch (error) {
      this.#log.warn(`could not record that ${record.service} is healthy: ${messageOf(error)}`)
    }
  }

  /** Removes what is too old to compare with. */
  prune(nowMs = Date.now()): void {
    try {
      for (const name of readdirSync(this.#folder).filter(it => it.endsWith('.json'))) {
        const file = join(this.#folder, name)
        if (nowMs - statSync(file).mtimeMs > keptMs) rmSync(file, { force: true })
      }
    } catch {
      // No service was well so far.
    }
  }

  #fileOf(path: string, service: string): string {
    return join(this.#folder, `${recordId(path, service)}.json`)
  }
}
