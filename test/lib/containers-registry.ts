import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ContainerSandbox } from './containers.ts'
import type { ImageName } from './containers-images.ts'
import { freePort } from './ports.ts'
import { until } from './running.ts'
import type { Test } from './sandbox.ts'

/** Who may use a registry with credentials. */
export const credentials = { user: 'tester', password: 'not-a-secret' }
/** The same in htpasswd(1)'s form: bcrypt, the only one that docker-registry reads. */
const htpasswd = `${credentials.user}:$2b$05$abcdefghijklmnopqrstuuVPNOToLP9MHdthRCXkVoiIF0qNKnk2G\n`

/** A real registry of a test's own, on loopback. */
export class Registry {
  /** `127.0.0.1:PORT`, the first part of references. */
  readonly address: string
  readonly #hasCredentials: boolean

  private constructor(port: number, hasCredentials: boolean) {
    this.address = `127.0.0.1:${port}`
    this.#hasCredentials = hasCredentials
  }

  /** Starts docker-registry; `hasCredentials`: only for those who log in. */
  static async start(t: Test, hasCredentials = false): Promise<Registry> {
    const folder = mkdtempSync(join(tmpdir(), 'locald-registry-'))
    const port = await freePort()
    writeFileSync(join(folder, 'users'), htpasswd)
    const auth = { htpasswd: { realm: 'test', path: join(folder, 'users') } }
    const config = {
      version: 0.1,
      log: { level: 'error' },
      storage: { filesystem: { rootdirectory: folder } },
      http: { addr: `127.0.0.1:${port}`, relativeurls: true },
      ...(hasCredentials ? { auth } : {}),
    }
    // JSON is YAML.
    writeFileSync(join(folder, 'config.yml'), JSON.stringify(config))
    chmodSync(folder, 0o755)
    const child = spawn('docker-registry', ['serve', join(folder, 'config.yml')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const said: string[] = []
    child.stderr.on('data', chunk => said.push(String(chunk)))
    t.teardown(async () => {
      await endChild(child)
      rmSync(folder, { recursive: true, force: true })
    })
    await until('an answer of docker-registry', async () => {
      if (child.exitCode !== null) throw new Error(`docker-registry: ${said.join('')}`)
      return await answers(port)
    })
    return new Registry(port, hasCredentials)
  }

  /** The port. */
  get port(): number {
    return Number(this.address.split(':')[1])
  }

  /** Puts an image there by the sandbox's engine, which then has no copy of it; its reference. */
  async push(sandbox: ContainerSandbox, name: ImageName, as = `${name}:1`): Promise<string> {
    const reference = `${this.address}/${as}`
    sandbox.trust(this.address)
    await sandbox.ask('tag', await sandbox.image(name), reference)
    if (this.#hasCredentials) await this.login(sandbox)
    await sandbox.ask('push', '-q', reference)
    if (this.#hasCredentials) await sandbox.ask('logout', this.address)
    // Of a layer that the engine has nothing would be pulled.
    await sandbox.forget(name)
    return reference
  }

  /** Logs the sandbox's engine in, as its user would. */
  async login(sandbox: ContainerSandbox): Promise<void> {
    const { user, password } = credentials
    const args = ['login', '--username', user, '--password-stdin', this.address]
    const ran = await sandbox.engine(args, { input: `${password}\n` }).done
    if (ran.code !== 0) throw new Error(`login: ${ran.stderr}`)
  }
}

/** A way to a registry that goes dead after so many bytes of answers: they stay open, or are cut. */
export class FaultyRegistry {
  readonly address: string
  /** Bytes of answers that still pass. */
  left: number
  readonly #sockets = new Set<Socket>()

  private constructor(port: number, left: number) {
    this.address = `127.0.0.1:${port}`
    this.left = left
  }

  static async start(t: Test, to: Registry, bytes: number, fault: 'stall' | 'cut'): Promise<FaultyRegistry> {
    const server = createServer()
    const port = await freePort()
    const made = new FaultyRegistry(port, bytes)
    server.on('connection', client => made.#pass(client, to.port, fault))
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => {
      for (const socket of made.#sockets) socket.destroy()
      server.close()
    })
    return made
  }

  #pass(client: Socket, port: number, fault: 'stall' | 'cut'): void {
    const upstream = connect(port, '127.0.0.1')
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.destroy()
      })
    }
    client.pipe(upstream)
    upstream.on('data', chunk => {
      const passed = chunk.subarray(0, Math.max(this.left, 0))
      this.left -= chunk.length
      if (passed.length > 0) client.write(passed)
      if (this.left > 0) return
      if (fault === 'stall') upstream.pause()
      else client.destroy()
    })
  }
}

async function answers(port: number): Promise<boolean> {
  return await new Promise(resolve => {
    const request = get({ host: '127.0.0.1', port, path: '/v2/' }, response => {
      response.resume()
      resolve(true)
    })
    request.on('error', () => resolve(false))
  })
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}
