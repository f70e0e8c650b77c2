import { connect, createServer } from 'node:net'

/** Returns free ports of 127.0.0.1, below the ephemeral range as the ports of services are. */
export async function freePorts(count: number, from: number): Promise<readonly number[]> {
  const ports: number[] = []
  for (let port = from; ports.length < count; port++) if (await isFree(port)) ports.push(port)
  return ports
}

/**
 * Resolves when all ports accept connections. A program that searches for free ports briefly listens on each, so only a
 * round in which all accept counts.
 */
export async function allAccept(ports: readonly number[], limitMs = 60_000): Promise<void> {
  const end = performance.now() + limitMs
  for (let missing: number | undefined = 0; missing !== undefined; ) {
    missing = undefined
    for (const port of ports) {
      while (!(await accepts(port))) {
        missing = port
        if (performance.now() > end) throw new Error(`no listener on port ${port}`)
        await new Promise(wake => setTimeout(wake, 2))
      }
    }
  }
}

/** Resolves when none of the ports accepts connections. */
export async function noneAccept(ports: readonly number[], limitMs = 60_000): Promise<void> {
  const end = performance.now() + limitMs
  for (const port of ports) {
    while (await accepts(port)) {
      if (performance.now() > end) throw new Error(`port ${port} is still in use`)
      await new Promise(wake => setTimeout(wake, 20))
    }
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1' })
    const end = (result: boolean) => {
      socket.destroy()
      resolve(result)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
