import { createHash } from 'node:crypto'

/** Above the ports that people choose, below those that systems give to connections (from 32768 on). */
const first = 20_000
const count = 10_000
/** Ports to try. */
const attempts = 50

/** Returns the ports to try for a share, so that it has the same one each time while that is free. */
export function portsFor(key: string, exactly: number | undefined): readonly number[] {
  if (exactly !== undefined) return [exactly]
  const start = createHash('sha256').update(key).digest().readUInt32BE(0) % count
  return Array.from({ length: attempts }, (_, i) => first + ((start + i) % count))
}
