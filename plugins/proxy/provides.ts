declare module '../../kernel/contract/plugin.ts' {
  interface Services {
    /** The proxy's: where it serves host names. */
    readonly web: Web
  }
}

/** Where the proxy serves host names. */
export interface Web {
  /** Returns the URL that a browser opens for a host name such as `web.shop.localhost`, without a trailing slash. */
  url(host: string): string
  /** The real ports; null where it does not listen. */
  readonly http: number | null
  readonly https: number | null
}
