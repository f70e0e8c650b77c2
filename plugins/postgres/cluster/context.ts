import { join } from 'node:path'
import type { Control, Folders, Host, Processes, ProcessTable } from '../../../kernel/contract/plugin.ts'
import { Installations } from '../binaries/find.ts'
import { KeyedLock } from '../files/locks.ts'
import type { ServicePaths } from '../files/paths.ts'
import { type Account, findAccount } from '../server/account.ts'
import { stopLeftoverServers } from '../server/tracking.ts'
import { ServiceRegister } from './service-register.ts'
import { Snapshots } from './snapshots.ts'
import { ClusterTemplates } from './template.ts'

/** What all services of the type share. */
export class PostgresContext {
  readonly folders: Folders
  /** By a service's data folder: creates, starts, copies and removals of its cluster run one at a time. */
  readonly locks = new KeyedLock()
  readonly installations: Installations
  readonly templates: ClusterTemplates
  readonly register: ServiceRegister
  readonly snapshots = new Snapshots(this)
  readonly #host: Host
  #account: Promise<Account> | undefined

  constructor(host: Host) {
    const root = join(host.folders.data, 'postgres')
    this.#host = host
    this.folders = host.folders
    this.installations = new Installations(join(root, 'versions'), host.platform)
    this.register = new ServiceRegister(join(root, 'services'))
    this.templates = new ClusterTemplates(join(root, 'templates'))
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

  /** Waits until a starting service has started or failed. */
  async waitUntilSettled(key: string, signal: AbortSignal): Promise<void> {
    await this.#host.use.catalog.settled(key, signal)
  }

  /** Cleans up after an earlier server or operation of a service. The caller holds its lock. */
  async tidy(paths: ServicePaths): Promise<void> {
    await stopLeftoverServers(paths, this.table())
    await this.snapshots.sweep(paths)
  }

  account(): Promise<Account> {
    this.#account ??= findAccount(this.#host.platform)
    return this.#account
  }
}
