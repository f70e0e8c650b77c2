import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import type { Test } from 'tap'
import { until } from './running.ts'

/** A port that nothing listens on, above the ephemeral ports: no other test gets it by listening on port 0. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  return await until('a free port', async () => {
    const server = createServer().listen(61_000 + Math.floor(Math.random() * 4000), host)
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    const address = server.address()
    server.close()
    return isFree && typeof address === 'object' ? address?.port : undefined
  })
}

/** Different ports that nothing listens on, on any address. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>()
  while (ports.size < count) ports.add(await freePort('0.0.0.0'))
  return [...ports]
}

/** Listens on a port, or on any for 0, until the end of the test. */
export async function listen(t: Pick<Test, 'teardown'>, port: number, host = '127.0.0.1'): Promise<Server> {
  const server = createServer().listen({ port, host, exclusive: true })
  await once(server, 'listening')
  t.teardown(() => server.close())
  return server
}
