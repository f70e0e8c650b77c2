import type { Catalog, Log, SharedUrl } from '../../kernel/contract/plugin.ts'
import { LocaldError } from '../../kernel/errors.ts'
import type { Fronts } from '../proxy/provides.ts'
import { portsFor } from './port.ts'
import type { ShareBody, ShareView } from './provides.ts'
import { Share } from './share.ts'

/** What the shares need of the daemon. */
export interface SharesInput {
  readonly catalog: () => Catalog
  readonly fronts: () => Fronts
  readonly log: Log
  /** Called when what is shared has changed. */
  readonly changed: () => void
}

/** All services that are shared; none outlives the daemon. */
export class Shares {
  readonly #input: SharesInput
  readonly #shares = new Set<Share>()

  constructor(input: SharesInput) {
    this.#input = input
  }

  list(): readonly ShareView[] {
    return [...this.#shares].map(share => share.view())
  }

  /** Returns the URLs of one service, for its state. */
  of(key: string): readonly SharedUrl[] {
    return this.list().flatMap(share => {
      const [first] = share.urls
      return share.key !== key || first === undefined ? [] : [{ via: share.via, url: first.url }]
    })
  }

  /** Shares a service, unless detached until the client leaves. Throws UNKNOWN_SERVICE, SERVICE_NOT_RUNNING, SHARE_FAILED or FEATURE_OFF. */
  async begin(body: ShareBody, client: AbortSignal): Promise<Share> {
    this.#check(body)
    const share = new Share(body)
    if (body.detach !== true) {
      const left = (): void => void share.stop('the command has exited')
      client.addEventListener('abort', left, { once: true })
      if (client.aborted) left()
    }
    this.#shares.add(share)
    const changed = (): void => {
      share.changed()
      this.#input.changed()
    }
    void share.stopped.then(reason => {
      this.#shares.delete(share)
      this.#input.log.info(`${body.key} is not shared by ${body.via} any more: ${reason}`)
      this.#input.changed()
    })
    const { key, port } = body
    try {
      const { ways } = await import('./implementation.ts')
      const way = await ways[body.via]({
        ...{ key, ports: portsFor(key, port), log: this.#input.log, signal: share.signal, changed },
        openFront: spec => this.#input.fronts().open(spec),
        failed: reason => void share.stop(reason),
      })
      if (share.signal.aborted) await way.close()
      else share.open(way)
    } catch (error) {
      await share.stop('failed to begin')
      throw error
    }
    const urls = share.view().urls.map(({ url }) => url)
    this.#input.log.info(`${key} is shared by ${body.via}: ${urls.join(', ')}`)
    this.#input.changed()
    return share
  }

  /** Stops the shares of services, and returns what they were. */
  async stop(isMeant: (key: string) => boolean, reason: string): Promise<readonly ShareView[]> {
    const meant = [...this.#shares].filter(({ key }) => isMeant(key))
    const views = meant.map(share => share.view())
    await Promise.all(meant.map(share => share.stop(reason)))
    return views
  }

  #check({ key, via }: ShareBody): void {
    const entry = this.#input.catalog().get(key)
    if (entry === undefined) throw new LocaldError('UNKNOWN_SERVICE', `unknown service '${key}'`)
    if (entry.hosts.length === 0)
      throw new LocaldError('SHARE_FAILED', `service '${entry.name}' has no URL, so it cannot be shared`, {
        service: key,
        hint: 'Run `locald status` to see which services have a URL.',
      })
    if (entry.asleep !== true && ['stopped', 'failed', 'exited'].includes(entry.status))
      throw new LocaldError('SERVICE_NOT_RUNNING', `service '${entry.name}' is not running`, {
        service: key,
        hint: `Run \`locald up ${entry.name}\` first.`,
      })
    if (this.list().some(share => share.key === key && share.via === via))
      throw new LocaldError('SHARE_FAILED', `service '${entry.name}' is already shared by ${via}`, {
        service: key,
        hint: `Run \`locald share\` to see where, or \`locald share --stop ${entry.name}\` to stop that.`,
      })
  }
}
