import type { Socket } from 'node:net'

/** What a connection's answers have come to. */
export interface Answering {
  /** Whether an answer is being sent. */
  begun(): boolean
  /** Whether its client takes an interim response now: one of HTTP/1.1 that waits. */
  takesInterim(): boolean
}

const interim = 'HTTP/1.1 100 Continue\r\n\r\n'
/** The answer to a first write says that nobody reads; the second write gets to know. ms. */
const knock = 50
/** Every so many looks a client that waits is knocked at; as many without a byte are the end. */
const looks = { knock: 10, end: 60 }

/**
 * Watches a connection whose client has ended its half, as `nc -N` and BusyBox wget do, and waits for its answer: one that has left
 * for good looks the same until something is sent to it, and its service would work for nothing.
 * @param ms between two looks; a client that ends its half within an answer, and gets nothing for so long, has left
 */
export function watchHalfClosed(socket: Socket, answering: Answering, ms: number): void {
  const began = answering.begun()
  let written = socket.bytesWritten
  let quiet = 0
  let count = 0
  const write = (): void => {
    if (socket.writable && answering.takesInterim()) socket.write(interim, 'latin1')
  }
  const look = (): void => {
    if (count++ % looks.knock === 0 && answering.takesInterim()) {
      write()
      setTimeout(write, knock).unref()
    }
    // What it has not read yet it is still there for.
    quiet = socket.bytesWritten === written && socket.writableLength === 0 ? quiet + 1 : 0
    written = socket.bytesWritten
    if (quiet >= (began ? 1 : looks.end)) socket.destroy()
  }
  const timer = setInterval(look, ms).unref()
  socket.once('close', () => clearInterval(timer))
}
