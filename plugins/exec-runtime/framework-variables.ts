import type { Host } from '../../kernel/contract/plugin.ts'

/** The host names that a service accepts besides `*.localhost`. */
export const hostsVariable = '__VITE_ADDITIONAL_SERVER_ALLOWED_HOSTS'

/** Sets variables by which dev servers accept the host names of a service, and connect to it through the proxy. */
export function addFrameworkVariables(host: Host): void {
  host.variable({
    // Vite's servers, those of other tools that are made of it included, refuse other names than `*.localhost`.
    ...{ name: hostsVariable, rank: 'fallback' },
    value: ({ hosts }) => allowedDomain(hosts),
  })
  // The client of Create React App connects to the address of the page, instead of to $HOST and $PORT without TLS.
  for (const [name, value] of Object.entries({ WDS_SOCKET_HOST: '0.0.0.0', WDS_SOCKET_PORT: '0' })) {
    host.variable({
      ...{ name, rank: 'fallback' },
      value: ({ hosts, port }) => (hosts.length > 0 && port !== undefined ? value : undefined),
    })
  }
}

/**
 * Returns the domain of all host names as `.shop.test`, which stands for the domain and all below it; undefined where
 * every name is of `.localhost`. Only the newest Vite reads more than one.
 */
export function allowedDomain(hosts: readonly string[]): string | undefined {
  const others = hosts.filter(name => !name.endsWith('.localhost'))
  const [first = '', ...more] = others.map(name => name.split('.').reverse())
  if (first === '') return undefined
  const count = first.findIndex((label, at) => more.some(labels => labels[at] !== label))
  const common = count < 0 ? first : first.slice(0, count)
  // A domain of one label is anyone's.
  return `.${(common.length < 2 ? first : common).toReversed().join('.')}`
}
