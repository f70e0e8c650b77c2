/** A service type whose services run elsewhere, as in a container: here in the test's own process. */
import { createServer, type Server, type Socket } from 'node:net'
import type { Exit, InsideCheck, Instance, Run, ServiceType } from '../../kernel/contract/plugin.ts'
import { type Shape, shape } from '../../kernel/contract/shape.ts'
import { withResolvers } from '../../kernel/system/async.ts'

/** The keys of a guest. */
export interface GuestOptions {
  /** The port inside; none: it has no network. */
  readonly inside?: number
  readonly ports: readonly number[]
}

const options: Shape<GuestOptions> = shape({
  type: 'object',
  properties: {
    inside: { type: 'integer' },
    ports: { type: 'array', items: { type: 'integer' }, default: [] },
  },
  additionalProperties: false,
})

/** How the port of a guest on this machine treats a connection: as engines do before and after the guest listens. */
export type Answer = 'accept' | 'close' | 'greet'

/** A running guest: its ports on this machine are servers of the test's. */
export class Guest implements Instance {
  readonly pid = null
  readonly startedMs = Date.now()
  readonly state = { guest: true }
  readonly run: Run<GuestOptions>
  answer: Answer = 'accept'
  /** What a command of a health check results in. */
  checked: InsideCheck = { ok: true, detail: 'ran' }
  readonly commands: string[] = []
  reason: string | undefined
  readonly #exit = withResolvers<Exit>()
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Socket>()

  constructor(run: Run<GuestOptions>) {
    this.run = run
  }

  get exited(): Promise<Exit> {
    return this.#exit.promise
  }

  /** Listens on all its ports of this machine. */
  async listen(): Promise<this> {
    const { port, ports } = this.run
    const all = [...(port === undefined ? [] : [port]), ...Object.values(ports)]
    await Promise.all(all.map(each => this.#listen(each)))
    return this
  }

  async stop(): Promise<void> {
    this.exit({ code: 0, signal: null })
    await this.exited
  }

  async check(command: string): Promise<InsideCheck> {
    this.commands.push(command)
    return this.checked
  }

  exitReason(): string | undefined {
    return this.reason
  }

  /** Exits, with its ports closed before. */
  exit(exit: Exit): void {
    for (const socket of this.#sockets) socket.destroy()
    const closed = this.#servers.map(server => new Promise(resolve => server.close(resolve)))
    void Promise.all(closed).then(() => this.#exit.resolve(exit))
  }

  #listen(port: number): Promise<void> {
    const server = createServer(socket => {
      this.#sockets.add(socket.on('error', () => {}).once('close', () => this.#sockets.delete(socket)))
      if (this.answer === 'close') socket.end()
      if (this.answer === 'greet') socket.write('hello\n')
    })
    this.#servers.push(server)
    return new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', () => resolve()))
  }
}

/** The type `guest`. `started`: takes each guest before it listens. */
export function guestType(started: (guest: Guest) => void = () => {}): ServiceType<GuestOptions> {
  return {
    type: 'guest',
    shape: options,
    reach: 'guest',
    hostName: 'host.test',
    network: ({ inside }) => (inside === undefined ? 'none' : 'port'),
    guestPort: ({ inside }) => inside,
    guestHost: ({ name }) => `${name}.inside`,
    ports: ({ ports }) => ports,
    exports: (_, { host, port }) => ({ place: `${host}:${port}` }),
    async start(run) {
      const guest = new Guest(run)
      started(guest)
      return await guest.listen()
    },
  }
}
