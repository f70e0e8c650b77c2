import type { Socket } from 'node:net'

/** Longer lines are not the tunnel's: bytes. */
const longest = 96

/**
 * Reads a connection's first line, which is ASCII; what follows stays unread, and the connection paused. Undefined when
 * there is none in time, when it is too long, and when the connection is closed before.
 */
export function readFirstLine(socket: Socket, limitMs: number): Promise<string | undefined> {
  return new Promise(resolve => {
    let read = Buffer.alloc(0)
    const finish = (line: string | undefined): void => {
      clearTimeout(timer)
      socket.off('data', take).off('end', giveUp).off('close', giveUp)
      socket.pause()
      resolve(line)
    }
    const giveUp = (): void => finish(undefined)
    const take = (data: Buffer): void => {
      read = Buffer.concat([read, data])
      const end = read.indexOf('\n')
      if ((end < 0 ? read.length : end) > longest) giveUp()
      else if (end >= 0) {
        finish(read.toString('latin1', 0, end))
        if (end + 1 < read.length) socket.unshift(read.subarray(end + 1))
      }
    }
    const timer = setTimeout(giveUp, limitMs)
    socket.on('data', take).once('end', giveUp).once('close', giveUp)
  })
}
