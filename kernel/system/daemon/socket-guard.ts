import { type FSWatcher, lutimesSync, mkdirSync, rmSync, watch } from 'node:fs'
import { connect } from 'node:net'
import { basename, dirname, join } from 'node:path'
import type { Log } from '../../contract/plugin.ts'
import { messageOf } from '../../errors.ts'
import { addressFile } from '../daemon-address.ts'
import { inodeOf, writeAtomic } from '../files.ts'
import { versionOf } from '../package.ts'
import { type DaemonAddress, longestSocketPath, type Paths } from '../paths.ts'
import { preparePaths } from '../prepare-paths.ts'
import { claimRuntime, isClaimed, isClaimedByOther, ownerLink, releaseRuntime } from '../runtime-claim.ts'
import type { DaemonLocks } from './locks.ts'

/** Watches one folder, as fs.watch does. */
export type WatchFolder = (
  folder: string,
  options: { readonly persistent: false },
  listener: (event: string, name: string | null) => void,
) => FSWatcher

/** The parts of a guard. */
export interface SocketGuardInput {
  readonly paths: Pick<Paths, 'data' | 'runtime' | 'spareRuntime' | 'socket' | 'lock'>
  readonly locks: Pick<DaemonLocks, 'restore' | 'touch'>
  /** Listens on a path instead of the last one; open connections stay. Other sockets go into `runtime` from then on. */
  readonly listen: (socket: string, runtime: string) => Promise<void>
  /**
   * Called after something was deleted, and once per `upkeepMs`: other files of the runtime folder may also be missing.
   */
  readonly restored: () => Promise<void>
  readonly log: Log
  /** The pause between two checks without a cause: ms. Default: an hour. */
  readonly upkeepMs?: number
  /** The pause between two checks where the system's notifications fail: ms. Default: 5 s. */
  readonly lookMs?: number
  /** Watches a folder; tests replace fs.watch. */
  readonly watch?: WatchFolder
}

/** A deletion takes several steps: ms. */
const settleMs = 50
const defaultLookMs = 5000
/** Cleaners delete what was not used for days: ms. */
const hourMs = 3_600_000

/**
 * Keeps the daemon reachable, and the only one, when others (logind at the last logout, a cleaner of the temporary
 * folder) delete its socket, its locks or their folder. It binds the socket again, or another one in the data folder,
 * records the address there, and locks again. It costs nothing while nothing happens, except for an hourly check, which
 * also updates the times of the files.
 */
export class SocketGuard {
  readonly #input: SocketGuardInput
  #socket: string
  #inode: number | undefined
  /** The inode of the file with the daemon's address. */
  #recorded: number | undefined
  #watchers: FSWatcher[] = []
  #timer: NodeJS.Timeout | undefined
  /** When `#timer` is due. */
  #due = 0
  #check: Promise<void> | undefined
  readonly #upkeep: NodeJS.Timeout
  /** The locks that another process held at the last check. */
  #lost = ''
  #isClosed = false

