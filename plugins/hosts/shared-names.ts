import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { lstat, mkdir, readdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type PlatformFacts, type ProcessTable, readTextFile } from '../../kernel/contract/plugin.ts'
import { LocaldError, systemCode } from '../../kernel/errors.ts'
import { writeAtomic } from '../lib/files.ts'

interface Entry {
  readonly pid: number
  /** Start token of the daemon. */
  readonly start: string
  readonly names: readonly string[]
}

/**
 * The names of all daemons of a user (each sandbox has one), as a user has one block in the hosts file. Each daemon has
 * a file in a folder of the user's; files of exited daemons are ignored.
 */
export class SharedNames {
  readonly #uid: number
  readonly #folder: string
  readonly #own: string
  readonly #table: () => ProcessTable

  /**
   * @param daemon distinguishes the daemons of a user: its data folder
   * @param folder the same for all of them, whatever their environment is; exists only while one has names
   */
  constructor(uid: number, daemon: string, table: () => ProcessTable, folder: string) {
    this.#uid = uid
    this.#folder = folder
    this.#own = `${createHash('sha256').update(daemon).digest('hex').slice(0, 16)}.json`
    this.#table = table
  }

  /** Publishes this daemon's names. Rejects with PATHS_UNUSABLE when the folder is another user's. */
  async put(names: readonly string[]): Promise<void> {
    const start = (await this.#table().start(process.pid)) ?? ''
    const entry: Entry = { pid: process.pid, start, names }
    const path = join(this.#folder, this.#own)
    if (names.length === 0) {
      if (!(await this.#hasFolder())) return
      await rm(path, { force: true })
      // Fails while others have names.
      return await rmdir(this.#folder).catch(() => undefined)
    }
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    await this.#hasFolder()
    writeAtomic(path, JSON.stringify(entry), { durable: false })
  }

  /** Returns the names of all daemons, sorted. Rejects as `put` does. */
  async all(): Promise<readonly string[]> {
    if (!(await this.#hasFolder())) return []
    const files = (await readdir(this.#folder).catch(() => [])).filter(name => name.endsWith('.json'))
    const lists = await Promise.all(files.map(name => this.#read(join(this.#folder, name))))
    return [...new Set(lists.flat())].sort()
  }

  /**
   * Returns whether the folder exists. Called before anything in it is read: in /tmp anyone may have created it first,
   * and its names would get into everyone's hosts file.
   */
  async #hasFolder(): Promise<boolean> {
    const info = await lstat(this.#folder).catch(error => {
      if (systemCode(error) === 'ENOENT') return undefined
      throw error
    })
    if (info === undefined) return false
    if (info.isDirectory() && info.uid === this.#uid && (info.mode & 0o077) === 0) return true
    throw new LocaldError(
      'PATHS_UNUSABLE',
      `${this.#folder} is not a folder of yours alone (uid ${info.uid} owns it)`,
      {
        hint: `Remove it: \`sudo rm -r ${this.#folder}\`.`,
      },
    )
  }

  async #read(path: string): Promise<readonly string[]> {
    const read = await readTextFile(path)
    const entry = read === undefined || 'fault' in read ? undefined : parse(read.text)
    if (entry === undefined) return []
    const start = await this.#table().start(entry.pid)
    if (start === entry.start) return entry.names
    await rm(path, { force: true })
    return []
  }
}

/**
 * Returns the folder of a user: in systemd's session (pam_systemd(8)); on macOS, which deletes files in /tmp that were
 * not used for three days, in the Library; else in /tmp.
 *
 * @param home as the system knows it, not $HOME: the same for daemons of all environments; undefined: there is none
 */
export function folderOf({ os, uid }: Pick<PlatformFacts, 'os' | 'uid'>, home: string | undefined): string {
  const library = os === 'darwin' && home !== undefined ? join(home, 'Library') : undefined
  if (library !== undefined && existsSync(library)) return join(library, 'Application Support', 'locald', 'names')
  return existsSync(`/run/user/${uid}`) ? `/run/user/${uid}/locald-hosts` : `/tmp/locald-hosts-${uid}`
}

function parse(text: string): Entry | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    const { pid, start, names } = { pid: 0, start: '', names: [], ...value }
    if (!Number.isInteger(pid) || typeof start !== 'string' || !Array.isArray(names)) return undefined
    return { pid, start, names: names.filter(name => typeof name === 'string') }
  } catch {
    return undefined
  }
}
