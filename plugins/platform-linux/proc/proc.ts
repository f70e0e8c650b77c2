import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, statSync } from 'node:fs'
import { endianness } from 'node:os'
import { basename, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Link, Socket } from './network.ts'
import { connectedPort, parseLink, parseSocket, parseSocketLink } from './network.ts'
import type { Stat } from './stat.ts'
import { parseMark, parsePageSize, parseStat, parseStatm } from './stat.ts'

/** Processes that a walk looks at before it yields. */
const chunk = 256

/** The kernel returns at most a page of a table at a time: bytes. */
const blockSize = 4096

export const littleEndian = endianness() === 'LE'

/** A snapshot of all processes, zombies included: by pid, and by parent. */
export interface Table {
  readonly processes: ReadonlyMap<number, Stat>
  readonly children: ReadonlyMap<number, readonly Stat[]>
}

/**
 * Reads /proc, synchronously on purpose: the kernel answers from memory in some 10 µs, a fifth of what an asynchronous
 * read costs. Walks over all processes yield from time to time.
 */
export class Proc {
  readonly #root: string
  #boot: string | undefined
  #pageSize: number | undefined

  constructor(root: string) {
    this.#root = root
  }

  /** Returns a file's text; undefined when it (or its process) does not exist or is not readable. */
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

  /** Returns the inherited RLIMIT_RTTIME soft limit, decimal. */
  mark(pid: number): string | undefined {
    const text = this.text(String(pid), 'limits')
    return text === undefined ? undefined : parseMark(text)
  }

  /** Returns whether a process was started with `NAME=value` in its environment. */
  isGiven(pid: number, variable: string): boolean {
    return `\0${this.text(String(pid), 'environ')}`.includes(`\0${variable}\0`)
  }

  /** Returns the folder of a process; undefined where it was deleted or is not readable. */
  folder(pid: number): string | undefined {
    try {
      const folder = readlinkSync(join(this.#root, String(pid), 'cwd'))
      return folder.endsWith(' (deleted)') ? undefined : folder
    } catch {
      return undefined
    }
  }

  /** Returns resident memory in bytes: in total, and the part that other processes may share. */
  memory(pid: number): { readonly resident: number; readonly shared: number } {
    const pages = parseStatm(this.text(String(pid), 'statm') ?? '') ?? { resident: 0, shared: 0 }
    const size = this.#page()
    return { resident: pages.resident * size, shared: pages.shared * size }
  }

  /** Returns the id of this boot. */
  boot(): string {
    this.#boot ??= this.text('sys', 'kernel', 'random', 'boot_id')?.trim() ?? ''
    return this.#boot
  }

  /** Returns the pid that was assigned last (proc_loadavg(5)): while it stays, no process started. */
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
   * Returns the name of a process: its command, or its program where newer Nodes show the name of their main thread.
   */
  name({ pid, comm }: Stat): string {
    if (!comm.endsWith('MainThread')) return comm
    return basename(this.#link(join(this.#root, String(pid), 'exe')) ?? comm).replace(/ \(deleted\)$/, '')
  }

  /** Yields all pids, with a pause after each chunk. */
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

  /** Returns every listening TCP socket of this network namespace. */
  listening(): readonly Socket[] {
    return ['tcp', 'tcp6'].flatMap(table => [...this.#lines(table)]).flatMap(listener)
  }

  /**
   * Returns one of the listening sockets that a connection to a loopback address and port reaches; others of that
   * address are of the same user (SO_REUSEPORT). Reads no further than necessary: a whole table costs milliseconds,
   * however few sockets it has.
   */
  reached(address: string, port: number): Socket | undefined {
    // The most specific one receives it; `::` is for both families.
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

  /** Counts the established connections to each of the ports, in order. */
  established(ports: readonly number[]): readonly number[] {
    const counts = new Map(ports.map(port => [port, 0]))
    for (const table of ['tcp', 'tcp6']) {
      for (const line of this.#lines(table, true)) {
        const port = connectedPort(line)
        const count = port === undefined ? undefined : counts.get(port)
        if (port !== undefined && count !== undefined) counts.set(port, count + 1)
      }
    }
    return ports.map(port => counts.get(port) ?? 0)
  }

  /** Returns both ends of the connected sockets among the given ones, by their inodes. */
  links(inodes: ReadonlySet<string>): ReadonlyMap<string, Link> {
    const found = new Map<string, Link>()
    for (const table of ['tcp', 'tcp6']) {
      for (const line of this.#lines(table, true)) {
        const link = parseLink(line, littleEndian, inodes)
        if (link === undefined) continue
        const { inode, ...ends } = link
        found.set(inode, ends)
      }
    }
    return found
  }

  /**
   * Yields the lines of a table of sockets, a block at a time, up to one with connected sockets, unless all are wanted:
   * the kernel lists listening sockets before all others (tcp_seq_start), of which there may be ten thousands.
   */
  *#lines(table: string, isWhole = false): Generator<string> {
    let fd: number | undefined
    try {
      fd = openSync(join(this.#root, 'net', table), 'r')
      const block = Buffer.alloc(blockSize)
      let rest = ''
      for (let length = readSync(fd, block); length > 0; length = readSync(fd, block)) {
        const lines = (rest + block.toString('latin1', 0, length)).split('\n')
        rest = lines.pop() ?? ''
        yield* lines
        if (!isWhole && parseSocket(lines.at(-1) ?? '', littleEndian)?.listens === false) return
      }
    } catch {
      // There is no IPv6, or no /proc.
    } finally {
      if (fd !== undefined) closeSync(fd)
    }
  }

  /** Returns the inodes of a process's sockets; empty when it belongs to another user. */
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

  /** Returns the uid that a process runs as; undefined when it has exited. */
  owner(pid: number): number | undefined {
    return statSync(join(this.#root, String(pid)), { throwIfNoEntry: false })?.uid
  }

  /** Reads a link; a descriptor may be closed between its listing and this. */
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

/** Returns the socket of a line if it listens. */
function listener(line: string): readonly Socket[] {
  const socket = parseSocket(line, littleEndian)
  return socket?.listens ? [socket] : []
}
