import { type FSWatcher, lstatSync, lutimesSync, mkdirSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import type { ProcessTable } from '../../kernel/contract/plugin.ts'
import { systemCode } from '../../kernel/errors.ts'
import type { KeeperState } from './keeper-state.ts'

/** What is removed is removed in several steps: ms. */
const settleMs = 50

/**
 * Has a keeper bind its sockets again where one of them is missing; those that are there look used from now on, for cleaners that go by age.
 */
export async function restoreSockets(state: KeeperState, table: ProcessTable): Promise<void> {
  if (socketsOf(state).map(touch).includes(false)) await rebindSockets(state, table)
}

/** By SIGHUP, which keepers of earlier versions ignore. */
export async function rebindSockets({ tree, socket }: KeeperState, table: ProcessTable): Promise<void> {
  try {
    if ((await table.start(tree.keeper)) !== tree.starts.keeper) return
    mkdirSync(dirname(socket), { recursive: true, mode: 0o700 })
    process.kill(tree.keeper, 'SIGHUP')
  } catch {
    // It has just ended, or its folder cannot be made.
  }
}

/** The control socket, and that for sd_notify(3). */
function socketsOf({ socket }: KeeperState): readonly string[] {
  return [socket, `${socket.slice(0, -'.s'.length)}.n`]
}

/** False where there is nothing. */
function touch(path: string): boolean {
  const now = new Date()
  try {
    lutimesSync(path, now, now)
    return true
  } catch (error) {
    return systemCode(error) !== 'ENOENT'
  }
}

/** Notices when files of a folder are removed. */
export class RemovalWatch {
  readonly #removed: () => void
  readonly #isOurs: (name: string) => boolean
  #watcher: FSWatcher | undefined
  #inode: number | undefined
  #timer: NodeJS.Timeout | undefined

  /** `removed` is called soon after a file that `isOurs` was removed, or made, and when the folder itself was. */
  constructor(isOurs: (name: string) => boolean, removed: () => void) {
    this.#isOurs = isOurs
    this.#removed = removed
  }

  /** Watches the folder that is there now. Where that cannot be, nothing is noticed. */
  follow(folder: string): void {
    try {
      const { ino } = lstatSync(folder)
      if (this.#watcher !== undefined && this.#inode === ino) return
      this.#watcher?.close()
      // `change` is said when times change, too.
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
