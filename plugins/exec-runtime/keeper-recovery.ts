import { setTimeout as pause } from 'node:timers/promises'
import type { ProcessTable } from '../../kernel/contract/plugin.ts'
import type { HeldState } from './held-state.ts'
import { type KeeperEvent, KeeperLink } from './keeper-connection.ts'
import { bindAgain } from './keeper-sockets.ts'

/** A keeper answers at once, but not one that is stopped, or of a version with other events: ms. */
const answerMs = 2000

/** Before a lost connection is made anew: ms. */
const reconnectMs = 20
/** A keeper that ends is without its socket for a moment; for so long one is waited for: ms. */
const unreachableMs = 5000
/** A process that was found by its keeper's socket alone. */
export interface Recovered {
  readonly state: HeldState
  readonly link: KeeperLink
}

/**
 * Puts together what this version needs of a process from the state that another version left, in whatever shape: its keeper is asked.
 * Undefined when that names no keeper, or it does not answer within `limitMs`.
 */
export async function recoverHeld(
  state: unknown,
  table: ProcessTable,
  limitMs = answerMs,
): Promise<Recovered | undefined> {
  const socket = textAt(state, 'socket')
  if (socket?.startsWith('/') !== true || !socket.endsWith('.s')) return undefined
  const link = await KeeperLink.open(socket)
  if (link === undefined) return undefined
  link.send('state')
  const answer = await Promise.race([link.next('state'), pause(limitMs, undefined, { ref: false })])
  const found = answer === undefined ? undefined : await stateFrom(answer, state, socket, table)
  if (found === undefined) link.close()
  return found === undefined ? undefined : { state: found, link }
}

async function stateFrom(
  answer: KeeperEvent,
  state: unknown,
  socket: string,
  table: ProcessTable,
): Promise<HeldState | undefined> {
  const [pid, keeper] = [Number(answer['pid']), Number(answer['keeper'])]
  const [keeperStart, mainStart = ''] = await Promise.all([table.start(keeper), table.start(pid)])
  if (keeperStart === undefined) return undefined
  const base = socket.slice(0, -'.s'.length)
  const known = valueAt(state, 'tree')
  const [mark, cgroup] = [textAt(known, 'mark'), textAt(known, 'cgroup')]
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
 * Connects to a keeper again, as long as it lives; undefined when it does not. One whose socket was removed is asked to bind it again; one
 * that cannot be reached all the same can be told nothing any more: it is killed.
 */
export async function reconnect(state: HeldState, table: ProcessTable): Promise<KeeperLink | undefined> {
  const end = performance.now() + unreachableMs
  for (let tries = 0; ; tries++) {
    // It may have been refused, for a keeper has room for a few: that must not go round without a rest.
    await pause(reconnectMs)
    const lives = await table.start(state.tree.keeper).then(
      start => start === state.tree.starts.keeper,
      // A table that gives no answer, as `ps` may on a busy Mac, does not say that it is gone.
      () => true,
    )
    // Once more, when it was just now still there.
    const link = await KeeperLink.open(state.socket)
    if (link !== undefined) return link
    if (!lives) return undefined
    if (tries === 0) await bindAgain(state, table)
    if (performance.now() > end) await killKeeper(state, table)
  }
}

/** Ends a keeper that does not do as it is told: what it held is swept then. */
export async function killKeeper({ tree }: HeldState, table: ProcessTable): Promise<void> {
  try {
    if ((await table.start(tree.keeper)) === tree.starts.keeper) process.kill(tree.keeper, 'SIGKILL')
  } catch {
    // It has just ended.
  }
}
