import { constants } from 'node:os'
import type {
  Exit,
  Instance,
  InstanceEvent,
  Log,
  LogSink,
  ProcessInfo,
  ProcessTable,
  ProcessTree,
  TerminalConnection,
  TerminalSize,
} from '../../kernel/contract/plugin.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Cgroups } from '../platform-linux/provides.ts'
import { setAwakeTimeout } from './awake-timer.ts'
import { exitOf, readExit } from './exit-record.ts'
import type { KeeperConnection, KeeperEvent } from './keeper-connection.ts'
import { killKeeper, reconnect } from './keeper-recovery.ts'
import { restoreSockets } from './keeper-sockets.ts'
import type { KeeperState } from './keeper-state.ts'
import { openTerminal } from './keeper-terminal.ts'

/** What an instance needs. */
export interface KeeperProcessInput {
  /** Undefined: the keeper could not be reached yet, or has exited. */
  readonly connection: KeeperConnection | undefined
  /** Adopted from an earlier daemon: the keeper is asked for its state. */
  readonly isAdopted: boolean
  readonly state: KeeperState
  readonly log: LogSink
  readonly table: ProcessTable
  readonly cgroups: Cgroups | undefined
  readonly warn: Log['warn']
}

/**
 * A keeper that does not stop its process within this time after the grace period does not respond (it may be stopped,
 * or traced): ms.
 */
const unresponsiveMs = 10_000
/** How often a chatty service's keeper is asked about its log: ms. */
const pokeDelayMs = 10
/** Events that are kept for late listeners. */
const maxEvents = 100

/** A process with a keeper. */
export class KeeperProcess implements Instance {
  readonly pid: number
  readonly startedMs: number
  readonly exited: Promise<Exit>
  readonly state: KeeperState
  readonly #input: KeeperProcessInput
  #connection: KeeperConnection | undefined
  readonly #events: InstanceEvent[] = []
  readonly #listeners = new Set<(event: InstanceEvent) => void>()
  /** Commands that are sent again after a reconnect. */
  readonly #commands: string[] = []
  #main: Exit | undefined
  #isReady = false
  #isFollowed = false
  /** Members that were found before a stop, for the sweep after it. */
  #seen: readonly ProcessInfo[] = []

  constructor(input: KeeperProcessInput) {
    const { state, log } = input
    this.#input = input
    this.pid = state.tree.pid
    this.startedMs = state.tree.startedMs
    this.state = state
    this.exited = this.#supervise()
    const off = log.onFollowed(now => {
      this.#isFollowed = now
      if (now) this.#connection?.send('poke')
    })
    void this.exited.then(() => {
      off()
      log.changed()
    })
  }

  get tree(): ProcessTree {
    return this.state.tree
  }

