import type { Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { LocaldError, messageOf } from '../../../kernel/errors.ts'
import type { Front, FrontOrigin } from '../../proxy/provides.ts'
import { listenOn, portError } from '../listen.ts'
import type { SharePlace } from '../provides.ts'
import type { Way, WayInput } from '../way.ts'
import { hostOf, type LanAddress, lanAddresses } from './addresses.ts'
import { Announcement } from './announcement.ts'
import { nameOf } from './records.ts'

/** Addresses are looked at this often, as machines change networks: ms. */
const lookMs = 5000
/** Names that are tried. */
const attempts = 5

/** A service on the addresses of this machine in local networks, on one port. */
export class LanShare implements Way {
  readonly notes: string[] = []
  readonly #input: WayInput
  readonly #front: Front
  readonly #servers = new Map<string, { readonly at: LanAddress; readonly server: Server }>()
  #port = 0
  #name: string | undefined
  #announcements: Announcement[] = []
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  private constructor(input: WayInput) {
    this.#input = input
    this.#front = input.openFront({ key: input.key, originOf: host => this.#originOf(host), isTunnel: false })
  }

  /** Listens and announces. Throws SHARE_FAILED without a local network, and where the port cannot be used. */
  static async open(input: WayInput): Promise<LanShare> {
    const addresses = lanAddresses(networkInterfaces())
    if (addresses.length === 0)
      throw new LocaldError('SHARE_FAILED', 'this machine has no address in a local network', {
        service: input.key,
        hint: 'Connect it to a network, or use `--tailscale`, `--cloudflared` or `--ngrok`.',
      })
    const share = new LanShare(input)
    try {
      await share.#choosePort(addresses)
      await share.#announce()
    } catch (error) {
      await share.close()
      throw error
    }
    share.#arm()
    return share
  }

  /** The URLs with addresses first: not every device finds names of multicast DNS. */
  get places(): readonly SharePlace[] {
    const port = this.#port === 80 ? '' : `:${this.#port}`
    const direct = [...this.#servers.values()].map(({ at }) => ({
      url: `http://${hostOf(at)}${port}`,
      network: at.network,
    }))
    const named = this.#name === undefined ? [] : [{ url: `http://${this.#name}.local${port}`, network: 'mDNS' }]
    return [...direct, ...named]
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    const announcements = this.#announcements
    this.#announcements = []
    await Promise.all([this.#front.close(), ...announcements.map(announcement => announcement.stop())])
  }

  #originOf(host: string): FrontOrigin | undefined {
    const url = `http://${host.replace(/\.(?=:|$)/, '').replace(/:80$/, '')}`
    return this.places.some(place => place.url === url)
      ? { scheme: 'http', host: url.slice('http://'.length) }
      : undefined
  }

  async #choosePort(addresses: readonly LanAddress[]): Promise<void> {
    let failure: LocaldError | undefined
    for (const port of this.#input.ports) {
      failure = await this.#listenOnAll(addresses, port)
      if (failure === undefined) return
    }
    if (failure !== undefined) throw failure
  }

  async #listenOnAll(addresses: readonly LanAddress[], port: number): Promise<LocaldError | undefined> {
    this.#port = port
    for (const at of addresses) {
      const failure = await this.#listen(at)
      if (failure === undefined) continue
      for (const { server } of this.#servers.values()) await new Promise(resolve => server.close(resolve))
      this.#servers.clear()
      return portError(this.#input.key, at.address, port, failure)
    }
    return undefined
  }

  /** Returns the system's code where that is not possible. */
  async #listen(at: LanAddress): Promise<string | undefined> {
    const server = this.#front.createServer()
    const bound = await listenOn(server, at.address, this.#port)
    if (typeof bound === 'string') return bound
    this.#port = bound.port
    this.#servers.set(at.address, { at, server })
    return undefined
  }

  #arm(): void {
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.#look().finally(() => this.#arm()), lookMs).unref()
  }

  /** Listens where the machine has got an address, and no longer where it has lost one. */
  async #look(): Promise<void> {
    const addresses = lanAddresses(networkInterfaces())
    const known = [...this.#servers.keys()]
    const lost = known.filter(address => !addresses.some(at => at.address === address))
    const found = addresses.filter(({ address }) => !known.includes(address))
    if (lost.length === 0 && found.length === 0) return
    for (const address of lost) {
      this.#servers.get(address)?.server.close()
      this.#servers.delete(address)
    }
    for (const at of found) {
      const failure = await this.#listen(at)
      // An IPv6 address is not ready while the system looks for duplicates: the next look tries again.
      if (failure !== undefined) this.#input.log.info(`cannot listen on ${at.address}: ${failure}`)
    }
    const old = this.#announcements
    this.#announcements = []
    await Promise.all(old.map(announcement => announcement.stop()))
    if (!this.#isClosed) await this.#announce()
    this.#input.changed()
  }

  /** Announces the first name that no other machine has, in the network of each interface. */
  async #announce(): Promise<void> {
    const [project = '', service = ''] = this.#input.key.split(':')
    const all = [...this.#servers.values()].map(({ at }) => at)
    this.notes.length = 0
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const name = nameOf(service, project, attempt)
      const begun = await Promise.all(all.filter(isFirstV4).map(v4 => this.#announceOn(v4, name, all)))
      const announced = begun.filter(each => each !== undefined && each !== 'failed')
      if (!begun.includes(undefined)) {
        this.#announcements = announced
        this.#name = announced.length === 0 ? undefined : name
        if (this.#isClosed) await Promise.all(announced.map(each => each.stop()))
        return
      }
      await Promise.all(announced.map(each => each.stop()))
    }
  }

  /** Undefined: another machine has the name. */
  async #announceOn(
    v4: LanAddress,
    name: string,
    all: readonly LanAddress[],
  ): Promise<Announcement | undefined | 'failed'> {
    const addresses = all.filter(({ network }) => network === v4.network)
    const own = all.map(({ address }) => address)
    try {
      return await Announcement.begin({ name, port: this.#port, addresses, own }, v4, this.#input.log)
    } catch (error) {
      this.notes.push(`the name ${name}.local is not announced on ${v4.network}: ${messageOf(error)}`)
      return 'failed'
    }
  }
}

function isFirstV4({ network, isV6 }: LanAddress, index: number, all: readonly LanAddress[]): boolean {
  return !isV6 && all.findIndex(each => each.network === network && !each.isV6) === index
}
