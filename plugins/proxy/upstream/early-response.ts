import type { Socket } from 'node:net'

type Done = (error?: Error | null) => void

/**
 * Delays the error of a failed write until all received bytes are read. A service that responds early and closes resets
 * the connection when more of the request arrives; its response has been received by then, but Node destroys a socket
 * as soon as a write fails.
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
