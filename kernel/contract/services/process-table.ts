/** A process in the table. Its start token distinguishes it from later processes with the same pid. */
export interface ProcessInfo {
  readonly pid: number
  readonly ppid: number
  readonly start: string
}

/** A supervised tree: its keeper, main process, inherited mark and terminal. */
export interface ProcessTree {
  readonly keeper: number
  readonly pid: number
  /**
   * Decimal unsigned 64-bit value every process of the tree inherited as its RLIMIT_RTTIME soft limit, where the
   * platform has one.
   */
  readonly mark?: string
  /** `NAME=value` that every process of the tree has in its environment, and no other process. */
  readonly variable?: string
  readonly pgid: number
  /** Port leased to the service. */
  readonly port?: number
  /** When it was started, ms since the epoch. */
  readonly startedMs: number
  /**
   * Start tokens of the keeper and the main process, empty if it exited at once: other processes with their pids are
   * not theirs.
   */
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

/** A TCP connection of a process, as that process sees it. Addresses as `node:net` writes them. */
export interface Connection {
  /** Position of its tree in the list that was given. */
  readonly tree: number
  readonly localAddress: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
}

/** Looks at the connections of process trees repeatedly, which costs less than each look for itself. */
export interface ConnectionWatch {
  /** Returns the open connections of all processes of the trees, in both directions. */
  look(trees: readonly ProcessTree[]): Promise<readonly Connection[]>
}

/** The machine's processes, as the platform shows them. A zombie counts as exited. */
export interface ProcessTable {
  /**
   * Whether the keeper becomes the parent of its service's orphans, and marks are inherited; else it knows only those
   * that it has seen.
   */
  readonly orphansReturn: boolean
  /** Returns the start token of a live process, not of a thread of the kernel: never trust a pid without it. */
  start(pid: number): Promise<string | undefined>
  /** Returns all live processes of a tree, without the keeper. */
  members(tree: ProcessTree): Promise<readonly ProcessInfo[]>
  /** Returns the present folder of a process, also of one that was moved; absent where the system does not show it. */
  folder?(pid: number): string | undefined
  /** Returns the usage of each tree, in order, from one read of the table. */
  usage(trees: readonly ProcessTree[]): Promise<readonly Usage[]>
  /** Returns the sockets on which the given processes listen. */
  listeners(pids: readonly number[]): Promise<readonly Listener[]>
  /** Returns the process that listens on a port, if it can be found: "node (pid 123)". */
  holder(port: number): Promise<string | undefined>
  /**
   * Returns how to free a port that a part of the system uses, in the imperative without a full stop; undefined for
   * other ports.
   */
  freeing?(port: number): Promise<string | undefined>
  /**
   * Returns the other process that listens on a port of all addresses at once, where the system allows that beside a
   * listener on loopback, which then gets all connections there. Absent where it does not.
   */
  overshadowed?(port: number): Promise<string | undefined>
  /** Returns whether processes listen on a port, and all of them are this user's. */
  owns(port: number): Promise<boolean>
  /**
   * Returns how many connections to each of the given ports are established, in order, no matter whose; absent where
   * that cannot be found out cheaply.
   */
  connections?(ports: readonly number[]): Promise<readonly number[]>
  /** Creates a watch of connections; absent where they cannot be found out cheaply. */
  watchConnections?(): ConnectionWatch
  /**
   * Returns whether a connection to a loopback address and port would reach a process of another user, who is neither
   * root nor one that a process of the tree runs as. False where that is not known.
   */
  reachesOtherUser(place: Omit<Listener, 'pid'>, tree: ProcessTree): Promise<boolean>
  /**
   * Kills (SIGKILL) the rest of a tree whose keeper has exited: processes with its mark or variable, and the given
   * earlier members whose start token still fits. Returns their number.
   */
  sweep(tree: ProcessTree, seen: readonly ProcessInfo[]): Promise<number>
}
