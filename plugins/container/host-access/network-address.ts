import { runEngine } from '../calls/run-engine.ts'
import type { Engine } from '../provides.ts'

/**
 * Returns addresses for a forwarder, the preferred first: the last ones of the network's IPv4 subnet, which are the same
 * whenever it is made again and which podman gives to others last. Empty where the engine needs none: only podman puts
 * another `host.docker.internal` into /etc/hosts (since 4.7), which containers then need to have replaced.
 */
export async function addressesFor(engine: Engine, network: string, signal: AbortSignal): Promise<readonly string[]> {
  if (engine.dialect !== 'podman') return []
  const text = await runEngine(engine, ['network', 'inspect', network], { signal })
  const subnet = /"subnet":\s*"(\d+\.\d+\.\d+\.\d+\/\d+)"/.exec(text)?.[1]
  return subnet === undefined ? [] : lastAddresses(subnet)
}

/** Returns the last addresses of a subnet such as `10.89.0.0/24` that hosts may have, at most four. */
export function lastAddresses(subnet: string): readonly string[] {
  const [address = '', length = ''] = subnet.split('/')
  const bits = 32 - Number(length)
  // Smaller ones have no addresses to spare.
  if (!(bits >= 4 && bits <= 24)) return []
  const base = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  const broadcast = Math.floor(base / 2 ** bits) * 2 ** bits + 2 ** bits - 1
  return [1, 2, 3, 4].map(below => dotted(broadcast - below))
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map(shift => Math.floor(address / 2 ** shift) % 256).join('.')
}
