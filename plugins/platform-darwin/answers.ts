import { once } from 'node:events'
import { connect } from 'node:net'

/** A listener of this machine takes a connection at once; one whose queue is full may not. ms */
const limitMs = 200

/** Whether something listens on a port of loopback: what is refused there is asked of no `lsof`, which takes up to seconds on a busy Mac. */
export async function isAnswered(port: number): Promise<boolean> {
  return (await Promise.all(['127.0.0.1', '::1'].map(host => takes(host, port)))).includes(true)
}

async function takes(host: string, port: number): Promise<boolean> {
  const signal = AbortSignal.timeout(limitMs)
  const socket = connect(port, host)
  try {
    await once(socket, 'connect', { signal })
    return true
  } catch {
    // Silence is no refusal.
    return signal.aborted
  } finally {
    socket.on('error', () => {}).destroy()
  }
}
