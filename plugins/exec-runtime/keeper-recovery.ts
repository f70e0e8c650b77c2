import { setTimeout as pause } from 'node:timers/promises'
import type { ProcessTable } from '../../kernel/contract/plugin.ts'
import { KeeperConnection, type KeeperEvent } from './keeper-connection.ts'
import { rebindSockets } from './keeper-sockets.ts'
import type { KeeperState } from './keeper-state.ts'

/** A keeper answers at once, unless it is stopped or of a version with other events: ms. */
const answerMs = 2000

/** Pause before a reconnect: ms. */
const reconnectMs = 20
/** A keeper that exits has no socket for a moment; a reconnect is tried for this long: ms. */
const unreachableMs = 5000
/** A process that was found by its keeper's socket alone. */
export interface Recovered {
  readonly state: KeeperState
  readonly connection: KeeperConnection
}

/**
 * Reconstructs a process's state from what another version left, in whatever shape, by asking its keeper. Undefined
 * when the state names no keeper, or when the keeper does not answer within `limitMs`.
 */
export async function recoverProcess(
  state: unknown,
  table: ProcessTable,
  limitMs = answerMs,
): Promise<Recovered | undefined> {
  const socket = textAt(state, 'socket')
  if (socket?.startsWith('/') !== true || !socket.endsWith('.s')) return undefined
  const connection = await KeeperConnection.open(socket)
  if (connection === undefined) return undefined
  connection.send('state')
  const answer = await Promise.race([connection.next('state'), pause(limitMs, undefined, { ref: false })])
  const found = answer === undefined ? undefined : await stateFrom(answer, state, socket, table)
  if (found === undefined) connection.close()
  return found === undefined ? undefined : { state: found, connection }
}

async function stateFrom(
  answer: KeeperEvent,
  state: unknown,
  socket: string,
  table: ProcessTable,
): Promise<KeeperState | undefined> {
  const [pid, keeper] = [Number(answer['pid']), Number(answer['keeper'])]
  const [keeperStart, mainStart = ''] = await Promise.all([table.start(keeper), table.start(pid)])
  if (keeperStart === undefined) return undefined
  const base = socket.slice(0, -'.s'.length)
  const earlier = valueAt(state, 'tree')
  const [mark, cgroup] = [textAt(earlier, 'mark'), textAt(earlier, 'cgroup')]
  const tree = {
    ...{ keeper, pid, pgid: pid },
    ...(mark === undefined ? {} : { mark }),
    variable: `NOTIFY_SOCKET=${base}.n`,
    ...(cgroup === undefined || answer['cgroup'] !== true ? {} : { cgroup }),
    startedMs: Number(answer['startedMs']),
    starts: { keeper: keeperStart, main: mainStart },
  }
  return { socket, exitFile: textAt(state, 'exitFile') ?? `${base}.x`, tree }
}

function valueAt(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
}

function textAt(value: unknown, key: string): string | undefined {
  const text = valueAt(value, key)
  return typeof text === 'string' ? text : undefined
}

/**
 * Reconnects to a keeper while it runs; undefined when it has exited. A keeper whose socket was deleted is asked to
 * bind it again; one that stays unreachable cannot be controlled and is killed.
 */
export async function reconnect(state: KeeperState, table: ProcessTable): Promise<KeeperConnection | undefined> {
  const end = performance.now() + unreachableMs
  for (let tries = 0; ; tries++) {
    // It may have been refused, as a keeper accepts few connections: a retry needs a pause.
    await pause(reconnectMs)
    const isAlive = await table.start(state.tree.keeper).then(
      start => start === state.tree.starts.keeper,
      // A table that fails, as `ps` may on a busy Mac, does not mean that the keeper has exited.
      () => true,
    )
    // One more attempt for a keeper that has just exited.
    const connection = await KeeperConnection.open(state.socket)
    if (connection !== undefined) return connection
    if (!isAlive) return undefined
    if (tries === 0) await rebindSockets(state, table)
    if (performance.now() > end) await killKeeper(state, table)
  }
}

/** Kills a keeper that does not respond; its processes are swept afterwards. */
export async function killKeeper({ tree }: KeeperState, table: ProcessTable): Promise<void> {
  try {
    if ((await table.start(tree.keeper)) === tree.starts.keeper) process.kill(tree.keeper, 'SIGKILL')
  } catch {
    // It has just exited.
  }
}
