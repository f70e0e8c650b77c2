import type { ClientRequest } from '../../kernel/contract/plugin.ts'
import { pairsOf, type RawHeaders, valuesOf } from './message/headers.ts'
import { hostName } from './message/host-name.ts'

/** The client's end of a connection, as `net.Socket` has it. */
export interface ClientEnd {
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
}

/** A request for a service, before it is answered. */
export interface WatchedRequest {
  /** Key of the service. */
  readonly key: string
  /** The authority as the client wrote it. */
  readonly host: string
  readonly client: ClientEnd
  /** The fields of its head, as lines with CR LF after each, or as names and values. */
  readonly fields: string | RawHeaders
}

/** Shows requests to plugins that watch them. While none does, a request costs one comparison. */
export class RequestWatch {
  readonly #listeners = new Set<(request: ClientRequest) => void>()
  /** The services that connections have asked for. */
  #seen = new WeakMap<ClientEnd, Set<string>>()

  /** Whether a plugin watches. */
  get isOn(): boolean {
    return this.#listeners.size > 0
  }

  /** Adds a listener; the result removes it. */
  add(listener: (request: ClientRequest) => void): () => void {
    const own = (request: ClientRequest) => listener(request)
    if (!this.isOn) this.#seen = new WeakMap()
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }

  /** Shows a request. To be called only while `isOn`. */
  show({ key, host, client, fields }: WatchedRequest): void {
    const { remoteAddress: address, remotePort: port } = client
    if (address === undefined || port === undefined) return
    const seen = this.#seen.get(client) ?? new Set()
    this.#seen.set(client, seen)
    const isFirst = !seen.has(key)
    seen.add(key)
    const request: ClientRequest = {
      ...{ service: key, host: hostName(host) ?? '', address, port, isFirst },
      findPage: () => pageOf(fields),
    }
    for (const listener of this.#listeners) listener(request)
  }
}

/** Finds the page that made a request (Fetch section 3.2 Origin, Fetch Metadata section 2.2, RFC 9110 section 10.1.3). */
function pageOf(fields: string | RawHeaders): string | undefined {
  // Most requests of programs have neither.
  if (typeof fields === 'string' && !/^(?:origin|referer):/im.test(fields)) return undefined
  const all = typeof fields === 'string' ? pairsOf(fields) : fields
  const field = (name: string) => valuesOf(all, name)[0]
  const mode = field('sec-fetch-mode')?.toLowerCase()
  // Browsers send no such fields to names over plain HTTP that they do not trust.
  const isNavigation = mode === undefined ? field('accept')?.startsWith('text/html') === true : mode === 'navigate'
  if (isNavigation) return undefined
  const url = [field('origin'), field('referer')].find(value => value !== undefined && URL.canParse(value))
  const { host } = url === undefined ? { host: '' } : new URL(url)
  return host === '' ? undefined : host
}