  on(listener: (event: InstanceEvent) => void): () => void {
    for (const event of this.#events) listener(event)
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async stop({ signal, graceMs }: { signal: string; graceMs: number }): Promise<void> {
    const { table } = this.#input
    // Without subreapers, a process that left the tree is found only if it was seen before.
    this.#seen = table.orphansReturn ? [] : await table.members(this.tree).catch(() => [])
    const grace = graceOf(graceMs)
    const isFirst = this.#commands.length === 0
    const sentAt = performance.now()
    this.#sendCommand(`stop ${signalNumber(signal)} ${grace}`)
    const cancel = setAwakeTimeout(grace + unresponsiveMs, () => void killKeeper(this.state, table))
    const exit = await this.exited
    const wasLate =
      grace > 0 && signal !== 'SIGKILL' && exit.signal === 'SIGKILL' && performance.now() - sentAt >= grace
    if (isFirst && wasLate)
      this.#input.log.write('locald', `did not exit within ${grace / 1000} s of ${signal} and was killed`)
    cancel()
    // The process exited before its members were found.
    if (this.#seen.length > 0) await this.#sweep(true)
  }

  finish(): void {
    this.#sendCommand('finish')
  }

  async openTerminal(size: TerminalSize): Promise<TerminalConnection | undefined> {
    const opened = await openTerminal(this.state.socket, size)
    if (opened === undefined) return undefined
    return { ...opened, resize: ({ cols, rows }) => this.#connection?.send(`resize ${cols} ${rows}`) }
  }

  /** Makes the keeper bind missing sockets again. */
  restore(): Promise<void> {
    return restoreSockets(this.state, this.#input.table)
  }

  #sendCommand(command: string): void {
    this.#commands.push(command)
    this.#connection?.send(command)
  }

  /**
   * Follows the keeper until it exits. The exit is the keeper's last event, else its exit record; a killed keeper
   * leaves neither.
   */
  async #supervise(): Promise<Exit> {
    const { state, log, table } = this.#input
    let exit: Exit | undefined
    let connection = this.#input.connection ?? (await reconnect(state, table))
    const wasConnected = connection !== undefined
    for (let isAdopted = this.#input.isAdopted; connection !== undefined && exit === undefined; isAdopted = true) {
      exit = await this.#follow(connection, isAdopted)
      connection = exit === undefined ? await reconnect(state, table) : undefined
    }
    this.#connection = undefined
    exit ??= await readExit(state.exitFile)
    const wasKilled = exit === undefined
    if (wasKilled) log.write('locald', 'keeper was killed, and the process with it')
    // A keeper that exits normally leaves no process, except those that it cannot see without subreapers.
    if (wasKilled || !table.orphansReturn) await this.#sweep(wasConnected)
    await this.#leaveCgroup()
    return exit ?? this.#main ?? { code: null, signal: 'SIGKILL' }
  }

  /** Resolves with the exit; undefined when the connection is lost. */
  #follow(connection: KeeperConnection, isAdopted: boolean): Promise<Exit | undefined> {
    this.#connection = connection
    if (isAdopted) connection.send('state')
    for (const command of this.#commands) connection.send(command)
    if (this.#isFollowed) connection.send('poke')
    return new Promise(resolve => {
      connection.on(event => {
        if (event.event === 'exit') resolve(exitOf(event))
        else this.#handle(connection, event)
      })
      void connection.closed.then(() => resolve(undefined))
    })
  }

  #handle(connection: KeeperConnection, event: KeeperEvent): void {
    if (event.event === 'notify') this.#handleNotice(event)
    else if (event.event === 'main') this.#handleMain(event, event['left'])
    else if (event.event === 'log') {
      this.#input.log.changed()
      // A keeper reports one write after each poke, also one that came before it: a late poke misses nothing.
      if (this.#isFollowed) setTimeout(() => this.#isFollowed && connection.send('poke'), pokeDelayMs).unref()
    } else if (event.event === 'state') {
      const { main, notify, left } = event
      if (isRecord(notify) && !this.#isReady && notify['ready'] === true) this.#handleNotice(notify)
      if (isRecord(main) && this.#main === undefined) this.#handleMain(main, left)
    }
  }

  #handleNotice({ ready, stopping, status, pid }: Readonly<Record<string, unknown>>): void {
    this.#isReady ||= ready === true
    this.#emit({
      event: 'notify',
      ready: ready === true,
      stopping: stopping === true,
      status: typeof status === 'string' ? status : null,
      pid: typeof pid === 'number' ? pid : 0,
    })
  }

  #handleMain(main: Readonly<Record<string, unknown>>, left: unknown): void {
    this.#main = exitOf(main)
    this.#emit({ event: 'main', exit: this.#main, left: typeof left === 'number' ? left : 0 })
  }

  #emit(event: InstanceEvent): void {
    this.#events.push(event)
    if (this.#events.length > maxEvents) this.#events.splice(0, 1)
    for (const listener of [...this.#listeners]) listener(event)
  }

  /** Kills the processes that are still in its cgroup, which they cannot leave. */
  async #leaveCgroup(): Promise<void> {
    const { cgroups, warn } = this.#input
    const { cgroup } = this.tree
    if (cgroup !== undefined) await cgroups?.remove(cgroup).catch(error => warn(messageOf(error)))
  }

  /** @param isPortOurs false when the process exited at an unknown time: another program may use the port by now */
  async #sweep(isPortOurs: boolean): Promise<void> {
    const { table, state, warn } = this.#input
    const { port, ...others } = this.tree
    const tree = isPortOurs && port !== undefined ? { ...others, port } : others
    const seen = this.#seen
    this.#seen = []
    const main = { pid: this.pid, ppid: this.tree.keeper, start: state.tree.starts.main }
    try {
      await table.sweep(tree, [main, ...seen])
    } catch (error) {
      warn(`could not stop the remaining processes of pid ${this.pid}: ${messageOf(error)}`)
    }
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** Returns the platform's number of a signal; SIGTERM's for an unknown name. */
export function signalNumber(name: string): number {
  return new Map<string, number>(Object.entries(constants.signals)).get(name) ?? constants.signals.SIGTERM
}

/** Returns a grace period as keepers accept it: whole ms, a day at most. */
export function graceOf(ms: number): number {
  return Math.min(24 * 60 * 60 * 1000, Math.max(0, Math.round(ms)))
}
