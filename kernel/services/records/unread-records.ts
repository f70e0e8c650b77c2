import { readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Check, CheckResult, Log } from '../../contract/plugin.ts'
import { messageOf } from '../../errors.ts'
import { readText } from '../../system/files.ts'

/** A record that this version could not read. */
export interface UnreadRecord {
  readonly file: string
  readonly text: string
  /** The name of the record's own file, without its ending. */
  readonly id: string
}

/** Keeps records that this version could not read, for the version that can. */
export class UnreadRecords {
  readonly #folder: string
  readonly #log: Log

  constructor(folder: string, log: Log) {
    this.#folder = folder
    this.#log = log
  }

  list(): readonly UnreadRecord[] {
    try {
      return readdirSync(this.#folder).map(name => {
        const file = join(this.#folder, name)
        return { file, text: textIn(file), id: name.replace(/-\d+\.json$/, '') }
      })
    } catch (error) {
      this.#log.warn(`could not read ${this.#folder}: ${messageOf(error)}`)
      return []
    }
  }

  quarantine(file: string, reason: string): void {
    const aside = join(this.#folder, `${basename(file, '.json')}-${Date.now()}.json`)
    try {
      renameSync(file, aside)
      this.#log.warn(`moved the unreadable record ${file} to ${aside}: ${reason}`)
    } catch (error) {
      this.#log.warn(`skipped the unreadable record ${file}: ${reason}; ${messageOf(error)}`)
    }
  }

  remove({ file }: UnreadRecord): void {
    rmSync(file, { recursive: true, force: true })
  }

  /** Returns the check of `doctor`; `keyOf` names the service, or the project, of a record. */
  check(keyOf: (record: UnreadRecord) => string | undefined): Check {
    return {
      id: 'records',
      title: 'Service records',
      run: async (): Promise<CheckResult> => {
        const severity = 'important'
        const unread = this.list()
        if (unread.length === 0) return { status: 'pass', severity, summary: 'all readable' }
        const named = unread.map(record => `${record.file} (${keyOf(record) ?? 'unknown service'})`)
        return {
          status: 'warn',
          severity,
          summary: `services may run that locald cannot show, as their records are unreadable: ${named.join(', ')}`,
          fix: 'Run `locald server shutdown` to stop those services and remove the records.',
        }
      },
    }
  }
}

/**
 * Returns what a damaged record, or one of another version, still says about its service: its keeper's place.
 * Undefined: nothing.
 */
export function stateIn({ text }: UnreadRecord): unknown {
  const value = parseJson(text)
  const state: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'state') : undefined
  if (typeof state === 'object' && state !== null) return state
  const socket = /"socket":"(\/[^"\\]+\.s)"/.exec(text)?.[1]
  return socket === undefined ? undefined : { socket }
}

/** Returns the identity of the machine's start in which it was written. */
export function bootIn({ text }: UnreadRecord): string | undefined {
  return /"boot":"([^"\\]+)"/.exec(text)?.[1]
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Reads a file; returns an empty text where that fails. */
function textIn(file: string): string {
  try {
    return readText(file)
  } catch {
    return ''
  }
}
