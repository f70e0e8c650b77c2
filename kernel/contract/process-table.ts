/** A process seen by the table. `start` tells it from any later process with the same pid. */
export interface ProcessInfo {
  readonly pid: number
  readonly ppid: number
  readonly start: string
}

/** A supervised tree: its keeper, main process, inherited mark (Linux) and terminal. */
export interface ProcessTree {
  readonly keeper: number
  readonly pid: number
  /** Decimal unsigned 64-bit value every process of the tree inherited as its RLIMIT_RTTIME soft limit, where the platform has one. */
  readonly mark?: string
  /** `NAME=value` that every process of the tree was given in its environment, and no other. */
  readonly variable?: string
  readonly pgid: number
  /** Port leased to the service. */
  readonly port?: number
  /** When it was started, ms since the epoch. */
  readonly startedMs: number
  /** Start tokens of the keeper and the main process, empty where one had ended at once: what else has their pids is a stranger. */
  readonly starts?: { readonly keeper: string; readonly main: string }
}

/** CPU time since start in ms, resident memory in bytes. */
export interface Usage {
  readonly cpuMs: number
  readonly memory: number
}

/** A listening TCP socket. */
export interface Listener {
  readonly pid: number
  readonly address: string
  readonly port: number
}

/** The machine's processes, as the platform shows them. A zombie counts as gone. */
export interface ProcessTable {
  /** Whether a keeper gets the orphans of its service back and a mark is inherited (Linux); else it knows those that it has seen. */
  readonly orphansReturn: boolean
  /** The start token of a live process: never trust a pid without it. */
  start(pid: number): Promise<string | undefined>
  /** All live processes of a tree, keeper not included. */
  members(tree: ProcessTree): Promise<readonly ProcessInfo[]>
  /** One usage for each tree, in order; one look at the table for all. */
  usage(trees: readonly ProcessTree[]): Promise<readonly Usage[]>
  /** What the given processes listen on. */
  listeners(pids: readonly number[]): Promise<readonly Listener[]>
  /** Who listens on a port of this machine, if it can be told: "node (pid 123)". */
  holder(port: number): Promise<string | undefined>
  /** How a part of the system is made to let go of a port, as an imperative without its full stop; undefined where none has it. */
  freeing?(port: number): Promise<string | undefined>
  /**
   * Who, other than this process, listens on a port of all addresses at once: where the system allows that beside a listener on
   * loopback (XNU), which then gets all connections there. Absent where it does not.
   */
  overshadowed?(port: number): Promise<string | undefined>
  /** Whether something listens on a port of this machine, and all that does is this user's. */
  owns(port: number): Promise<boolean>
  /**
   * Whether a connection to a loopback address and port would reach a process of another user, who is neither root nor one that a process of
   * the tree runs as. False where that is not known.
   */
  isStrangers(place: Omit<Listener, 'pid'>, tree: ProcessTree): Promise<boolean>
  /** Kills (SIGKILL) what is left of a tree whose keeper is gone: by mark or variable, and the given earlier members whose start token still fits. The number killed. */
  sweep(tree: ProcessTree, seen: readonly ProcessInfo[]): Promise<number>
}
