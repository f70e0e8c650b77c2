import type { Socket } from 'node:net'
import { LocaldError, systemCode } from '../../kernel/errors.ts'
import { isClaimedByOther, mayRun, type Paths, readAddress } from '../../kernel/system/paths.ts'
import { hasOwnSocket } from '../../kernel/system/prepare-paths.ts'
import { connect } from './http.ts'

// Not by import, which reads all of node:fs.
const { existsSync, utimesSync } = process.getBuiltinModule('node:fs')

/** Nothing listens on the socket's path. ECONNRESET: the daemon exited with our connection in its queue. */
const notListening = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET'])
/** A daemon whose socket was removed binds it again within this time, ms. */
const bindMs = 1000
/** Between two checks for its socket, ms. */
const stepMs = 20

/** Connects as `connectToDaemon` does; wakes and waits for a daemon that runs, but whose socket was just removed. */
export async function connectOrWait(paths: Paths): Promise<Socket | undefined> {
  return (await connectToDaemon(paths)) ?? (await waitForSocket(paths))
}

/**
 * Waits for the socket. A function of its own because few commands wait, and Node takes a millisecond to load timers.
 */
async function waitForSocket(paths: Paths): Promise<Socket | undefined> {
  const isExpected = () => {
    const place = readAddress(paths.data)
    return place !== undefined && mayRun(paths.data, place)
  }
  if (!isExpected()) return undefined
  for (const end = performance.now() + bindMs; isExpected() && performance.now() < end; ) {
    wakeDaemon(paths)
    await new Promise(resolve => setTimeout(resolve, stepMs))
    const socket = await connectToDaemon(paths)
    if (socket !== undefined) return socket
  }
  return undefined
}

/** Makes a daemon whose socket is missing bind it again: it watches the file of its lock. */
export function wakeDaemon({ lock }: Paths): void {
  const now = new Date()
  try {
    utimesSync(lock, now, now)
  } catch (error) {
    // Its removal has woken the daemon, if there is one.
    if (systemCode(error) !== 'ENOENT') throw error
  }
}

/**
 * Whether a daemon may listen that refused: macOS refuses connections while a unix socket's queue of them is full
 * (xnu-11417.101.15, bsd/kern/uipc_usrreq.c unp_connect), where Linux says EAGAIN. A daemon that exited has removed its
 * socket.
 */
export function mayListen({ data }: Pick<Paths, 'data'>): boolean {
  const place = readAddress(data)
  return place !== undefined && existsSync(place.socket) && mayRun(data, place)
}

/**
 * Connects; undefined when no one listens. The folder and the socket must be the caller's own: the process that listens
 * gets the caller's environment and says what to run. Throws PATHS_UNUSABLE.
 */
export async function connectToDaemon(paths: Paths): Promise<Socket | undefined> {
  for (const place of listPlaces(paths)) {
    const socket = hasOwnSocket(place) ? await connectAt(place.socket) : undefined
    if (socket !== undefined) return socket
  }
  return undefined
}

/**
 * Returns where to connect: the place that the daemon of this data folder recorded goes first, unless LOCALD_SOCKET
 * names another.
 */
function listPlaces(paths: Paths): readonly Pick<Paths, 'socket' | 'runtime'>[] {
  const recorded = readAddress(paths.data)
  if (recorded === undefined || recorded.socket === paths.socket || !isOwn(recorded, paths.data)) return [paths]
  return paths.isSocketGiven ? [paths, recorded] : [recorded, paths]
}

/** Whether a recorded place is still this user's and this daemon's. */
function isOwn(place: Pick<Paths, 'socket' | 'runtime'>, data: string): boolean {
  try {
    return hasOwnSocket(place) && !isClaimedByOther(place.runtime, data)
  } catch {
    return false
  }
}

async function connectAt(path: string): Promise<Socket | undefined> {
  for (;;) {
    try {
      return await connect(path)
    } catch (error) {
      const code = systemCode(error)
      if (code !== undefined && notListening.has(code)) return undefined
      // EAGAIN: a unix socket's queue of connections is full (connect(2)); it empties as the daemon accepts.
      if (code !== 'EAGAIN') {
        throw new LocaldError('DAEMON_UNREACHABLE', `connecting to ${path} failed: ${code ?? error}`, {
          hint: 'Check that the socket and its folder are yours.',
          cause: error,
        })
      }
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
}