  /** Starts with a socket that is bound already. */
  constructor(input: SocketGuardInput) {
    this.#input = input
    this.#socket = input.paths.socket
    this.#adopt(this.#socket)
    // A unit of an earlier version locks another folder before it starts the daemon.
    this.#restoreLocks()
    this.#upkeep = setInterval(() => {
      this.#touch()
      this.#schedule(settleMs)
      void this.#runRestored()
    }, input.upkeepMs ?? hourMs).unref()
  }

  /** The socket that the daemon listens on. */
  get socket(): string {
    return this.#socket
  }

  /** Stops. `forget` removes the address: the next daemon may use another runtime folder. */
  close(forget: boolean): void {
    this.#isClosed = true
    clearInterval(this.#upkeep)
    this.#unwatch()
    if (!forget) return
    rmSync(addressFile(this.#input.paths.data), { force: true })
    releaseRuntime(this.#input.paths.runtime, this.#input.paths.data)
  }

  /** Remembers and records a socket that was bound, and watches it. */
  #adopt(socket: string): void {
    this.#socket = socket
    this.#inode = inodeOf(socket)
    this.#record()
    this.#watch()
    // It was deleted before it was watched.
    if (this.#inode === undefined || inodeOf(socket) !== this.#inode) this.#schedule(settleMs)
  }

  /** Records the daemon's address. After the lock's file was deleted only that prevents a second daemon. */
  #record(): void {
    const { paths, log } = this.#input
    const file = addressFile(paths.data)
    const place: DaemonAddress = {
      pid: process.pid,
      version: versionOf(),
      runtime: this.#runtimeOf(this.#socket),
      socket: this.#socket,
    }
    try {
      writeAtomic(file, `${JSON.stringify(place)}\n`, { durable: false })
      this.#recorded = inodeOf(file)
    } catch (error) {
      log.warn(`could not write ${file}: ${messageOf(error)}`)
    }
  }

  /** Watches the folders that show a deletion. A caller that finds no socket touches the lock in the data folder. */
  #watch(): void {
    this.#unwatch()
    const { data, lock } = this.#input.paths
    const open: WatchFolder = this.#input.watch ?? watch
    const own = new Set([basename(addressFile(data)), basename(lock)])
    try {
      for (const folder of new Set([dirname(this.#socket), this.#runtimeOf(this.#socket), data])) {
        const watcher = open(folder, { persistent: false }, (_, name) => {
          if (folder !== data || name === null || own.has(name)) this.#schedule(settleMs)
        })
        this.#watchers.push(watcher.on('error', () => this.#checkWithoutWatching()))
      }
    } catch {
      this.#checkWithoutWatching()
    }
  }

  /** Checks without notifications, then watches again: Node reports no more events after a watch has failed. */
  #checkWithoutWatching(): void {
    this.#unwatch()
    this.#schedule(this.#input.lookMs ?? defaultLookMs)
  }

  #unwatch(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const watcher of this.#watchers) watcher.close()
    this.#watchers = []
  }

  /** Schedules a check in `ms`, unless one is due sooner. */
  #schedule(ms: number): void {
    const due = performance.now() + ms
    if (this.#isClosed || (this.#timer !== undefined && due >= this.#due)) return
    clearTimeout(this.#timer)
    this.#due = due
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      // An event during a check needs another one after it.
      if (this.#check !== undefined) return this.#schedule(ms)
      this.#check = this.#restore().finally(() => {
        this.#check = undefined
        if (this.#watchers.length === 0) this.#watch()
      })
    }, ms).unref()
  }

  async #restore(): Promise<void> {
    if (this.#isClosed) return
    if (this.#recorded !== undefined && inodeOf(addressFile(this.#input.paths.data)) !== this.#recorded) this.#record()
    if (this.#inode !== undefined && inodeOf(this.#socket) === this.#inode) {
      this.#restoreLocks()
      return
    }
    const { paths, log } = this.#input
    for (const socket of new Set([this.#socket, paths.socket, join(paths.spareRuntime, 'locald.sock')])) {
      try {
        await this.#bind(socket)
      } catch (error) {
        log.warn(`cannot listen on ${socket}: ${messageOf(error)}`)
        continue
      }
      log.warn(`the daemon's socket was deleted; listening on ${socket}`)
      this.#restoreLocks()
      // Not awaited: the socket may be deleted again meanwhile.
      void this.#runRestored()
      return
    }
    log.error(
      "the daemon's socket was deleted and cannot be bound again: run `locald server restart` once its folder can be created",
    )
  }

  /** Restores the claim of the runtime folder, and the locks. */
  #restoreLocks(): void {
    const { paths, locks, log } = this.#input
    const { runtime, data } = paths
    try {
      if (this.#runtimeOf(this.#socket) === runtime && !isClaimed(runtime, data)) {
        preparePaths(paths)
        claimRuntime(runtime, data)
      }
    } catch (error) {
      log.warn(messageOf(error))
    }
    const lost = locks.restore()
    // The other process exits once it notices this daemon.
    if (lost.length > 0) this.#schedule(this.#input.lookMs ?? defaultLookMs)
    if (lost.join() !== this.#lost && lost.length > 0)
      log.warn(`${lost.join(', ')} was deleted, and another process has locked the new file`)
    this.#lost = lost.join()
  }

  async #runRestored(): Promise<void> {
    const { restored, log } = this.#input
    await restored().catch(error => log.warn(messageOf(error)))
  }

  /** Updates the times of the files. */
  #touch(): void {
    const now = new Date()
    this.#input.locks.touch()
    for (const path of [this.#socket, ownerLink(this.#input.paths.runtime)]) {
      try {
        lutimesSync(path, now, now)
      } catch {
        // It is missing, which the next check notices, or never existed.
      }
    }
  }

  #runtimeOf(socket: string): string {
    const { paths } = this.#input
    return socket === paths.socket ? paths.runtime : dirname(socket)
  }

  async #bind(socket: string): Promise<void> {
    const { paths, listen } = this.#input
    if (Buffer.byteLength(socket) > longestSocketPath) throw new Error('path too long')
    // A daemon of another data folder may have started here meanwhile.
    if (socket === paths.socket) {
      if (isClaimedByOther(paths.runtime, paths.data)) throw new Error('the folder belongs to another daemon')
      preparePaths(paths)
      claimRuntime(paths.runtime, paths.data)
    } else mkdirSync(dirname(socket), { recursive: true, mode: 0o700 })
    if (await answers(socket)) throw new Error('another process listens on it')
    // The daemon is stopping: its successor listens there.
    if (this.#isClosed) return
    await listen(socket, this.#runtimeOf(socket))
    this.#adopt(socket)
  }
}

function answers(socket: string): Promise<boolean> {
  return new Promise(resolve => {
    const probe = connect(socket)
    const end = (isAnswered: boolean) => {
      probe.destroy()
      resolve(isAnswered)
    }
    probe.once('connect', () => end(true)).once('error', () => end(false))
  })
}
