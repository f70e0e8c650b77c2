import { type Dirent, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Removes all files and sockets of a folder, as cleaners of temporary folders do with what was not used for long:
 * macOS' dirhelper (system_cmds, dirhelper.tproj) and systemd-tmpfiles(8). Folders and links stay. The result: how many
 * there were.
 */
export function sweep(folder: string): number {
  const swept = entriesOf(folder).filter(entry => entry.isFile() || entry.isSocket())
  for (const entry of swept) rmSync(join(entry.parentPath, entry.name), { force: true })
  return swept.length
}

/** Does so again and again until the result is called. */
export function keepSweeping(folder: string, everyMs: number): () => void {
  const timer = setInterval(() => sweep(folder), everyMs).unref()
  return () => clearInterval(timer)
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
  } catch {
    // It is not there yet, or a folder in it went while it was read.
    return []
  }
}
