/** The ways to share a service: with the local network, or by the tunnel of another program. */
export type ShareWay = 'lan' | 'tailscale' | 'cloudflared' | 'ngrok'

/** A share. */
export interface ShareView {
  /** Key of the service. */
  readonly key: string
  readonly via: ShareWay
  /** The best one first; empty while the machine is in no network. */
  readonly urls: readonly SharePlace[]
  /** When it stops; null: not at a time. UTC, ISO 8601. */
  readonly until: string | null
  /** Whether it goes on without the command that began it. */
  readonly detached: boolean
}

/** A URL of a share. */
export interface SharePlace {
  readonly url: string
  /** Where it leads from: the interface `eth0`, or `mDNS`; null where the URL says it. */
  readonly network: string | null
}

/** A line of the answer to `POST /v1/shares`: the share, again when it changes, and at last why it has stopped. */
export type ShareEvent =
  | { readonly event: 'share'; readonly share: ShareView; readonly notes: readonly string[] }
  | { readonly event: 'stopped'; readonly reason: string }

/** What `POST /v1/shares` begins. */
export interface ShareBody {
  readonly key: string
  readonly via: ShareWay
  /** The port of the listener; absent: the same free one each time, where that is possible. */
  readonly port?: number
  /** Stops after this time, ms. */
  readonly forMs?: number
  /** Whether it goes on when the client disconnects. Default: false. */
  readonly detach?: boolean
}

/** Answer of `GET /v1/shares`, and of `POST /v1/shares/stop`: those that were stopped. */
export interface SharesAnswer {
  readonly shares: readonly ShareView[]
}
