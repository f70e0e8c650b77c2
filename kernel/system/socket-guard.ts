import { type FSWatcher, lutimesSync, mkdirSync, rmSync, watch } from 'node:fs'
import { connect } from 'node:net'
import { basename, dirname, join } from 'node:path'
import type { Log } from '../contract/plugin.ts'
import { messageOf } from '../errors.ts'
import { claimRuntime, isClaimed, isOthers, ownerLink, placeFile, releaseRuntime } from './daemon-place.ts'
import { inodeOf, writeAtomic } from './files.ts'
import type { HeldLocks } from './held-locks.ts'
import { versionOf } from './package.ts'
import { longestSocketPath, type Paths, type Place, preparePaths } from './paths.ts'

/** Watches one folder, as fs.watch does. */
export type WatchFolder = (
  folder: string,
  options: { readonly persistent: false },
  heard: (event: string, name: string | null) => void,
) => FSWatcher

/** What a guard works with. */
export interface SocketGuardInput {
  readonly paths: Pick<Paths, 'data' | 'runtime' | 'spareRuntime' | 'socket' | 'lock'>
  readonly locks: Pick<HeldLocks, 'restore' | 'touch'>
  /** Listens on a path, no longer on the last one; open connections live on. Things of the runtime folder are in `runtime` from now on. */
  readonly listen: (socket: string, runtime: string) => Promise<void>
  /** Called after something was removed, and now and then: other things in the runtime folder may be missing, too. */
  readonly restored: () => Promise<void>
  readonly log: Log
  /** Between two looks without a cause: ms. Default: an hour. */
  readonly upkeepMs?: number
  /** Between two looks where the system's notifications cannot be used: ms. Default: 5 s. */
  readonly lookMs?: number
  /** How a folder is watched: by fs.watch, unless a test has another way. */
  readonly watch?: WatchFolder
}

/** What is removed is removed in several steps: ms. */
const settleMs = 50
const defaultLookMs = 5000
/** Cleaners go by days: ms. */
const hourMs = 3_600_000

/**
 * Keeps the daemon reachable, and the only one, while others (logind at the last logout, a cleaner of the temporary folder) remove its
 * socket, its locks or the folder of them: the socket is bound again, or another one in the data folder, and the data folder says where;
 * locks are taken again. Costs nothing while nothing happens, but for a look each hour, which has them look used.
 */
export class SocketGuard {
  readonly #input: SocketGuardInput
  #socket: string
  #inode: number | undefined
  /** The inode of the file that says where the daemon is. */
  #recorded: number | undefined
  #watchers: FSWatcher[] = []
  #timer: NodeJS.Timeout | undefined
  /** When it is due. */
  #due = 0
  #look: Promise<void> | undefined
  readonly #upkeep: NodeJS.Timeout
  /** Locks that could not be had again the last time. */
  #lost = ''
  #isClosed = false

