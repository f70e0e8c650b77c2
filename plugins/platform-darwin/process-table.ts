import { setTimeout } from 'node:timers/promises'
import {
  isAnswered,
  type Listener,
  type ProcessInfo,
  type ProcessTable,
  type ProcessTree,
  type Usage,
} from '../../kernel/contract/plugin.ts'
import { systemCode } from '../../kernel/errors.ts'
import type { Tools } from './commands.ts'
import type { Socket } from './lsof.ts'
import { findRemaining, keyOf, membersOf, tokenOf } from './process-tree.ts'
import type { Row } from './ps.ts'

const sweepMs = 2000
const sweepStepMs = 50

/**
 * The machine's processes as `ps` and `lsof` show them.
 *
 * A start token is the second in which a process was started: macOS assigns pids in turn, so that one is reused within
 * that second only when some 99 000 processes are started in it.
 *
 * A tree has the descendants of its keeper or main process, and the main process's group with its descendants. macOS
 * has neither subreapers nor a mark that children inherit, so `members` loses a process that leaves the group and whose
 * parent exits. A sweep still finds it if it was seen earlier, if it (without a terminal) listens on the service's
 * port, or if `ps -E` shows the service's variable. It does not find a double-forked daemon in a session of its own
 * that was never seen, listens nowhere, or elsewhere, and runs with another environment or is a program of Apple's.
 */
export class DarwinProcessTable implements ProcessTable {
  readonly orphansReturn = false
  readonly #tools: Pick<Tools, 'ps' | 'lsof' | 'given'>

  constructor(tools: Pick<Tools, 'ps' | 'lsof' | 'given'>) {
    this.#tools = tools
  }

  async start(pid: number): Promise<string | undefined> {
    const row = (await this.#tools.ps()).find(row => row.pid === pid)
    return row === undefined || row.zombie ? undefined : tokenOf(row)
  }

  async members(tree: ProcessTree): Promise<readonly ProcessInfo[]> {
    return membersOf(await this.#tools.ps(), tree).map(row => ({ pid: row.pid, ppid: row.ppid, start: tokenOf(row) }))
  }

  /**
   * Sums over the members. Pages that they share count for each, and the time of an exited one is missing, as `ps`
   * shows neither.
   */
  async usage(trees: readonly ProcessTree[]): Promise<readonly Usage[]> {
    const rows = await this.#tools.ps()
    return trees.map(tree =>
      membersOf(rows, tree).reduce(
        (sum, { cpuMs, memory }) => ({ cpuMs: sum.cpuMs + cpuMs, memory: sum.memory + memory }),
        {
          cpuMs: 0,
          memory: 0,
        },
      ),
    )
  }

  async listeners(pids: readonly number[]): Promise<readonly Listener[]> {
    if (pids.length === 0) return []
    const wanted = new Set(pids)
    const found = (await this.#tools.lsof()).filter(({ pid }) => wanted.has(pid))
    // One socket may be open under several descriptors.
    return [
      ...new Map(found.map(({ pid, address, port }) => [`${pid} ${address} ${port}`, { pid, address, port }])).values(),
    ]
  }

  /** Processes of other users are invisible. */
  async holder(port: number): Promise<string | undefined> {
    const found = (await this.#tools.lsof()).filter(socket => socket.port === port)
    return nameOf(found)
  }

  async freeing(port: number): Promise<string | undefined> {
    const isAirPlay = (await this.#tools.lsof()).some(socket => socket.port === port && isAirPlayReceiver(socket))
    return isAirPlay ? 'Turn off AirPlay Receiver in System Settings › General › AirDrop & Handoff' : undefined
  }

  async overshadowed(port: number): Promise<string | undefined> {
    const isOther = ({ pid, address }: Socket) => pid !== process.pid && (address === '0.0.0.0' || address === '::')
    return nameOf((await this.#tools.lsof()).filter(socket => socket.port === port && isOther(socket)))
  }

  /** Processes of other users are invisible: one beside ours on the same port is missed. */
  async owns(port: number): Promise<boolean> {
    return (await this.#tools.lsof()).some(socket => socket.port === port)
  }

  /** Processes of other users are invisible. */
  async reachesOtherUser(): Promise<boolean> {
    return false
  }

  async sweep(tree: ProcessTree, seen: readonly ProcessInfo[]): Promise<number> {
    const killed = new Set<string>()
    const refused = new Set<string>()
    const deadline = performance.now() + sweepMs
    for (let pause = 1; ; pause = Math.min(pause * 2, sweepStepMs)) {
      const left = (await this.#findRemaining(tree, seen)).filter(row => !refused.has(keyOf(row)))
      for (const row of left) {
        const result = kill(row.pid)
        if (result !== 'exited') (result === 'killed' ? killed : refused).add(keyOf(row))
      }
      if (left.length === 0 || performance.now() > deadline) return killed.size
      await setTimeout(pause)
    }
  }

  /** Runs the programs in parallel: `lsof` is the slowest, and seldom needed. */
  async #findRemaining(tree: ProcessTree, seen: readonly ProcessInfo[]): Promise<readonly Row[]> {
    const { port, variable } = tree
    const [rows, sockets, given] = await Promise.all([
      this.#tools.ps(),
      port === undefined ? [] : this.#listening(port),
      variable === undefined ? new Set<number>() : this.#tools.given(variable),
    ])
    return findRemaining({ rows, sockets, given }, tree, seen)
  }

  /**
   * Returns the listeners if one has the port: a refused connection spares `lsof`, which takes up to seconds on a busy
   * Mac.
   */
  async #listening(port: number): Promise<readonly Socket[]> {
    const held = await Promise.all(['127.0.0.1', '::1'].map(address => isAnswered(address, port)))
    return held.includes(true) ? await this.#tools.lsof() : []
  }
}

/** Returns the process with the lowest pid: workers inherit a socket. */
function nameOf(sockets: readonly Socket[]): string | undefined {
  const [lowest] = sockets.toSorted((a, b) => a.pid - b.pid)
  if (lowest === undefined) return undefined
  const { command, pid } = lowest
  return isAirPlayReceiver(lowest) ? `AirPlay Receiver of macOS (${command}, pid ${pid})` : `${command} (pid ${pid})`
}

/**
 * Control Centre listens on these for it, on all addresses, since macOS 12; Werkzeug's serving.py also mentions 5000.
 */
function isAirPlayReceiver({ command, port }: Socket): boolean {
  return command === 'ControlCenter' && (port === 5000 || port === 7000)
}

function kill(pid: number): 'killed' | 'exited' | 'refused' {
  try {
    process.kill(pid, 'SIGKILL')
    return 'killed'
  } catch (error) {
    return systemCode(error) === 'ESRCH' ? 'exited' : 'refused'
  }
}
