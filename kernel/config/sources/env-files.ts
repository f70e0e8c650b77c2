import { type DotenvEntry, type DotenvFaults, faultsOf, lineWith, parseDotenv } from '../../lib/dotenv.ts'
import { folderFault, ownersAt, readTextFile } from '../../lib/text-file.ts'
import { statIfAny } from '../../system/stat.ts'
import { shortName } from '../document/document.ts'
import { type Reader, requireTrust, unreadable } from './read.ts'

/** A problem of an environment that does not stop a service: printed by each `up`, and by `config check`. */
export interface EnvWarning {
  readonly message: string
  readonly hint: string
}

/** The entries of a `.env` file by their names. */
export type DotenvEntries = ReadonlyMap<string, DotenvEntry>

/**
 * Reads the `.env` and `env_file` files of one project. A regular file is read each time, and once for all services
 * that need it at the same moment. A named pipe, which password managers use, is read once, since it serves each reader
 * once and may ask the user first; so is a device.
 */
export class EnvFiles {
  readonly #reader: Reader
  readonly #limits: { readonly ms?: number }
  readonly #streams: Map<string, Promise<DotenvEntries | undefined>>
  readonly #faults = new Map<string, DotenvFaults>()
  readonly #underWay = new Map<string, Promise<DotenvEntries | undefined>>()

  /**
   * @param kept files whose pipes and devices are not read again
   * @param limits `ms`: the time that one file may take
   */
  constructor(reader: Reader, kept?: EnvFiles, limits: { readonly ms?: number } = {}) {
    this.#reader = reader
    this.#limits = limits
    this.#streams = new Map(kept === undefined ? [] : kept.#streams)
  }

  /**
   * Returns the entries of a file; undefined where it does not exist. With `folderOk` a folder counts as missing:
   * Python's virtual environments are often called `.env`. Throws CONFIG_UNREADABLE where the file cannot be read or
   * has a value that is not UTF-8, CONFIG_UNTRUSTED where it belongs to another user.
   */
  read(file: string, folderOk: boolean): Promise<DotenvEntries | undefined> {
    const key = `${folderOk} ${file}`
    const underWay = this.#underWay.get(key)
    if (underWay !== undefined) return underWay
    const reading = this.#readAny(file, folderOk).finally(() => this.#underWay.delete(key))
    this.#underWay.set(key, reading)
    return reading
  }

  /** Returns the warnings about the files that were read. */
  get warnings(): readonly EnvWarning[] {
    const { root } = this.#reader
    return [...this.#faults].flatMap(([file, { stray, unclosed }]) => [
      ...warningOf(shortName(file, root), stray, {
        message: 'the line is no entry and is ignored',
        hint: 'Write NAME=value there; a comment begins with #.',
      }),
      ...warningOf(shortName(file, root), unclosed, {
        message: 'nothing closes the quote that the value begins with: it is part of the value',
        hint: 'Close the quote at the end of the value, or put the value into quotes of another kind.',
      }),
    ])
  }

  async #readAny(file: string, folderOk: boolean): Promise<DotenvEntries | undefined> {
    if (!(await isStream(file))) return await this.#read(file, folderOk)
    const known = this.#streams.get(file)
    if (known !== undefined) return await known
    const reading = this.#readStream(file, folderOk)
    this.#streams.set(file, reading)
    // After a failure the next reload tries again.
    reading.catch(() => this.#streams.delete(file))
    return await reading
  }

  /** Checks the owner before reading: a pipe of another user could block. */
  async #readStream(file: string, folderOk: boolean): Promise<DotenvEntries | undefined> {
    requireTrust(file, await ownersAt(file), this.#reader)
    return await this.#read(file, folderOk, 'Check the program that writes to it.')
  }

  async #read(file: string, folderOk: boolean, hint?: string): Promise<DotenvEntries | undefined> {
    const read = await readTextFile(file, { ...this.#limits, streams: true })
    if (read === undefined) return undefined
    if ('fault' in read) {
      if (folderOk && read.fault === folderFault) return undefined
      throw unreadable(file, read.fault, read.hint ?? hint)
    }
    requireTrust(file, read.owners, this.#reader)
    // U+FFFD stands for bytes that are not UTF-8.
    const line = read.isUtf8 ? undefined : lineWith('\uFFFD', read.text)
    if (line !== undefined) throw unreadable(file, `line ${line} is not UTF-8 text`)
    const withNul = read.text.includes('\0') ? lineWith('\0', read.text) : undefined
    if (withNul !== undefined)
      throw unreadable(file, `line ${withNul} has a NUL character, which no environment can hold`)
    this.#faults.set(file, faultsOf(read.text))
    return parseDotenv(read.text)
  }
}

/** Returns one warning for all lines of a file with the same fault. */
function warningOf(file: string, lines: readonly number[], { message, hint }: EnvWarning): readonly EnvWarning[] {
  const [first, ...others] = lines
  if (first === undefined) return []
  const listed =
    others.length > 5 ? `${others.slice(0, 4).join(', ')} and ${others.length - 4} more` : others.join(', ')
  const more = others.length === 0 ? '' : ` (the same in line ${listed})`
  return [{ message: `${file}:${first}: ${message}${more}`, hint }]
}

/** Whether a path leads to a named pipe or a character device. */
export async function isStream(file: string): Promise<boolean> {
  const info = await statIfAny(file)
  return info !== undefined && (info.isFIFO() || info.isCharacterDevice())
}
