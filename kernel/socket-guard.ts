import { type FSWatcher, lstatSync, mkdirSync, rmSync, watch } from 'node:fs'
import { connect } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { messageOf } from './errors.ts'
import { writeWhole } from './files.ts'
import { versionOf } from './package.ts'
import { longestSocketPath, type Paths, type Place, preparePaths } from './paths.ts'
import { claimRuntime, isOthers, placeFile, releaseRuntime } from './place.ts'
import type { Log } from './plugin.ts'

/** What a guard works with. */
export interface SocketGuardInput {
  readonly paths: Pick<Paths, 'data' | 'runtime' | 'socket' | 'lock'>
  /** Listens on a path, no longer on the last one; open connections live on. Things of the runtime folder are in `runtime` from now on. */
  readonly listen: (socket: string, runtime: string) => Promise<void>
  /** Called after the socket was bound again: other things in the runtime folder may be missing, too. */
  readonly restored: () => Promise<void>
  readonly log: Log
}

/** What is removed is removed in several steps: ms. */
const settleMs = 50
/** Between two looks where the system's notifications cannot be used: ms. */
const lookMs = 5000

/**
 * Keeps the daemon reachable while others (logind at the last logout, a cleaner of the temporary folder) remove its socket or the folder of
 * it: the socket is bound again, or another one in the data folder, and the data folder says where. Costs nothing while nothing happens.
 */
export class SocketGuard {
  readonly #input: SocketGuardInput
  #socket: string
  #inode: number | undefined
  /** The inode of the file that says where the daemon is. */
  #recorded: number | undefined
  #watchers: FSWatcher[] = []
  #timer: NodeJS.Timeout | undefined
  #look: Promise<void> | undefined
  #isClosed = false

  /** Begins with a socket that is bound. */
  constructor(input: SocketGuardInput) {
    this.#input = input
    this.#socket = input.paths.socket
    this.#keep(this.#socket)
  }

  /** Where the daemon listens. */
  get socket(): string {
    return this.#socket
  }

  /** Looks no more. `forget`: the next daemon need not be where this one was. */
  close(forget: boolean): void {
    this.#isClosed = true
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
    if (this.#inode === undefined) this.#soon(settleMs)
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
      writeWhole(file, `${JSON.stringify(place)}\n`, { durable: false })
      this.#recorded = inodeOf(file)
    } catch (error) {
      log.warn(`${file} could not be written: ${messageOf(error)}`)
    }
  }

  /** The socket's folder shows a removal, and so does the data folder; a caller that finds no socket touches the lock there. */
  #watch(): void {
    this.#unwatch()
    const { data, lock } = this.#input.paths
    const own = new Set([basename(placeFile(data)), basename(lock)])
    try {
      for (const folder of [dirname(this.#socket), data]) {
        const watcher = watch(folder, { persistent: false }, (_, name) => {
          if (folder !== data || name === null || own.has(name)) this.#soon(settleMs)
        })
        this.#watchers.push(watcher.on('error', () => this.#soon(lookMs)))
      }
    } catch {
      this.#unwatch()
      this.#soon(lookMs)
    }
  }

  #unwatch(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const watcher of this.#watchers) watcher.close()
    this.#watchers = []
  }

  #soon(ms: number): void {
    if (this.#isClosed) return
    this.#timer ??= setTimeout(() => {
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
    if (this.#inode !== undefined && inodeOf(this.#socket) === this.#inode) return
    const { paths, log, restored } = this.#input
    for (const socket of new Set([this.#socket, paths.socket, fallback(paths.data)])) {
      try {
        await this.#bind(socket)
      } catch (error) {
        log.warn(`cannot listen on ${socket}: ${messageOf(error)}`)
        continue
      }
      log.warn(`its socket was removed; listening on ${socket}`)
      await restored().catch(error => log.warn(messageOf(error)))
      return
    }
    log.error('its socket was removed and cannot be bound again: `locald server restart` once its folder can be made')
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

function fallback(data: string): string {
  return join(data, 'run', 'locald.sock')
}

function inodeOf(path: string): number | undefined {
  try {
    return lstatSync(path).ino
  } catch {
    return undefined
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
