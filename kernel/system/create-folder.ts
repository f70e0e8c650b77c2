import { dirname } from 'node:path'
import { systemCode } from '../errors.ts'

// An import would load all of node:fs, streams included: a thirtieth of the time of a short command.
const { mkdirSync, statSync } = process.getBuiltinModule('node:fs')

/**
 * Creates a folder, and those above it; `mode`: the permissions of new ones, less the umask, as of `mkdir -p` by
 * default. Throws the system's errors. Node's `recursive` loops forever where mkdir(2) reports ENOENT in an existing
 * folder, as in /proc.
 */
export function createFolder(folder: string, mode = 0o777): void {
  const isThere = () => statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true
  if (isThere()) return
  if (dirname(folder) !== folder) createFolder(dirname(folder), mode)
  try {
    mkdirSync(folder, { mode })
  } catch (error) {
    // Another process created it at the same moment.
    if (systemCode(error) !== 'EEXIST' || !isThere()) throw error
  }
}
