import type { Network, ServicePlan, ServiceType } from '../../contract/plugin.ts'

/**
 * Returns the network that a service has: by its type, or by its options where the type leaves it to them. Options that
 * are undefined are invalid, which was reported.
 */
export function networkOf(driver: ServiceType<unknown>, { options }: Pick<ServicePlan, 'options'>): Network {
  const { network = 'web' } = driver
  if (typeof network !== 'function') return network
  return options === undefined ? 'web' : network(options)
}
