import type { Host } from '../../kernel/contract/plugin.ts'
import { LocaldError } from '../../kernel/errors.ts'
import type { Scheme } from './cookies.ts'

/** The name of the dashboard in URLs: cookies of `localhost` would go to every service there, whatever its port. */
const ownName = 'locald.localhost'

/**
 * Returns the origin of the dashboard, with the scheme that is asked for where the proxy serves it. Throws FEATURE_OFF
 * where no proxy does.
 */
export function originOf(host: Pick<Host, 'optional'>, scheme?: Scheme): string {
  const web = host.optional('web')
  if (web === undefined || (web.http === null && web.https === null))
    throw new LocaldError('FEATURE_OFF', 'the dashboard is not served: the proxy does not listen', {
      hint: 'Run `locald doctor` for the cause.',
    })
  if (scheme !== 'http' || web.http === null) return web.url(ownName)
  return `http://${ownName}${web.http === 80 ? '' : `:${web.http}`}`
}
