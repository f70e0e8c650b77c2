import { join, sep } from 'node:path'

// Every command reads this file. An import would load all of node:fs.
const { existsSync, readlinkSync, rmSync, symlinkSync } = process.getBuiltinModule('node:fs')

/** Returns the path of the link in a runtime folder to the data folder that it belongs to. */
export function ownerLink(runtime: string): string {
  return join(runtime, 'data')
}

/** Whether a runtime folder belongs to the daemon of another data folder: environments may have one XDG_RUNTIME_DIR. */
export function isClaimedByOther(runtime: string, data: string): boolean {
  try {
    const owner = readlinkSync(ownerLink(runtime))
    return owner !== data && existsSync(owner)
  } catch {
    // It is not claimed.
    return false
  }
}

/** Whether a runtime folder is claimed; one in its data folder is by that. */
export function isClaimed(runtime: string, data: string): boolean {
  try {
    if (runtime.startsWith(join(data, sep))) return true
    return readlinkSync(ownerLink(runtime)) !== ''
  } catch {
    return false
  }
}

/** Claims a runtime folder for a data folder, unless it is inside; for the daemon that holds its lock. */
export function claimRuntime(runtime: string, data: string): void {
  if (runtime.startsWith(join(data, sep))) return
  rmSync(ownerLink(runtime), { recursive: true, force: true })
  symlinkSync(data, ownerLink(runtime))
}

/** Removes a data folder's claim of a runtime folder. Never throws. */
export function releaseRuntime(runtime: string, data: string): void {
  try {
    if (readlinkSync(ownerLink(runtime)) === data) rmSync(ownerLink(runtime))
  } catch {
    // The claim is missing, or another's.
  }
}
