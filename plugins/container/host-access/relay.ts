import { connect, type Socket } from 'node:net'
import { meetsItself } from '../../../kernel/contract/plugin.ts'
import { systemCode } from '../../../kernel/errors.ts'

/** The addresses of this machine's loopback, in the order in which they are tried. */
const addresses = ['127.0.0.1', '::1'] as const

/** Connects to a port on this machine's loopback. Rejects with the cause of the first address. */
export async function dial(port: number): Promise<Socket> {
  const failures: unknown[] = []
  for (const host of addresses) {
    try {
      return await connectTo(host, port)
    } catch (error) {
      failures.push(error)
      if (systemCode(error) !== 'ECONNREFUSED') break
    }
  }
  throw failures[0]
}

/** Carries bytes both ways, with half-close and backpressure; an error of one destroys the other. */
export function relay(one: Socket, other: Socket): void {
  const isBroken = (): void => {
    one.destroy()
    other.destroy()
  }
  for (const socket of [one, other]) socket.once('error', isBroken)
  one.pipe(other)
  other.pipe(one)
}

function connectTo(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true })
    socket.once('error', reject)
    socket.once('connect', () => {
      if (!meetsItself(socket)) {
        socket.off('error', reject)
        return resolve(socket)
      }
      socket.destroy()
      reject(Object.assign(new Error(`connect ECONNREFUSED ${host}:${port}`), { code: 'ECONNREFUSED' }))
    })
  })
}
