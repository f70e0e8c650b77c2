import type { ProcessTable } from '../contract/plugin.ts'
import type { Service } from '../services/service.ts'
import type { Evidence } from './evidence.ts'
import type { GitChanges } from './git/changes.ts'
import type { Subject } from './subject.ts'
import type { HashValue } from './value-hash.ts'
import type { WellRecord } from './well-records.ts'

/** What may have caused a failure. */
export interface Fact {
  /** How likely it is the cause: see `likely`. */
  readonly score: number
  readonly kind: string
  readonly text: string
  readonly command: string | null
  /** ms since the epoch */
  readonly atMs: number | null
}

/** How likely a fact is the cause. A named file or variable counts more than any change that the output is silent on. */
export const likely = {
  /** The output names it, and it was found to be so. */
  proven: 100,
  /** The output names it, and it has changed. */
  named: 90,
  /** The output names it. */
  reported: 75,
  /** It has changed, and services depend on it directly. */
  changed: 60,
  /** It has changed nearby. */
  nearby: 40,
  /** It has changed elsewhere. */
  distant: 20,
} as const

/** A failed service, and all that facts are found from. */
export interface Case extends Subject {
  /** As it was when it was last well. */
  readonly before: WellRecord | undefined
  readonly evidence: Evidence
  readonly git: GitChanges | undefined
  /** Its present environment. */
  readonly env: Readonly<Record<string, string>>
  /** Hashes values as the record has them. */
  readonly hash: HashValue
  /** Versions of its tools now. */
  readonly tools: Readonly<Record<string, string>>
  /** Finds the program that listens on a port: "node (pid 123)". */
  readonly holder: (port: number) => Promise<string | undefined>
  readonly table: ProcessTable | undefined
  /** Services of all projects. */
  readonly services: readonly Service[]
}

/** Returns a word of a shell command, quoted where it has to be. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) && !word.startsWith('-') ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** Returns a time of the day, as sentences have it. */
export function clockTime(ms: number): string {
  const day = new Date(ms)
  const time = day.toLocaleTimeString('en-GB')
  return day.toDateString() === new Date().toDateString() ? time : `${time} on ${day.toLocaleDateString('en-CA')}`
}

/** Returns `cd api && ` for commands of another folder than the project's. */
export function inFolder(root: string, folder: string): string {
  if (folder === root) return ''
  const path = folder.startsWith(`${root}/`) ? folder.slice(root.length + 1) : folder
  return `cd ${shellWord(path)} && `
}

/** Returns names as a list of at most four. */
export function listOf(names: readonly string[]): string {
  const shown = names.length > 4 ? [...names.slice(0, 3), `${names.length - 3} more`] : names
  const last = shown.at(-1) ?? ''
  return shown.length < 2 ? last : `${shown.slice(0, -1).join(', ')} and ${last}`
}
