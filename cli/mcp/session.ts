import { LocaldError } from '../../kernel/errors.ts'
import type { LeaseBody, RedactAnswer, StatusView } from '../../kernel/protocol.ts'
import type { Paths } from '../../kernel/system/paths.ts'
import type { Context } from '../context.ts'
import { leaseOfParent } from '../daemon/agent-lease.ts'
import { type Client, findOrReviveDaemon, requireDaemon } from '../daemon/client.ts'
import { LogLooks } from './logs/looks.ts'
import { Pages } from './pages.ts'

/** What one client has: its folders, and what it has seen. */
export class Session {
  readonly paths: Paths
  readonly cwd: string
  /** The folders that the client works in. */
  roots: () => Promise<readonly string[]> = async () => []
  readonly pages = new Pages()
  readonly looks = new LogLooks()
  /** What the client calls itself. */
  client: () => string = () => 'an MCP client'
  /** Offers the commands that the services of the client's project declare now. */
  refreshTools: () => Promise<void> = async () => {}
  /** Stops each command that a tool runs. */
  readonly running = new Set<() => void>()

  constructor({ paths, cwd }: Context) {
    this.paths = paths
    this.cwd = cwd
  }

  /** Returns the daemon, started when none runs. */
  daemon(): Promise<Client> {
    return requireDaemon(this.paths)
  }

  /** Returns the daemon if one runs, or has left services. */
  findDaemon(): Promise<Client | undefined> {
    return findOrReviveDaemon(this.paths)
  }

  /** Returns for whom this client starts services: they stop when its process exits. */
  lease(): LeaseBody | undefined {
    return leaseOfParent(this.client(), this.paths)
  }

  /** Whether a service runs only for this client. */
  owns({ leases = [] }: StatusView): boolean {
    const pid = this.lease()?.pid
    return pid !== undefined && leases.length > 0 && leases.every(each => each.pid === pid)
  }

  /** Masks the secrets of all projects. Without a daemon nothing was read that could have any. */
  async redact(value: unknown): Promise<unknown> {
    const daemon = await this.findDaemon()
    if (daemon === undefined) return value
    try {
      return (await daemon.post<RedactAnswer>('/v1/redact', { value })).value
    } catch (error) {
      if (!LocaldError.is(error) || error.code !== 'REQUEST_INVALID') throw error
      // Rather no answer than one with secrets.
      throw new LocaldError('DAEMON_UNREACHABLE', 'the daemon cannot mask secrets: it is of an earlier version', {
        hint: 'Run `locald server restart`; services keep running.',
        cause: error,
      })
    }
  }

  /** Stops what tools still run. */
  close(): void {
    for (const stop of this.running) stop()
  }
}
