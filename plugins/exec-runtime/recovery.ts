import type { ProcessTable } from '../../kernel/plugin.ts'
import type { HeldState } from './held.ts'
import { KeeperLink } from './link.ts'

/** A process that was found by its keeper's socket alone. */
export interface Recovered {
  readonly state: HeldState
  readonly link: KeeperLink
}

/**
 * Puts together what this version needs of a process from the state that another version left, in whatever shape: its keeper is asked.
 * Undefined when that names no keeper, or it does not answer.
 */
export async function recoverHeld(state: unknown, table: ProcessTable): Promise<Recovered | undefined> {
  const socket = textAt(state, 'socket')
  if (socket?.startsWith('/') !== true || !socket.endsWith('.s')) return undefined
  const link = await KeeperLink.open(socket)
  link?.send('state')
  const answer = await link?.next('state')
  if (link === undefined || answer === undefined) return undefined
  const [pid, keeper] = [Number(answer['pid']), Number(answer['keeper'])]
  const [keeperStart, mainStart = ''] = await Promise.all([table.start(keeper), table.start(pid)])
  if (keeperStart === undefined) return undefined
  const base = socket.slice(0, -'.s'.length)
  const known = valueAt(state, 'tree')
  const [mark, cgroup] = [textAt(known, 'mark'), textAt(known, 'cgroup')]
  const tree = {
    ...{ keeper, pid, pgid: pid },
    ...(mark === undefined ? { variable: `NOTIFY_SOCKET=${base}.n` } : { mark }),
    ...(cgroup === undefined || answer['cgroup'] !== true ? {} : { cgroup }),
    startedMs: Number(answer['startedMs']),
    starts: { keeper: keeperStart, main: mainStart },
  }
  return { state: { socket, exitFile: textAt(state, 'exitFile') ?? `${base}.x`, tree }, link }
}

function valueAt(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
}

function textAt(value: unknown, key: string): string | undefined {
  const text = valueAt(value, key)
  return typeof text === 'string' ? text : undefined
}
