import { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

// All connections read into the same bytes, one after the other: a handler copies what it keeps.
const shared = Buffer.allocUnsafeSlow(64 * 1024)

/** Handles the first bytes, which are valid until it returns. Returns false to leave them to the stream's readers. */
export type ReadHandler = (bytes: Buffer, count: number) => boolean

/**
 * Makes an accepted (paused) connection read into memory shared by all of them: a buffer for each read costs more than
 * everything else that a small request needs. Returns undefined where this version of Node has no such handles.
 */
export function shareReads(accepted: Socket, handler: ReadHandler): Socket | undefined {
  const handle = handleOf(accepted)
  if (handle === undefined || !('useUserBuffer' in handle)) return undefined
  const callback = (count: number): boolean =>
    handler(shared, count) || socket.push(Buffer.from(shared.subarray(0, count)))
  // net.Socket supports `onread`, but net.Server does not pass it on.
  const options = { handle, allowHalfOpen: true, onread: { buffer: shared, callback } }
  const socket: Socket = new Socket(options)
  release(accepted)
  return socket
}

/**
 * Returns a new socket for a half-closed connection, which reads its end again; undefined over TLS, where that is
 * impossible.
 */
export function rereadEnd(halfClosed: Socket): Socket | undefined {
  const handle = halfClosed instanceof TLSSocket ? undefined : handleOf(halfClosed)
  if (handle === undefined) return undefined
  // Node does not start a handle that is marked as reading.
  Object.assign(handle, { reading: false })
  const options = { handle, allowHalfOpen: true }
  const socket = new Socket(options)
  release(halfClosed)
  return socket
}

/** Returns a connection's file descriptor; undefined if unknown. */
export function descriptorOf(socket: Socket): number | undefined {
  const handle = handleOf(socket)
  return handle !== undefined && 'fd' in handle && typeof handle.fd === 'number' ? handle.fd : undefined
}

function handleOf(socket: Socket): object | undefined {
  return '_handle' in socket && typeof socket._handle === 'object' ? (socket._handle ?? undefined) : undefined
}

/** Takes the handle from a socket and closes it, so that its server counts it as closed. */
function release(socket: Socket): void {
  Object.assign(socket, { _handle: null })
  socket.destroy()
}
