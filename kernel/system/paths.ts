import { join } from 'node:path'
import { LocaldError } from '../errors.ts'
import { lastRuntime } from './daemon-address.ts'
import { nativeFolder } from './native.ts'
import { platformOf, releaseOf } from './platform.ts'
import {
  ifAbsolute,
  isTemporary,
  localRuntimeOf,
  longestSocketPath,
  plainRuntimeOf,
  runtimeOf,
  spareRuntimeOf,
} from './runtime-folder.ts'

export { type DaemonAddress, mayRun, readAddress } from './daemon-address.ts'
export { otherOwnerAbove } from './file-owner.ts'
export { shortHash } from './hash.ts'
export { compileNative } from './native.ts'
export { isClaimedByOther } from './runtime-claim.ts'
export { longestSocketPath } from './runtime-folder.ts'

/** The files and folders of one daemon, absolute. */
export interface Paths {
  readonly data: string
  readonly config: string
  readonly runtime: string
  /** The runtime folder for when `runtime` was deleted and cannot be created again. */
  readonly spareRuntime: string
  /** The runtime folder for sockets whose paths people write in commands: without white space. */
  readonly plainRuntime: string
  /** The runtime folder for when `runtime` is on a disk that does not support sockets. */
  readonly localRuntime: string
  /** The API's Unix socket. */
  readonly socket: string
  /** Whether LOCALD_SOCKET sets it. */
  readonly isSocketGiven: boolean
  /** Locked by the daemon for its life: one daemon for each data folder, */
  readonly lock: string
  /** and for each runtime folder. */
  readonly runtimeLock: string
  /** The records of running services, for the next daemon. */
  readonly records: string
  readonly daemonLog: string
  /** How to start the daemon, after `server install`. */
  readonly boot: string
  /** Crash reports. */
  readonly crash: string
  /** The keeper's folder. */
  readonly native: string
  readonly sandbox: string | undefined
  readonly platform: NodeJS.Platform
  /** Major release of the system's kernel, 0 where that is not known. */
  readonly release: number
}

/** The input of `resolvePaths`. */
export interface PathsInput {
  readonly env: NodeJS.ProcessEnv
  readonly sandbox?: string | undefined
  /** The runtime folder; it overrides the environment. */
  readonly runtime?: string | undefined
}

const sandboxName = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/

/**
 * Resolves all paths, by the XDG base directory specification. Creates nothing. Throws USAGE for a bad sandbox name or
 * LOCALD_SOCKET, PATHS_UNUSABLE where there is no home folder.
 */
export function resolvePaths(input: PathsInput): Paths {
  const { env } = input
  const sandbox = input.sandbox ?? (env['LOCALD_SANDBOX'] || undefined)
  if (sandbox !== undefined && !sandboxName.test(sandbox)) {
    throw new LocaldError('USAGE', `invalid sandbox name '${sandbox}'`, {
      hint: 'Use 1 to 32 lower-case letters, digits and dashes.',
    })
  }
  const home = homeOf(env)
  const platform = platformOf(env, sandbox)
  const mac = platform === 'darwin'
  const dataHome = ifAbsolute(env['XDG_DATA_HOME'])
  const data =
    dataHome === undefined && mac
      ? join(home, 'Library', 'Application Support', 'locald')
      : join(dataHome ?? join(home, '.local', 'share'), 'locald')
  const config = join(ifAbsolute(env['XDG_CONFIG_HOME']) ?? join(home, '.config'), 'locald')
  const base = sandbox === undefined ? undefined : join(data, 'sandboxes', sandbox)
  const dataFolder = base === undefined ? data : join(base, 'data')
  const where = { env, home, isMac: mac, data: dataFolder, base }
  const runtime = input.runtime ?? runtimeOf(where)
  const socket = givenSocket(env)
  return {
    data: dataFolder,
    config: base === undefined ? config : join(base, 'config'),
    runtime,
    spareRuntime: spareRuntimeOf(where),
    // Both need a hash, and few commands use them.
    get plainRuntime() {
      return plainRuntimeOf(runtime, where)
    },
    get localRuntime() {
      return localRuntimeOf(runtime, where)
    },
    socket: socket ?? join(runtime, 'locald.sock'),
    isSocketGiven: socket !== undefined,
    lock: join(dataFolder, 'daemon.lock'),
    runtimeLock: join(runtime, 'daemon.lock'),
    records: join(dataFolder, 'running'),
    daemonLog: join(dataFolder, 'daemon.log'),
    boot: join(dataFolder, 'boot.json'),
    crash: join(dataFolder, 'crashes'),
    // Resolved on demand: without a build of this checkout it takes the lookup of a package.
    get native() {
      return ifAbsolute(env['LOCALD_NATIVE']) ?? nativeFolder(dataFolder)
    },
    sandbox,
    platform,
    get release() {
      return releaseOf(env, sandbox)
    },
  }
}

/**
 * Resolves all paths for starting a daemon: with the runtime folder of this data folder's last daemon, as long as it
 * exists, because the sockets of running services are in it. An exception is a temporary folder of macOS, which earlier
 * versions used: services there are found by their records.
 */
export function settlePaths(input: PathsInput): Paths {
  const paths = resolvePaths(input)
  const runtime = lastRuntime(paths.data)
  if (runtime === undefined || runtime === paths.runtime) return paths
  const isSwept = platformOf(input.env, paths.sandbox) === 'darwin' && isTemporary(runtime)
  return isSwept && !isTemporary(paths.runtime) ? paths : resolvePaths({ ...input, runtime })
}

/**
 * Returns the home folder: HOME, which is the only source for a user without an entry in the password file, as in some
 * containers.
 */
function homeOf(env: NodeJS.ProcessEnv): string {
  const given = ifAbsolute(env['HOME'])
  if (given !== undefined) return given
  try {
    return process.getBuiltinModule('node:os').userInfo().homedir
  } catch (error) {
    throw new LocaldError('PATHS_UNUSABLE', 'there is no home folder', { hint: 'Set HOME.', cause: error })
  }
}

/** Returns LOCALD_SOCKET. Throws USAGE for an impossible one, which would look like a daemon that does not answer. */
function givenSocket(env: NodeJS.ProcessEnv): string | undefined {
  const given = env['LOCALD_SOCKET'] || undefined
  if (given === undefined) return undefined
  const usage = (message: string, hint: string) => new LocaldError('USAGE', `LOCALD_SOCKET ${message}`, { hint })
  if (ifAbsolute(given) === undefined) throw usage(`is '${given}'`, 'It must be an absolute path.')
  if (Buffer.byteLength(given) > longestSocketPath) {
    throw usage(`has ${Buffer.byteLength(given)} bytes`, `The path of a socket can have at most ${longestSocketPath}.`)
  }
  return given
}
