import { Socket } from 'node:net'

// One read after the other: all connections read into the same bytes, and what is kept of them is copied.
const shared = Buffer.allocUnsafeSlow(64 * 1024)

/** Takes the first bytes, which hold until it returns; false where they are the stream's again, for whoever reads from that. */
export type Taker = (bytes: Buffer, count: number) => boolean

/**
 * A connection that a server has accepted (paused), reading into memory that all of them share: a buffer for each read costs more
 * than all else that a small request needs. `take` gets what comes. Undefined where this Node has no such handles.
 */
export function sharing(accepted: Socket, take: Taker): Socket | undefined {
  if (!('_handle' in accepted) || accepted._handle === null || typeof accepted._handle !== 'object') return undefined
  if (!('useUserBuffer' in accepted._handle)) return undefined
  const callback = (count: number): boolean =>
    take(shared, count) || socket.push(Buffer.from(shared.subarray(0, count)))
  // net.Socket takes `onread` for connections that it makes; for those of a server as well, but its server does not pass it on.
  const options = { handle: accepted._handle, allowHalfOpen: true, onread: { buffer: shared, callback } }
  const socket: Socket = new Socket(options)
  // Without its handle it is a husk, whose end the server counts.
  accepted._handle = null
  accepted.destroy()
  return socket
}
