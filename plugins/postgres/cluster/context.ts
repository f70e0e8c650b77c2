import { join } from 'node:path'
import type { Control, Folders, Host, Processes, ProcessTable } from '../../../kernel/contract/plugin.ts'
import { Installations } from '../binaries/find.ts'
import { Locks } from '../files/locks.ts'
import type { Places } from '../files/paths.ts'
import { type Account, accountOf } from '../server/account.ts'
import { endLeftover } from '../server/tracking.ts'
import { Register } from './service-register.ts'
import { Snapshots } from './snapshots.ts'
import { Templates } from './template.ts'

/** What all services of the type share. */
export class Shared {
  readonly folders: Folders
  /** By a service's data folder: its cluster is made, started, copied or removed by one at a time. */
  readonly locks = new Locks()
  readonly installations: Installations
  readonly templates: Templates
  readonly register: Register
  readonly snapshots = new Snapshots(this)
  readonly #host: Host
  #account: Promise<Account> | undefined

  constructor(host: Host) {
    const root = join(host.folders.data, 'postgres')
    this.#host = host
    this.folders = host.folders
    this.installations = new Installations(join(root, 'versions'), host.platform)
    this.register = new Register(join(root, 'services'))
    this.templates = new Templates(join(root, 'templates'))
  }

  table(): ProcessTable {
    return this.#host.use.processTable
  }

  processes(): Processes {
    return this.#host.use.processes
  }

  control(): Control {
    return this.#host.use.control
  }

  /** Waits until a service that is being started is there, or is not going to be. */
  async settled(key: string, signal: AbortSignal): Promise<void> {
    await this.#host.use.catalog.settled(key, signal)
  }

  /** Ends what an earlier server or operation left of a service. Its lock is held. */
  async tidy(places: Places): Promise<void> {
    await endLeftover(places, this.table())
    await this.snapshots.sweep(places)
  }

  account(): Promise<Account> {
    this.#account ??= accountOf(this.#host.platform)
    return this.#account
  }
}
