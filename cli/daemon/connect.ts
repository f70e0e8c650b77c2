import type { Socket } from 'node:net'
import { LocaldError, systemCode } from '../../kernel/errors.ts'
import { hasOwnSocket, isOthers, mayRun, type Paths, readPlace } from '../../kernel/system/paths.ts'
import { connect } from './http.ts'

// Not by import, which reads all of node:fs.
const { existsSync, utimesSync } = process.getBuiltinModule('node:fs')

/** The daemon did not listen; its socket's path is in use by nobody. ECONNRESET: it ended with us in its queue. */
const nobody = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET'])
/** A daemon whose socket was removed binds it again within so long: ms. */
const bindMs = 1000
/** Between two looks for its socket: ms. */
const stepMs = 20

/** As `reach`. A daemon that runs, but whose socket was just removed, is woken and waited for. */
export async function meet(paths: Paths): Promise<Socket | undefined> {
  return (await reach(paths)) ?? (await reachAgain(paths))
}

/** Apart, as few commands need a clock, which Node loads in a millisecond. */
async function reachAgain(paths: Paths): Promise<Socket | undefined> {
  const isExpected = () => {
    const place = readPlace(paths.data)
    return place !== undefined && mayRun(paths.data, place)
  }
  if (!isExpected()) return undefined
  for (const end = performance.now() + bindMs; isExpected() && performance.now() < end; ) {
    wake(paths)
    await new Promise(resolve => setTimeout(resolve, stepMs))
    const socket = await reach(paths)
    if (socket !== undefined) return socket
  }
  return undefined
}

/** Has a daemon whose socket is missing look after it: it watches the file of its lock. */
export function wake({ lock }: Paths): void {
  const now = new Date()
  try {
    utimesSync(lock, now, now)
  } catch (error) {
    // Its removal has woken the daemon, if there is one.
    if (systemCode(error) !== 'ENOENT') throw error
  }
}

/**
 * Whether a daemon may listen that refused: macOS refuses connections while a unix socket's queue of them is full (xnu-11417.101.15,
 * bsd/kern/uipc_usrreq.c unp_connect), where Linux says EAGAIN. One that has ended has removed its socket.
 */
export function mayListen({ data }: Pick<Paths, 'data'>): boolean {
  const place = readPlace(data)
  return place !== undefined && existsSync(place.socket) && mayRun(data, place)
}

/**
 * Connects; undefined when no one listens. The folder and the socket must be the caller's own: whoever listens gets the caller's
 * environment and says what to run. Throws PATHS_UNUSABLE.
 */
export async function reach(paths: Paths): Promise<Socket | undefined> {
  for (const place of placesOf(paths)) {
    const socket = hasOwnSocket(place) ? await reachAt(place.socket) : undefined
    if (socket !== undefined) return socket
  }
  return undefined
}

/** Where the daemon of this data folder says that it is goes first, unless LOCALD_SOCKET names another place. */
function placesOf(paths: Paths): readonly Pick<Paths, 'socket' | 'runtime'>[] {
  const recorded = readPlace(paths.data)
  if (recorded === undefined || recorded.socket === paths.socket || !isOwn(recorded, paths.data)) return [paths]
  return paths.isSocketGiven ? [paths, recorded] : [recorded, paths]
}

/** A place that was left may be another user's by now, or another daemon's. */
function isOwn(place: Pick<Paths, 'socket' | 'runtime'>, data: string): boolean {
  try {
    return hasOwnSocket(place) && !isOthers(place.runtime, data)
  } catch {
    return false
  }
}

async function reachAt(path: string): Promise<Socket | undefined> {
  for (;;) {
    try {
      return await connect(path)
    } catch (error) {
      const code = systemCode(error)
      if (code !== undefined && nobody.has(code)) return undefined
      // EAGAIN: a unix socket's queue of connections is full (connect(2)); it empties as the daemon accepts.
      if (code !== 'EAGAIN') {
        throw new LocaldError('DAEMON_UNREACHABLE', `cannot connect to ${path}: ${code ?? error}`, {
          hint: 'Check that the socket and its folder are yours.',
          cause: error,
        })
      }
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
}
