import type { Socket } from 'node:net'

/** The state of a connection's responses. */
export interface ResponseState {
  /** Whether a response has begun. */
  hasBegun(): boolean
  /** Whether the client accepts an interim response now: a waiting client of HTTP/1.1. */
  canSendInterim(): boolean
}

const interim = 'HTTP/1.1 100 Continue\r\n\r\n'
/** A closed client resets the connection after the first write; the second write gets the error. ms. */
const secondWrite = 50
/** A waiting client is probed at every so many checks; after as many without a byte it counts as disconnected. */
const checks = { probe: 10, end: 60 }

/**
 * Watches a connection whose client has closed its half and waits for its response, as `nc -N` and BusyBox wget do. A
 * client that has disconnected looks the same until something is written to it, and its service would keep working.
 * @param ms between two checks; a client that closes its half within a response, and takes no byte for that long, has
 * disconnected
 */
export function watchHalfClosed(socket: Socket, response: ResponseState, ms: number): void {
  const hadBegun = response.hasBegun()
  let written = socket.bytesWritten
  let quiet = 0
  let count = 0
  const write = (): void => {
    if (socket.writable && response.canSendInterim()) socket.write(interim, 'latin1')
  }
  const check = (): void => {
    if (count++ % checks.probe === 0 && response.canSendInterim()) {
      write()
      setTimeout(write, secondWrite).unref()
    }
    // Unread bytes may still be read.
    quiet = socket.bytesWritten === written && socket.writableLength === 0 ? quiet + 1 : 0
    written = socket.bytesWritten
    if (quiet >= (hadBegun ? 1 : checks.end)) socket.destroy()
  }
  const timer = setInterval(check, ms).unref()
  socket.once('close', () => clearInterval(timer))
}
