import { type FSWatcher, lstatSync, lutimesSync, mkdirSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import type { ProcessTable } from '../../kernel/contract/plugin.ts'
import { systemCode } from '../../kernel/errors.ts'
import type { KeeperState } from './keeper-state.ts'

/** Several files are deleted together: ms. */
const settleMs = 50

/**
 * Makes a keeper bind its sockets again if one is missing; updates the times of the others, for cleaners that go by
 * age.
 */
export async function restoreSockets(state: KeeperState, table: ProcessTable): Promise<void> {
  if (socketsOf(state).map(touch).includes(false)) await rebindSockets(state, table)
}

/** Asks a keeper to bind its sockets, by SIGHUP, which keepers of earlier versions ignore. */
export async function rebindSockets({ tree, socket }: KeeperState, table: ProcessTable): Promise<void> {
  try {
    if ((await table.start(tree.keeper)) !== tree.starts.keeper) return
    mkdirSync(dirname(socket), { recursive: true, mode: 0o700 })
    process.kill(tree.keeper, 'SIGHUP')
  } catch {
    // It has just exited, or its folder cannot be created.
  }
}

/** Returns the control socket and the one for sd_notify(3). */
function socketsOf({ socket }: KeeperState): readonly string[] {
  return [socket, `${socket.slice(0, -'.s'.length)}.n`]
}

/** Updates a file's times; false when the file is missing. */
function touch(path: string): boolean {
  const now = new Date()
  try {
    lutimesSync(path, now, now)
    return true
  } catch (error) {
    return systemCode(error) !== 'ENOENT'
  }
}

/** Reports deletions in a folder. */
export class RemovalWatch {
  readonly #removed: () => void
  readonly #isOurs: (name: string) => boolean
  #watcher: FSWatcher | undefined
  #inode: number | undefined
  #timer: NodeJS.Timeout | undefined

  /** @param removed called soon after a file that `isOurs` was deleted or created, or the folder itself was */
  constructor(isOurs: (name: string) => boolean, removed: () => void) {
    this.#isOurs = isOurs
    this.#removed = removed
  }

  /** Watches the folder that exists now. Where watching fails, nothing is reported. */
  follow(folder: string): void {
    try {
      const { ino } = lstatSync(folder)
      if (this.#watcher !== undefined && this.#inode === ino) return
      this.#watcher?.close()
      // `change` also comes with changed times.
      this.#watcher = watch(folder, { persistent: false }, (kind, name) => {
        if (kind === 'rename' && (name === null || !/^[0-9a-f]+\.[snx]$/.test(name) || this.#isOurs(name))) this.#soon()
      }).on('error', () => this.#forget())
      this.#inode = ino
    } catch {
      this.#forget()
    }
  }

  #forget(): void {
    this.#watcher?.close()
    this.#watcher = undefined
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#removed()
    }, settleMs).unref()
  }
}
