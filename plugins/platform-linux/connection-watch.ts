import type { Connection, ConnectionWatch, ProcessTree } from '../../kernel/contract/plugin.ts'
import type { Link } from './proc/network.ts'
import type { Proc } from './proc/proc.ts'

/** What a watch needs of the table of processes. */
export interface WatchedTable {
  readonly proc: Pick<Proc, 'newest' | 'sockets' | 'links'>
  /** Returns the pids of each tree, in order. */
  readonly pidsOf: (trees: readonly ProcessTree[]) => Promise<readonly (readonly number[])[]>
}

/** A socket without a connection is looked up this often: it may be about to connect, or not be of TCP. */
const lookups = 2

/** What is known of a socket. */
interface Known {
  readonly link: Link | undefined
  readonly lookups: number
}

/**
 * Watches connections by the sockets that processes hold. Only a socket that was not there before is looked up in the
 * system's tables, whose reading costs milliseconds however few sockets there are; listing descriptors costs a tenth.
 */
export class LinuxConnectionWatch implements ConnectionWatch {
  readonly #table: WatchedTable
  #known = new Map<string, Known>()
  #pids: readonly (readonly number[])[] = []
  #newest: string | undefined
  #keepers = ''

  constructor(table: WatchedTable) {
    this.#table = table
  }

  async look(trees: readonly ProcessTree[]): Promise<readonly Connection[]> {
    const held = (await this.#pidsOf(trees)).map(pids => pids.flatMap(pid => [...this.#table.proc.sockets(pid)]))
    const known = this.#lookUp(new Set(held.flat()))
    this.#known = known
    return held.flatMap((inodes, tree) =>
      [...new Set(inodes)].flatMap(inode => {
        const link = known.get(inode)?.link
        return link === undefined ? [] : [{ tree, ...link }]
      }),
    )
  }

  #lookUp(inodes: ReadonlySet<string>): Map<string, Known> {
    const isOpen = (inode: string) => {
      const { link, lookups: count = 0 } = this.#known.get(inode) ?? {}
      return link === undefined && count < lookups
    }
    const wanted = new Set([...inodes].filter(isOpen))
    const links = wanted.size === 0 ? undefined : this.#table.proc.links(wanted)
    return new Map(
      [...inodes].map(inode => {
        const before = this.#known.get(inode)
        if (before !== undefined && !wanted.has(inode)) return [inode, before]
        return [inode, { link: links?.get(inode), lookups: (before?.lookups ?? 0) + 1 }]
      }),
    )
  }

  /** Walks over all processes only when one was started since the last walk. */
  async #pidsOf(trees: readonly ProcessTree[]): Promise<readonly (readonly number[])[]> {
    const newest = this.#table.proc.newest()
    const keepers = trees.map(({ keeper, pid }) => `${keeper} ${pid}`).join()
    if (newest === undefined || newest !== this.#newest || keepers !== this.#keepers)
      this.#pids = await this.#table.pidsOf(trees)
    this.#newest = newest
    this.#keepers = keepers
    return this.#pids
  }
}
