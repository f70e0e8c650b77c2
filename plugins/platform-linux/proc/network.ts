import { SocketAddress } from 'node:net'

/** A TCP socket as /proc/net/tcp and tcp6 show it. */
export interface Socket {
  readonly address: string
  readonly port: number
  readonly uid: number
  readonly inode: string
  /** False: it is connected, or was. */
  readonly listens: boolean
}

const listen = '0A'
/** The uid that the system shows for a user that a container does not map (user_namespaces(7)). */
export const overflow = 65_534

/** Parses a line of /proc/net/tcp or tcp6 (proc_net_tcp in the kernel's documentation); undefined for the head. */
export function parseSocket(line: string, littleEndian: boolean): Socket | undefined {
  const [, local, , state, , , , uid, , inode] = line.trim().split(/\s+/)
  const [hex, port] = local?.split(':') ?? []
  if (hex === undefined || port === undefined || inode === undefined || !/^[0-9A-F]{2}$/.test(state ?? ''))
    return undefined
  return {
    address: decodeAddress(hex, littleEndian),
    port: Number.parseInt(port, 16),
    uid: Number(uid),
    inode,
    listens: state === listen,
  }
}

/** Returns the local port of a line's socket if that is connected; fast, as a table may have ten thousands of lines. */
export function connectedPort(line: string): number | undefined {
  const [, port] = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 01 /.exec(line) ?? []
  return port === undefined ? undefined : Number.parseInt(port, 16)
}

/** Both ends of a connected TCP socket. */
export interface Link {
  readonly localAddress: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
}

/** SYN_SENT, ESTABLISHED and CLOSE_WAIT: later states belong to no process (enum in the kernel's tcp_states.h). */
const connected: ReadonlySet<string> = new Set(['01', '02', '08'])

/** Parses a line's connected socket if its inode is wanted. */
export function parseLink(
  line: string,
  littleEndian: boolean,
  wanted: ReadonlySet<string>,
): (Link & { readonly inode: string }) | undefined {
  const [, local = '', remote = '', state = '', , , , , , inode = ''] = line.trim().split(/\s+/)
  if (!connected.has(state) || !wanted.has(inode)) return undefined
  const [localHex = '', localPort = ''] = local.split(':')
  const [remoteHex = '', remotePort = ''] = remote.split(':')
  return {
    localAddress: decodeAddress(localHex, littleEndian),
    localPort: Number.parseInt(localPort, 16),
    remoteAddress: decodeAddress(remoteHex, littleEndian),
    remotePort: Number.parseInt(remotePort, 16),
    inode,
  }
}

/** Decodes an address of /proc/net/tcp*: 32-bit words in the host's byte order. A mapped IPv4 address becomes IPv4. */
export function decodeAddress(hex: string, littleEndian: boolean): string {
  const bytes = Buffer.from(hex, 'hex')
  if (littleEndian) bytes.swap32()
  if (bytes.length === 4) return bytes.join('.')
  const mapped = bytes.readUInt32BE(8) === 0xffff && bytes.subarray(0, 8).every(byte => byte === 0)
  if (mapped) return bytes.subarray(12).join('.')
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16))
  return new SocketAddress({ family: 'ipv6', address: groups.join(':') }).address
}

/** Returns the inode in a `socket:[123]` link of /proc/PID/fd. */
export function parseSocketLink(link: string): string | undefined {
  return /^socket:\[(\d+)\]$/.exec(link)?.[1]
}
