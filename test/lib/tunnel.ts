/** Runs real tunnels in tests, as the daemon that they connect to. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePorts } from './ports.ts'
import { until } from './running.ts'

const build = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')
const root = dirname(build)

/** A build of the program under test. */
export interface TunnelProgram {
  readonly name: string
  readonly path: string
}

/** The program as it is packed, and with sanitizers where the compiler has them. */
export function tunnelPrograms(): readonly TunnelProgram[] {
  const script = join(build, 'scripts', 'build-native.js')
  for (const words of [[], ['--sanitize']]) spawnSync(process.execPath, [script, ...words], { stdio: 'ignore' })
  return [
    { name: 'release', path: join(build, 'native', 'locald-tunnel') },
    { name: 'sanitized', path: join(build, 'native', 'locald-tunnel-asan') },
  ].filter(({ path }) => existsSync(path))
}

/** All C files of the tunnel but `main.c`, and the flag for what they include. */
export function tunnelSources(): readonly string[] {
  const files = ['common', 'tunnel'].flatMap(name => {
    const folder = join(root, 'native', name)
    return readdirSync(folder).map(file => join(folder, file))
  })
  return [`-I${join(root, 'native', 'common')}`, ...files.filter(file => /\.c$/.test(file) && !/main\.c$/.test(file))]
}

/** The files of its parser's corpus. */
export function tunnelCorpus(): readonly string[] {
  const folder = join(root, 'native', 'tunnel', 'corpus')
  return readdirSync(folder).map(name => join(folder, name))
}

/** A connection that reached the fake daemon, with its first line. */
export interface Arrival {
  readonly line: string
  readonly socket: Socket
}

/** A daemon's end of a tunnel, as the test plays it. */
export class FakeDaemon {
  readonly #arrivals: Arrival[] = []
  readonly #sockets = new Set<Socket>()
  readonly #server: Server

  constructor() {
    this.#server = createServer({ allowHalfOpen: true }, socket => {
      this.#sockets.add(socket)
      socket.on('error', () => {}).once('close', () => this.#sockets.delete(socket))
      let read = ''
      const take = (data: Buffer): void => {
        read += data.toString('latin1')
        const end = read.indexOf('\n')
        if (end < 0) return
        socket.off('data', take).pause()
        const rest = read.slice(end + 1)
        if (rest !== '') socket.unshift(Buffer.from(rest, 'latin1'))
        this.#arrivals.push({ line: read.slice(0, end), socket })
      }
      socket.on('data', take)
    })
  }

  async listen(path: string): Promise<void> {
    rmSync(path, { force: true })
    this.#server.listen({ path })
    await once(this.#server, 'listening')
  }

  /** Takes the first connection with such a first line. */
  async next(line: RegExp): Promise<Socket> {
    return await until(`a connection ${line}`, () => {
      const at = this.#arrivals.findIndex(it => line.test(it.line))
      return at < 0 ? undefined : this.#arrivals.splice(at, 1)[0]?.socket
    })
  }

  /** Sends the ports to a forwarder; its answer. */
  async order(forwarder: Socket, line: string): Promise<string> {
    forwarder.write(`${line}\n`)
    const answer = once(forwarder, 'data')
    forwarder.resume()
    const [data]: unknown[] = await answer
    return String(data)
  }

  /** As when a daemon is killed. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise(resolve => this.#server.close(resolve))
  }
}

/** A tunnel that runs, with a folder of its own. */
export class Tunnel {
  readonly folder = mkdtempSync(join(tmpdir(), 'tunnel-'))
  readonly socket = join(this.folder, 's')
  readonly daemon = new FakeDaemon()
  readonly child: ChildProcess
  errors = ''

  private constructor(program: TunnelProgram, through: readonly string[]) {
    const [command = '', ...words] = [...through, program.path, this.socket, 'abc123']
    this.child = spawn(command, words, { env: {}, stdio: ['ignore', 'ignore', 'pipe'] })
    this.child.stderr?.setEncoding('utf8').on('data', text => {
      this.errors += text
    })
  }

  /** Starts one; `through`: words before its own. */
  static async start(program: TunnelProgram, through: readonly string[] = []): Promise<Tunnel> {
    const tunnel = new Tunnel(program, through)
    await tunnel.daemon.listen(tunnel.socket)
    return tunnel
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  get descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length
  }

  /** Its processor time: ms. */
  get busyMs(): number {
    const fields = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) * 10
  }

  /** Makes it listen on free ports. */
  async listen(count = 1): Promise<{ readonly forwarder: Socket; readonly ports: readonly number[] }> {
    const forwarder = await this.daemon.next(/^forwarder abc123$/)
    const ports = await freePorts(count)
    const answer = await this.daemon.order(forwarder, ports.join(' '))
    if (answer !== 'listening\n') throw new Error(answer)
    return { forwarder, ports }
  }

  /** Connects a client and takes its connection, which has reached the port. */
  async pair(port: number): Promise<{ readonly client: Socket; readonly service: Socket }> {
    const client = await dial(port)
    const service = await this.daemon.next(new RegExp(`^${port}$`))
    service.write('+')
    return { client, service }
  }

  /** Stops it by SIGTERM; throws unless it exits with 0 and no sanitizer has found anything. */
  async end(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGTERM')
      await once(this.child, 'close')
    }
    await this.daemon.close()
    rmSync(this.folder, { recursive: true, force: true })
    if (this.child.exitCode !== 0 || /Sanitizer|runtime error/.test(this.errors)) {
      throw new Error(`the tunnel exited with ${this.child.exitCode ?? this.child.signalCode}: ${this.errors}`)
    }
  }
}

/** Connects to a port on 127.0.0.1, with half-close. */
export async function dial(port: number, host = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host, allowHalfOpen: true })
  await once(socket, 'connect')
  socket.on('error', () => {})
  return socket
}

/** Reads a connection to its end: how many bytes, and whether it was reset. */
export async function drain(socket: Socket): Promise<{ readonly bytes: number; readonly isReset: boolean }> {
  let bytes = 0
  let isReset = false
  socket.on('data', data => {
    bytes += data.length
  })
  socket.on('error', () => {
    isReset = true
  })
  socket.resume()
  await new Promise<void>(resolve => {
    socket.once('end', resolve).once('close', () => resolve())
    if (socket.destroyed) resolve()
  })
  return { bytes, isReset }
}
