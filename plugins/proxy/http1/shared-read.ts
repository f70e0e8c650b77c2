import { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

// One read after the other: all connections read into the same bytes, and what is kept of them is copied.
const shared = Buffer.allocUnsafeSlow(64 * 1024)

/** Takes the first bytes, which hold until it returns; false where they are the stream's again, for whoever reads from that. */
export type Taker = (bytes: Buffer, count: number) => boolean

/**
 * A connection that a server has accepted (paused), reading into memory that all of them share: a buffer for each read costs more
 * than all else that a small request needs. `take` gets what comes. Undefined where this Node has no such handles.
 */
export function sharing(accepted: Socket, take: Taker): Socket | undefined {
  const handle = handleOf(accepted)
  if (handle === undefined || !('useUserBuffer' in handle)) return undefined
  const callback = (count: number): boolean =>
    take(shared, count) || socket.push(Buffer.from(shared.subarray(0, count)))
  // net.Socket takes `onread` for connections that it makes; for those of a server as well, but its server does not pass it on.
  const options = { handle, allowHalfOpen: true, onread: { buffer: shared, callback } }
  const socket: Socket = new Socket(options)
  release(accepted)
  return socket
}

/** The same connection once more, which reads its end again; undefined where that cannot be: over TLS. */
export function rereading(ended: Socket): Socket | undefined {
  const handle = ended instanceof TLSSocket ? undefined : handleOf(ended)
  if (handle === undefined) return undefined
  // Node would not start what it believes to be reading.
  Object.assign(handle, { reading: false })
  const options = { handle, allowHalfOpen: true }
  const socket = new Socket(options)
  release(ended)
  return socket
}

/** The number of a connection's descriptor; undefined where it is not known. */
export function descriptorOf(socket: Socket): number | undefined {
  const handle = handleOf(socket)
  return handle !== undefined && 'fd' in handle && typeof handle.fd === 'number' ? handle.fd : undefined
}

function handleOf(socket: Socket): object | undefined {
  return '_handle' in socket && typeof socket._handle === 'object' ? (socket._handle ?? undefined) : undefined
}

/** Without its handle it is a husk, whose end the server counts. */
function release(socket: Socket): void {
  Object.assign(socket, { _handle: null })
  socket.destroy()
}
