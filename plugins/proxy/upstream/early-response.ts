import type { Socket } from 'node:net'

type Done = (error?: Error | null) => void

/**
 * Has a write that fails wait until all that was received is read. A service that answers early and closes resets the connection as
 * soon as more of the request comes; its answer lies there, but Node ends a socket at once when a write fails.
 */
export function readBeforeFailing(socket: Socket): void {
  const waiting = (done: Done): Done => {
    return error => {
      if (error instanceof Error && !socket.readableEnded && !socket.destroyed) socket.once('end', () => done(error))
      else done(error)
    }
  }
  const write = socket._write.bind(socket)
  const writev = socket._writev?.bind(socket)
  socket._write = (piece, encoding, done) => write(piece, encoding, waiting(done))
  if (writev !== undefined) socket._writev = (pieces, done) => writev(pieces, waiting(done))
}