  /** Begins with a socket that is bound. */
  constructor(input: SocketGuardInput) {
    this.#input = input
    this.#socket = input.paths.socket
    this.#keep(this.#socket)
    // Whoever started the daemon may have taken the lock of another folder: a unit of an earlier version.
    this.#restoreLocks()
    this.#upkeep = setInterval(() => {
      this.#touch()
      this.#soon(settleMs)
      void this.#tellRestored()
    }, input.upkeepMs ?? hourMs).unref()
  }

  /** Where the daemon listens. */
  get socket(): string {
    return this.#socket
  }

  /** Looks no more. `forget`: the next daemon need not be where this one was. */
  close(forget: boolean): void {
    this.#isClosed = true
    clearInterval(this.#upkeep)
    this.#unwatch()
    if (!forget) return
    rmSync(placeFile(this.#input.paths.data), { force: true })
    releaseRuntime(this.#input.paths.runtime, this.#input.paths.data)
  }

  /** Remembers and records a socket that was bound, and watches it. */
  #keep(socket: string): void {
    this.#socket = socket
    this.#inode = inodeOf(socket)
    this.#record()
    this.#watch()
    // Removed before it was watched.
    if (this.#inode === undefined || inodeOf(socket) !== this.#inode) this.#soon(settleMs)
  }

  /** Says where the daemon is. Without the lock's file that alone keeps a second one from being started. */
  #record(): void {
    const { paths, log } = this.#input
    const file = placeFile(paths.data)
    const place: Place = {
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

  /** The socket's folder shows a removal, and so does the data folder; a caller that finds no socket touches the lock there. */
  #watch(): void {
    this.#unwatch()
    const { data, lock } = this.#input.paths
    const open: WatchFolder = this.#input.watch ?? watch
    const own = new Set([basename(placeFile(data)), basename(lock)])
    try {
      for (const folder of new Set([dirname(this.#socket), this.#runtimeOf(this.#socket), data])) {
        const watcher = open(folder, { persistent: false }, (_, name) => {
          if (folder !== data || name === null || own.has(name)) this.#soon(settleMs)
        })
        this.#watchers.push(watcher.on('error', () => this.#lookAlone()))
      }
    } catch {
      this.#lookAlone()
    }
  }

  /** Looks without notifications; after that they are asked for once more. Of a watch that has failed Node gives none any more. */
  #lookAlone(): void {
    this.#unwatch()
    this.#soon(this.#input.lookMs ?? defaultLookMs)
  }

  #unwatch(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const watcher of this.#watchers) watcher.close()
    this.#watchers = []
  }

  /** Looks in so many ms, or sooner where that was asked for already. */
  #soon(ms: number): void {
    const due = performance.now() + ms
    if (this.#isClosed || (this.#timer !== undefined && due >= this.#due)) return
    clearTimeout(this.#timer)
    this.#due = due
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      // What happens during a look is looked at after it.
      if (this.#look !== undefined) return this.#soon(ms)
      this.#look = this.#restore().finally(() => {
        this.#look = undefined
        if (this.#watchers.length === 0) this.#watch()
      })
    }, ms).unref()
  }

  async #restore(): Promise<void> {
    if (this.#isClosed) return
    if (this.#recorded !== undefined && inodeOf(placeFile(this.#input.paths.data)) !== this.#recorded) this.#record()
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
      log.warn(`its socket was removed; listening on ${socket}`)
      this.#restoreLocks()
      // Not waited for: its socket may be removed again meanwhile.
      void this.#tellRestored()
      return
    }
    log.error('its socket was removed and cannot be bound again: `locald server restart` once its folder can be made')
  }

  /** The link that claims the runtime folder, and the locks. */
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
    // Whoever has one gives it up when it finds that this daemon serves.
    if (lost.length > 0) this.#soon(this.#input.lookMs ?? defaultLookMs)
    if (lost.join() !== this.#lost && lost.length > 0)
      log.warn(`${lost.join(', ')} was removed and is locked by another`)
    this.#lost = lost.join()
  }

  async #tellRestored(): Promise<void> {
    const { restored, log } = this.#input
    await restored().catch(error => log.warn(messageOf(error)))
  }

  /** Has its files look used. */
  #touch(): void {
    const now = new Date()
    this.#input.locks.touch()
    for (const path of [this.#socket, ownerLink(this.#input.paths.runtime)]) {
      try {
        lutimesSync(path, now, now)
      } catch {
        // It is missing, which the look finds, or was never there.
      }
    }
  }

  #runtimeOf(socket: string): string {
    const { paths } = this.#input
    return socket === paths.socket ? paths.runtime : dirname(socket)
  }

  async #bind(socket: string): Promise<void> {
    const { paths, listen } = this.#input
    if (Buffer.byteLength(socket) > longestSocketPath) throw new Error('its path is too long')
    // A daemon of another data folder may have been started here meanwhile.
    if (socket === paths.socket) {
      if (isOthers(paths.runtime, paths.data)) throw new Error('the folder belongs to another daemon')
      preparePaths(paths)
      claimRuntime(paths.runtime, paths.data)
    } else mkdirSync(dirname(socket), { recursive: true, mode: 0o700 })
    if (await answers(socket)) throw new Error('another process listens there')
    // The daemon is stopping: its successor listens there.
    if (this.#isClosed) return
    await listen(socket, this.#runtimeOf(socket))
    this.#keep(socket)
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
