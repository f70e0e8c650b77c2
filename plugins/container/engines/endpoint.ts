/** Where an engine listens: a Unix socket of this machine, or an address. */
export type Endpoint =
  | { readonly url: string; readonly socket: string }
  | { readonly url: string; readonly socket: undefined; readonly host: string }

/** Parses the value of DOCKER_HOST, CONTAINER_HOST or a context: a URL, or an absolute path. */
export function parseEndpoint(text: string): Endpoint {
  const [, scheme = '', rest = ''] = /^([a-z]+):\/\/(.*)$/.exec(text) ?? []
  if (text.startsWith('/')) return { url: `unix://${text}`, socket: text }
  if (scheme === 'unix' || scheme === 'fd' || scheme === 'npipe') return { url: text, socket: rest }
  const authority = (scheme === '' ? text : rest).split('/', 1)[0] ?? ''
  const address = authority.slice(authority.lastIndexOf('@') + 1)
  const host = /^\[([^\]]*)\]/.exec(address)?.[1] ?? address.replace(/:\d*$/, '')
  return { url: text, socket: undefined, host }
}

/** Returns whether an engine runs on this machine, or in a VM of it: elsewhere ports and folders would not be its. */
export function isLocal(endpoint: Endpoint): boolean {
  return endpoint.socket !== undefined || /^(?:|localhost|127(?:\.\d+){3}|::1)$/i.test(endpoint.host)
}

/** Returns an endpoint for messages: without a password. */
export function describeEndpoint({ url }: Endpoint): string {
  return url.replace(/:\/\/([^/@:]*):[^/@]*@/, '://$1:…@')
}
