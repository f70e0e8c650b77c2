import { basename, dirname, relative, sep } from 'node:path'
import { anyone } from '../contract/text-file.ts'
import { callerUid } from '../system/file-owner.ts'
import { allowedFolders } from './allowed-folders.ts'

/** Why a file is not taken. */
export interface Refusal {
  readonly message: string
  readonly hint: string
}

/** What a person's trust in files depends on. */
export interface TrustInput {
  /** The environment of the shell that asked: root takes the files of the user who called sudo, as git does. */
  readonly shell?: Readonly<Record<string, string | undefined>> | undefined
  /** Where it is kept which folders were allowed; absent: none was. */
  readonly dataFolder?: string | undefined
}

/** The files that `locald config allow` looks for in a folder, besides those of sources; others are named to it. */
export const projectFiles = ['locald.toml', '.locald.toml', 'locald.workspace.toml', '.env'] as const

/**
 * Whose project files are taken: the caller's, root's, and those in folders that the caller has allowed. What is in such a file is
 * run as the caller, and in a shared folder anybody can leave one. As with git, the mode of a file does not count: file systems of
 * other machines show every file as writable by all.
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

  /** Those of the uids whose files are not taken unless they are allowed. */
  strangers(uids: readonly number[]): readonly number[] {
    return [...new Set(uids)].filter(uid => !this.#uids.has(uid))
  }

  /** Why a file of these owners is not taken for the project at `root`; undefined when it is. */
  refusal(file: string, owners: readonly number[], root: string): Refusal | undefined {
    const strangers = this.strangers(owners)
    if (strangers.every(uid => this.#isAllowed(file, uid, root))) return undefined
    // Where anyone may write, as in /tmp, only a file's owner can remove it.
    const wayOut = isInside(file, root) ? 'remove the file' : `move the project out of ${dirname(file)}`
    const isFound = projectFiles.some(name => name === basename(file))
    return {
      message: strangers.includes(anyone)
        ? 'it is a hard link in a folder that anyone may write to'
        : `it belongs to uid ${strangers.join(' and ')}, not to you (uid ${this.#uid})`,
      hint: `Run \`locald config allow ${quoted(isFound ? dirname(file) : file)}\` if you trust them, or ${wayOut}.`,
    }
  }

  /** A folder is allowed for the files of the project in it, and for the layers that lie in it. */
  #isAllowed(file: string, uid: number, root: string): boolean {
    if (this.#dataFolder === undefined) return false
    const folders = [dirname(file), ...(isInside(file, root) ? [root] : [])]
    return allowedFolders(this.#dataFolder).some(({ path, owners }) => folders.includes(path) && owners.includes(uid))
  }
}

function isInside(file: string, folder: string): boolean {
  const path = relative(folder, file)
  return path !== '..' && !path.startsWith(`..${sep}`)
}

/** A path as a shell takes it. */
function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}
