import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import type { InsideCheck } from '../../../kernel/contract/plugin.ts'

/** `local_address` and `st` of a row of /proc/PID/net/tcp (proc(5)); 0A: it listens. */
const row = /^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ 0A /gm
/** 127.0.0.0/8, the same in IPv6, and ::1, as the kernel of a little-endian machine prints them. */
const loopback = /^(?:(?:0{16}FFFF0000)?[0-9A-F]{6}7F|0{24}01000000)$/

/** How a port is listened on in a container: from outside it, from inside only, or not. */
export type InsideListener = 'open' | 'loopback' | 'closed'

/**
 * Finds out whether something in the network of a process listens on a TCP port; undefined where the system does not
 * show it. A connection from this machine shows it only late: the engine's proxy accepts it in any case.
 */
export async function findListener(pid: number, port: number): Promise<InsideListener | undefined> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map(name => readFile(`/proc/${pid}/net/${name}`, 'utf8').catch(() => undefined)),
  )
  if (tables.every(table => table === undefined)) return undefined
  return parseListeners(tables.join('\n'), port)
}

/** Finds a port's listeners in rows of /proc/PID/net/tcp and tcp6. */
export function parseListeners(text: string, port: number): InsideListener {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const addresses = [...text.matchAll(row)].flatMap(([, address = '', at]) => (at === hex ? [address] : []))
  if (addresses.length === 0) return 'closed'
  return addresses.every(address => loopback.test(address)) ? 'loopback' : 'open'
}

/** The ports of a container that a probe needs. */
export interface ProbedPort {
  /** The port inside. */
  readonly inside: number
  /** The port on 127.0.0.1. */
  readonly outside: number
}

/** Checks whether a container answers on its port: something listens inside, and a connection from here arrives. */
export async function probePort(pid: number, { inside, outside }: ProbedPort): Promise<InsideCheck> {
  const listener = await findListener(pid, inside)
  if (listener === 'closed') return { ok: false, detail: `nothing listens on port ${inside} in the container` }
  if (listener === 'loopback') {
    const detail = `port ${inside} is open on the container's own loopback only: the program has to listen on 0.0.0.0`
    return { ok: false, detail }
  }
  const isOpen = await canConnect(outside)
  return { ok: isOpen, detail: isOpen ? '' : `connection refused on 127.0.0.1:${outside}` }
}

/** ms */
const connectMs = 1000

function canConnect(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port, timeout: connectMs })
    const end = (ok: boolean) => {
      socket.destroy()
      resolve(ok)
    }
    socket.once('connect', () => end(true))
    socket.on('error', () => end(false)).once('timeout', () => end(false))
  })
}
