import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Folders, Log, ProjectRef } from '../../../kernel/contract/plugin.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import type { AccessRequest, Forwarder, HostAccess } from './contract.ts'
import { readTunnelImage, type TunnelImage } from './image.ts'
import { ProjectAccess } from './project-access.ts'

/** The folder of all tunnels' sockets in the folder of sockets: short, as paths of sockets are limited. */
const folderName = 'c'

/** Access by sockets of this machine, which forwarders have mounted. */
export class SocketHostAccess implements HostAccess {
  readonly #folders: Pick<Folders, 'sockets' | 'native'>
  readonly #log: Log
  readonly #projects = new Map<string, ProjectAccess>()
  #image: Promise<TunnelImage> | undefined

  constructor(folders: Pick<Folders, 'sockets' | 'native'>, log: Log) {
    this.#folders = folders
    this.#log = log
  }

  async ensure(request: AccessRequest, signal?: AbortSignal): Promise<readonly string[]> {
    const { engine, ports } = request
    if (engine.hostName !== undefined) return []
    if (!engine.isNative && ports.length > 0) {
      throw new LocaldError('ENGINE_FAILED', `containers of ${engine.name} cannot reach services of this machine`, {
        hint: 'Use an engine that runs on this machine: run `locald container engine podman`.',
      })
    }
    return await this.#of(request.project).ensure(request, signal)
  }

  withdraw(project: ProjectRef, service: string): void {
    this.#projects.get(project.path)?.withdraw(service)
  }

  async release(forwarder: Forwarder): Promise<void> {
    if (forwarder.engine.hostName === undefined && forwarder.engine.isNative)
      await this.#of(forwarder.project).release(forwarder)
  }

  async close(): Promise<void> {
    for (const project of this.#projects.values()) project.close()
  }

  #of(project: ProjectRef): ProjectAccess {
    const known = this.#projects.get(project.path)
    if (known !== undefined) return known
    const hash = createHash('sha256').update(project.path).digest('hex').slice(0, 8)
    const made = new ProjectAccess({
      project,
      folder: () => join(this.#folders.sockets, folderName, hash),
      image: () => this.#readImage(),
      log: this.#log,
    })
    this.#projects.set(project.path, made)
    return made
  }

  async #readImage(): Promise<TunnelImage> {
    this.#image ??= readTunnelImage(this.#folders.native)
    try {
      return await this.#image
    } catch (error) {
      this.#image = undefined
      throw error
    }
  }
}
