import { readFileSync } from 'node:fs'
import { arch, availableParallelism, loadavg, platform, release, totalmem } from 'node:os'

/** The properties of the machine that figures depend on; no names, no paths. */
export function machine() {
  return {
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${distribution()} (${platform()} ${release()}, ${arch()})`,
    node: process.version,
    /** Runnable processes over the last minute, as a measure of other load. */
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  }
}

function distribution(): string {
  try {
    return /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown'
  } catch {
    return 'unknown'
  }
}
