import type { SecureContext } from 'node:tls'

declare module '../../kernel/contract/plugin.ts' {
  interface Services {
    /** https's: what the proxy needs to speak TLS. */
    readonly certificates: Certificates
  }
}

/** Certificates for host names, made on demand. */
export interface Certificates {
  /** PEM file of the local CA's root. */
  readonly caFile: string
  /** Returns whether the CA may certify a name, given in any case. */
  covers(name: string): boolean
  /** Returns the TLS context for the name a client asks for (SNI); undefined where the CA may not certify it. */
  context(name: string): SecureContext | undefined
  /**
   * Makes a certificate, PEM, for clients that send no name: of `localhost` and this machine's loopback addresses.
   * `ca`: empty.
   */
  own(): { readonly key: string; readonly cert: string; readonly ca: string[] }
}
