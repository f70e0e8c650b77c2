declare module '../../kernel/contract/plugin.ts' {
  interface Services {
    /** The dashboard's: where the proxy forwards the requests for locald's own names to. */
    readonly dashboard: Dashboard
  }
}

/** A request for one of locald's own names, as the proxy sees it. */
export interface DashboardRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly scheme: 'http' | 'https'
  /** Returns all values of a header; `name` in lower case. */
  header(name: string): readonly string[]
}

/** The dashboard, which the proxy serves under locald's own names. */
export interface Dashboard {
  /** Returns the path of the Unix socket on which it speaks HTTP/1.1; undefined where it does not listen. */
  socket(): string | undefined
  /** Returns whether a request is the dashboard's. The proxy answers the others: `/` for a client without a session. */
  answers(request: DashboardRequest): boolean
  /** Returns the URL of the page about a service, by its key; undefined: of the overview. */
  place(key: string | undefined, scheme: 'http' | 'https'): string
}
