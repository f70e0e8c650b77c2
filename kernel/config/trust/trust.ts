import { basename, dirname } from 'node:path'
import { isWithin } from '../../lib/subpath.ts'
import { anyone } from '../../lib/text-file.ts'
import { callerUid } from '../../system/file-owner.ts'
import { allowedFolders } from './allowed-folders.ts'

/** Why a file is not trusted. */
export interface Refusal {
  readonly message: string
  readonly hint: string
}

/** What the trust in files depends on. */
export interface TrustInput {
  /** The caller's shell environment: root trusts the files of the user who called sudo, as git does. */
  readonly shell?: Readonly<Record<string, string | undefined>> | undefined
  /** The folder with the list of allowed folders; absent: no folder is allowed. */
  readonly dataFolder?: string | undefined
}

/** The files that `locald config allow FOLDER` covers, besides those of sources. Others have to be named. */
export const projectFiles = ['locald.toml', '.locald.toml', 'locald.workspace.toml', '.env'] as const

/**
 * Decides whose project files are trusted: the caller's, root's, and those in folders that the caller has allowed.
 * Commands in such a file run as the caller, and in a shared folder anyone can create one. As in git the mode of a file
 * does not count: file systems of virtual machines and of Windows show every file as writable by all.
 */
export class Trust {
  readonly #uid = callerUid() ?? 0
  readonly #uids: ReadonlySet<number>
  readonly #dataFolder: string | undefined

  constructor({ shell = {}, dataFolder }: TrustInput = {}) {
    const caller = shell['SUDO_UID'] ?? ''
    const isSudo = this.#uid === 0 && /^\d{1,10}$/.test(caller)
    this.#uids = new Set([this.#uid, 0, ...(isSudo ? [Number(caller)] : [])])
    this.#dataFolder = dataFolder
  }

  /** Returns the uids whose files are trusted only in allowed folders. */
  strangers(uids: readonly number[]): readonly number[] {
    return [...new Set(uids)].filter(uid => !this.#uids.has(uid))
  }

  /** Returns why a file of these owners is not trusted for the project at `root`; undefined where it is. */
  refusal(file: string, owners: readonly number[], root: string): Refusal | undefined {
    const strangers = this.strangers(owners)
    if (strangers.every(uid => this.#isAllowed(file, uid, root))) return undefined
    // Where anyone may write, as in /tmp, only a file's owner can remove it.
    const wayOut = isWithin(file, root) ? 'remove the file' : `move the project out of ${dirname(file)}`
    const isFound = projectFiles.some(name => name === basename(file))
    return {
      message: strangers.includes(anyone)
        ? 'is a hard link in a folder that anyone may write to'
        : `belongs to uid ${strangers.join(' and ')}, not to you (uid ${this.#uid})`,
      hint: `Run \`locald config allow ${quoteForShell(isFound ? dirname(file) : file)}\` if you trust them, or ${wayOut}.`,
    }
  }

  /** Whether the file's folder, or the project that the file is in, is allowed. */
  #isAllowed(file: string, uid: number, root: string): boolean {
    if (this.#dataFolder === undefined) return false
    const folders = [dirname(file), ...(isWithin(file, root) ? [root] : [])]
    return allowedFolders(this.#dataFolder).some(({ path, owners }) => folders.includes(path) && owners.includes(uid))
  }
}

/** Quotes a path for a shell, where needed. */
export function quoteForShell(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}
