import { once } from 'node:events'
import { createServer } from 'node:net'
import { until } from './running.ts'

/** A port that nothing listens on, above the ephemeral ports. */
export async function freePort(): Promise<number> {
  return await until('a free port', async () => {
    const server = createServer().listen(61_000 + Math.floor(Math.random() * 4000), '127.0.0.1')
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    const address = server.address()
    server.close()
    return isFree && typeof address === 'object' ? address?.port : undefined
  })
}
