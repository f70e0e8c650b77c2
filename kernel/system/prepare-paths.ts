import { dirname } from 'node:path'
import { LocaldError, messageOf } from '../errors.ts'
import { createFolder } from './create-folder.ts'
import { foreignFolder, isOwnedByCaller, isOwnFolder, isOwnSocket, otherOwnerAbove } from './file-owner.ts'
import type { Paths } from './paths.ts'
import { isTemporary } from './runtime-folder.ts'

// An import would load all of node:fs, streams included: a thirtieth of the time of a short command.
const { chmodSync, lstatSync, statSync } = process.getBuiltinModule('node:fs')

const privateMode = 0o700

/**
 * Creates the folders, private to the user. Throws PATHS_UNUSABLE where that fails, a folder is another user's, or root
 * would create it in another user's home. The runtime folder may be in a place where anyone can create it first, so
 * that no link is followed there.
 */
export function preparePaths(paths: Pick<Paths, 'data' | 'runtime' | 'socket'>): void {
  for (const folder of [paths.data, paths.runtime, dirname(paths.socket)]) unlessUnusable(folder, refuseOthersHome)
  unlessUnusable(paths.data, ownDataFolder)
  unlessUnusable(paths.runtime, ownRuntimeFolder)
  // The folder of LOCALD_SOCKET is created, but the permissions of an existing one are the user's choice.
  unlessUnusable(dirname(paths.socket), folder => createFolder(folder, privateMode))
}

/**
 * Creates `plainRuntime` where it is in a temporary folder, in which others could create it first. Throws
 * PATHS_UNUSABLE.
 */
export function preparePlainRuntime({ plainRuntime }: Pick<Paths, 'plainRuntime'>): void {
  if (isTemporary(plainRuntime)) unlessUnusable(plainRuntime, ownRuntimeFolder)
}

function ownRuntimeFolder(folder: string): void {
  createFolder(folder, privateMode)
  isOwnFolder(folder)
}

/**
 * Whether the daemon's socket exists, in a folder of the caller's own: checked before a connection. Throws
 * PATHS_UNUSABLE where it is another user's.
 */
export function hasOwnSocket({ socket, runtime }: Pick<Paths, 'socket' | 'runtime'>): boolean {
  let isThere = false
  unlessUnusable(dirname(socket), folder => {
    isThere = (folder !== runtime || isOwnFolder(folder)) && isOwnSocket(socket)
  })
  return isThere
}

/** Refuses root in a user's home: neither the user nor the user's programs could use the folder. */
function refuseOthersHome(folder: string): void {
  const uid = otherOwnerAbove(folder)
  if (uid === undefined || statSync(folder, { throwIfNoEntry: false }) !== undefined) return
  throw new LocaldError('PATHS_UNUSABLE', `cannot use ${folder} as root: it is in a folder of user ${uid}`, {
    hint: 'Run locald without sudo, or with a home folder of root: `sudo -H locald …`.',
  })
}

/**
 * Checks the owner of the data folder. It may be a link to another disk if the user or root owns it: others may be able
 * to create one in XDG_DATA_HOME.
 */
function ownDataFolder(folder: string): void {
  createFolder(folder, privateMode)
  const link = lstatSync(folder)
  const stat = statSync(folder)
  if (!stat.isDirectory() || !isOwnedByCaller(stat) || !(isOwnedByCaller(link) || link.uid === 0))
    throw foreignFolder(folder)
  if ((stat.mode & 0o077) !== 0) chmodSync(folder, 0o700)
}

function unlessUnusable(folder: string, use: (folder: string) => void): void {
  try {
    use(folder)
  } catch (error) {
    if (LocaldError.is(error)) throw error
    throw new LocaldError('PATHS_UNUSABLE', `cannot use ${folder}: ${messageOf(error)}`, {
      hint: 'Check the permissions of that folder, or set HOME, XDG_DATA_HOME and XDG_RUNTIME_DIR.',
      cause: error,
    })
  }
}
