import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, statSync } from 'node:fs'
import { endianness } from 'node:os'
import { basename, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Socket } from './network.ts'
import { parseSocket, parseSocketLink } from './network.ts'
import type { Stat } from './stat.ts'
import { parseMark, parsePageSize, parseStat, parseStatm } from './stat.ts'

/** Processes looked at before other work gets its turn. */
const chunk = 256

/** The kernel gives a page of a table at most, at a time: bytes. */
const blockSize = 4096

export const littleEndian = endianness() === 'LE'

/** One look at all processes, zombies included: by pid, and by parent. */
export interface Table {
  readonly processes: ReadonlyMap<number, Stat>
  readonly children: ReadonlyMap<number, readonly Stat[]>
}

/**
 * Reads of /proc. They are synchronous on purpose: the kernel answers them from memory in some 10 µs, a fifth of what
 * an asynchronous read costs. Walks over all processes give way to other work from time to time.
 */
export class Proc {
  readonly #root: string
  #boot: string | undefined
  #pageSize: number | undefined

  constructor(root: string) {
    this.#root = root
  }

  /** A file's text; undefined when it (or its process) is gone or not for us. */
  text(...path: string[]): string | undefined {
    try {
      return readFileSync(join(this.#root, ...path), 'utf8')
    } catch {
      return undefined
    }
  }

  stat(pid: number): Stat | undefined {
    const text = this.text(String(pid), 'stat')
    return text === undefined ? undefined : parseStat(text)
  }

  /** The inherited RLIMIT_RTTIME soft limit, decimal. */
  mark(pid: number): string | undefined {
    const text = this.text(String(pid), 'limits')
    return text === undefined ? undefined : parseMark(text)
  }

  /** Whether a process was given `NAME=value` when its program began. */
  isGiven(pid: number, variable: string): boolean {
    return `\0${this.text(String(pid), 'environ')}`.includes(`\0${variable}\0`)
  }

  /** Resident memory in bytes: in all, and the part that other processes may share. */
  memory(pid: number): { readonly resident: number; readonly shared: number } {
    const pages = parseStatm(this.text(String(pid), 'statm') ?? '') ?? { resident: 0, shared: 0 }
    const size = this.#page()
    return { resident: pages.resident * size, shared: pages.shared * size }
  }

  /** Tells this boot from every other. */
  boot(): string {
    this.#boot ??= this.text('sys', 'kernel', 'random', 'boot_id')?.trim() ?? ''
    return this.#boot
  }

  /** The pid given out last (proc_loadavg(5)): while it stays, no process began. */
  newest(): string | undefined {
    return this.text('loadavg')?.trim().split(' ').at(-1)
  }

  async table(): Promise<Table> {
    const processes = new Map<number, Stat>()
    const children = new Map<number, Stat[]>()
    for await (const pid of this.pids()) {
      const stat = this.stat(pid)
      if (stat === undefined) continue
      processes.set(pid, stat)
      const siblings = children.get(stat.ppid)
      if (siblings === undefined) children.set(stat.ppid, [stat])
      else siblings.push(stat)
    }
    return { processes, children }
  }

  /**
   * What to call a process: its command, but the program's name where newer Nodes show the name of their main thread.
   */
  name({ pid, comm }: Stat): string {
    if (!comm.endsWith('MainThread')) return comm
    return basename(this.#link(join(this.#root, String(pid), 'exe')) ?? comm).replace(/ \(deleted\)$/, '')
  }

  /** The pids there are, with a pause after each chunk. */
  async *pids(): AsyncGenerator<number> {
    let count = 0
    for (const name of readdirSync(this.#root)) {
      const pid = Number(name)
      if (!Number.isInteger(pid)) continue
      count += 1
      if (count % chunk === 0) await setImmediate()
      yield pid
    }
  }

  /** Every listening TCP socket of our network namespace. */
  listening(): readonly Socket[] {
    return ['tcp', 'tcp6'].flatMap(table => [...this.#lines(table)]).flatMap(listener)
  }

  /**
   * One of the listening sockets that a connection to a loopback address and port reaches; others of that address are of the same user
   * (SO_REUSEPORT). Reads no further than it has to: a whole table costs milliseconds, however few sockets there are.
   */
  reached(address: string, port: number): Socket | undefined {
    // The most specific one gets it; `::` is for both families.
    const places = address.includes(':') ? [address, '::'] : [address, '0.0.0.0', '::']
    const found = new Map<string, Socket>()
    const local = `:${port.toString(16).toUpperCase().padStart(4, '0')} `
    for (const table of address.includes(':') ? ['tcp6'] : ['tcp', 'tcp6']) {
      for (const line of this.#lines(table)) {
        if (!line.includes(local)) continue
        const [socket] = listener(line)
        if (socket?.port !== port) continue
        if (socket.address === address) return socket
        found.set(socket.address, socket)
      }
    }
    return places.map(place => found.get(place)).find(socket => socket !== undefined)
  }

  /**
   * The lines of a table of sockets, a block at a time, up to one with sockets that are connected: the kernel shows those that listen
   * before all others (tcp_seq_start), of which there may be ten thousands.
   */
  *#lines(table: string): Generator<string> {
    let fd: number | undefined
    try {
      fd = openSync(join(this.#root, 'net', table), 'r')
      const block = Buffer.alloc(blockSize)
      let rest = ''
      for (let length = readSync(fd, block); length > 0; length = readSync(fd, block)) {
        const lines = (rest + block.toString('latin1', 0, length)).split('\n')
        rest = lines.pop() ?? ''
        yield* lines
        if (parseSocket(lines.at(-1) ?? '', littleEndian)?.listens === false) return
      }
    } catch {
      // There is no IPv6, or no /proc.
    } finally {
      if (fd !== undefined) closeSync(fd)
    }
  }

  /** Inodes of the sockets a process holds; empty when it is not ours to look into. */
  sockets(pid: number): Set<string> {
    const inodes = new Set<string>()
    const folder = join(this.#root, String(pid), 'fd')
    try {
      for (const fd of readdirSync(folder)) {
        const inode = parseSocketLink(this.#link(join(folder, fd)) ?? '')
        if (inode !== undefined) inodes.add(inode)
      }
    } catch {}
    return inodes
  }

  /** The uid that a process runs as; undefined when it has ended. */
  owner(pid: number): number | undefined {
    return statSync(join(this.#root, String(pid)), { throwIfNoEntry: false })?.uid
  }

  /** A descriptor may be closed between the listing and the look at it. */
  #link(path: string): string | undefined {
    try {
      return readlinkSync(path)
    } catch {
      return undefined
    }
  }

  #page(): number {
    if (this.#pageSize === undefined) {
      try {
        this.#pageSize = parsePageSize(readFileSync(join(this.#root, 'self', 'auxv')), littleEndian)
      } catch {
        this.#pageSize = 4096
      }
    }
    return this.#pageSize
  }
}

/** The socket of a line, if it listens. */
function listener(line: string): readonly Socket[] {
  const socket = parseSocket(line, littleEndian)
  return socket?.listens ? [socket] : []
}
