import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { until } from './running.ts'

/** Where a server listens. */
export type Address = { readonly path: string } | { readonly port: number; readonly host: string }

/** An answer, its body as it came. */
export interface Reply {
  readonly status: number
  readonly body: string
  readonly ms: number
}

/** One request over a connection of its own, as the CLI makes them. Rejects after 30 s. */
export function ask(
  address: Address,
  path: string,
  { method = 'GET', body, headers = {} }: { method?: string; body?: string; headers?: Record<string, string> } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const where = 'path' in address ? { socketPath: address.path } : address
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    const asking = request({ ...where, path, method, headers: { ...type, ...headers }, agent: false })
    asking.setTimeout(30_000, () => asking.destroy(new Error(`no answer to ${path}`)))
    asking.once('error', reject)
    asking.once('response', response => {
      let text = ''
      response.setEncoding('utf8').on('data', piece => {
        text += piece
      })
      response.once('error', reject)
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, body: text, ms: performance.now() - began }),
      )
    })
    asking.end(body)
  })
}

/** Connects to a daemon's socket, which may be missing for a moment where its folder is emptied. */
export async function connected(path: string): Promise<Socket> {
  return await until('a connection to the daemon', async () => {
    const socket = connect(path)
    return await once(socket, 'connect').then(
      () => socket,
      () => undefined,
    )
  })
}

/** A connection that says what it was given and never reads, until it is triggered. */
export class Mute {
  readonly socket: Socket
  /** Whether the other side has closed it. */
  closed = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.once('close', () => {
      this.closed = true
    })
    socket.pause()
  }

  /** Connects; again while the server's queue is full. Undefined when it is refused. */
  static async open(address: Address, words: string | Buffer = ''): Promise<Mute | undefined> {
    for (let tries = 0; tries < 500; tries++) {
      const socket = connect(address)
      const result = await new Promise<string>(resolve => {
        socket.once('connect', () => resolve('open'))
        socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
      })
      if (result === 'open') {
        const mute = new Mute(socket)
        socket.write(words)
        return mute
      }
      if (result !== 'EAGAIN') return undefined
      await new Promise(wake => setTimeout(wake, 5))
    }
    return undefined
  }

  /** Many, a hundred at a time. */
  static async many(count: number, address: Address, words: string | Buffer = ''): Promise<readonly Mute[]> {
    const all: Mute[] = []
    while (all.length < count) {
      const some = await Promise.all(
        Array.from({ length: Math.min(100, count - all.length) }, () => Mute.open(address, words)),
      )
      const opened = some.filter(mute => mute !== undefined)
      if (opened.length === 0) throw new Error(`refused after ${all.length} connections`)
      all.push(...opened)
    }
    return all
  }

  /** What the server says until it closes the connection. */
  async rest(): Promise<string> {
    let text = ''
    this.socket.setEncoding('utf8').on('data', piece => {
      text += piece
    })
    this.socket.resume()
    await until('the server to close the connection', () => this.closed, 90_000)
    return text
  }

  close(): void {
    this.socket.destroy()
  }
}

/** Bytes of memory and the number of descriptors a process has. */
export function sizeOf(pid: number): { readonly memory: number; readonly fds: number } {
  const ps = spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })
  const memory = Number(ps.stdout) * 1024
  if (process.platform === 'linux') return { memory, fds: readdirSync(`/proc/${pid}/fd`).length }
  const lsof = spawnSync('lsof', ['-w', '-nP', '-p', String(pid), '-Ff'], { encoding: 'utf8' })
  return { memory, fds: lsof.stdout.split('\n').filter(line => /^f\d/.test(line)).length }
}
