import type { Service } from './project.ts'

/** The first port of services without a written one. */
const firstPort = 8080

/** Returns the written ports of services, and a free one for each other that serves: nothing assigns them later. */
export function withPorts(
  services: readonly Service[],
  written: Iterable<readonly [name: string, port: number]>,
): ReadonlyMap<string, number> {
  const ports = new Map(written)
  let next = firstPort
  for (const { name, type } of services) {
    if (type !== 'exec' || ports.has(name)) continue
    while ([...ports.values()].includes(next)) next++
    ports.set(name, next)
  }
  return ports
}
