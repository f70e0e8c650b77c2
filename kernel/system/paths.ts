import { dirname, join } from 'node:path'
import { LocaldError, messageOf, systemCode } from '../errors.ts'
import { lastRuntime } from './daemon-place.ts'
import { foreignFolder, isCallers, isOwnFolder, isOwnSocket, otherOwnerAbove } from './file-owner.ts'
import { nativeFolder } from './native.ts'
import { platformOf, releaseOf } from './platform.ts'
import {
  absolute,
  isTemporary,
  localRuntimeOf,
  longestSocketPath,
  plainRuntimeOf,
  runtimeOf,
  spareRuntimeOf,
} from './runtime-folder.ts'

export { isOthers, mayRun, type Place, readPlace } from './daemon-place.ts'
export { otherOwnerAbove } from './file-owner.ts'
export { shortHash } from './hash.ts'
export { compileNative } from './native.ts'
export { longestSocketPath } from './runtime-folder.ts'

// Not by import: that reads all of node:fs, streams too, which is a thirtieth of the time of a short command.
const { chmodSync, lstatSync, mkdirSync, statSync } = process.getBuiltinModule('node:fs')

/** Where everything of one daemon is. All absolute. */
export interface Paths {
  readonly data: string
  readonly config: string
  readonly runtime: string
  /** The runtime folder where that is gone and cannot be made again. */
  readonly spareRuntime: string
  /** The runtime folder for sockets whose paths people write in commands: without white space. */
  readonly plainRuntime: string
  /** The runtime folder where `runtime` is on a disk that takes no sockets. */
  readonly localRuntime: string
  /** The API's unix socket. */
  readonly socket: string
  /** Whether LOCALD_SOCKET says where it is. */
  readonly isSocketGiven: boolean
  /** Locked by the daemon for its life: one daemon for each data folder, */
  readonly lock: string
  /** and for each runtime folder. */
  readonly runtimeLock: string
  /** What runs, for the next daemon. */
  readonly records: string
  readonly daemonLog: string
  /** How the daemon is to be started where `server install` was run. */
  readonly boot: string
  /** Undefined: the CLI starts the daemon, where `server install` was not run. */
  readonly launchJobs: LaunchJobPaths | undefined
  /** Crash reports. */
  readonly crash: string
  /** The keeper's folder. */
  readonly native: string
  readonly sandbox: string | undefined
  readonly privileged: PrivilegedPaths
}

/**
 * Of jobs by which launchd starts the daemon, without an installation: since macOS 27 the end of an app is that of all that it has started,
 * and of what that has started (tmux/tmux#5465).
 */
export interface LaunchJobPaths {
  /** Where their property lists are while launchd reads them. */
  readonly folder: string
  /** The system's own, whatever is on PATH; in a sandbox, which a test may give another, the first on PATH. */
  readonly launchctl: string
}

/** What belongs to root, for all users of the machine. Compiled into the helper as well (shim/paths.h). */
export interface PrivilegedPaths {
  /** Where the helper may be, best first. */
  readonly shims: readonly string[]
  /** Folder of the list of who may call it. */
  readonly conf: string
  readonly hosts: string
  /** Folders of certificates with the files of users: `locald-<uid>-<serial>.crt`. */
  readonly anchors: readonly string[]
  /** Folders of cgroups, a subfolder for each user. */
  readonly slices: readonly string[]
  /** The keychain with the certificates of all users, and the system's program that reads it. */
  readonly keychain?: { readonly file: string; readonly security: string }
}

/** What decides the paths. */
export interface PathsInput {
  readonly env: NodeJS.ProcessEnv
  readonly sandbox?: string | undefined
  /** The runtime folder, whatever the environment says. */
  readonly runtime?: string | undefined
}

/** The release of macOS since which what an app has started ends with it. */
const endsWithApp = 27
const sandboxName = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/

/**
 * Where things are, by the XDG base directory specification. Makes nothing. Throws USAGE for a bad sandbox name or LOCALD_SOCKET,
 * PATHS_UNUSABLE where there is no home folder.
 */
export function resolvePaths(input: PathsInput): Paths {
  const { env } = input
  const sandbox = input.sandbox ?? (env['LOCALD_SANDBOX'] || undefined)
  if (sandbox !== undefined && !sandboxName.test(sandbox)) {
    throw new LocaldError('USAGE', `'${sandbox}' is no sandbox name`, {
      hint: 'Use 1 to 32 lower-case letters, digits and dashes.',
    })
  }
  const home = homeOf(env)
  const mac = platformOf(env, sandbox) === 'darwin'
  const dataHome = absolute(env['XDG_DATA_HOME'])
  const data =
    dataHome === undefined && mac
      ? join(home, 'Library', 'Application Support', 'locald')
      : join(dataHome ?? join(home, '.local', 'share'), 'locald')
  const config = join(absolute(env['XDG_CONFIG_HOME']) ?? join(home, '.config'), 'locald')
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
    // Both need a hash, for which few commands have a use.
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
    get launchJobs() {
      if (!mac || releaseOf(env, sandbox) < endsWithApp) return undefined
      const launchctl = sandbox === undefined ? '/bin/launchctl' : 'launchctl'
      return { folder: join(dataFolder, 'launch-jobs'), launchctl }
    },
    crash: join(dataFolder, 'crashes'),
    // Looked for when needed: without a build of one's own that means to resolve a package.
    get native() {
      return absolute(env['LOCALD_NATIVE']) ?? nativeFolder(dataFolder)
    },
    sandbox,
    privileged: mac ? onMac : onLinux,
  }
}

/**
 * As `resolvePaths`, for who starts a daemon: in the runtime folder of the last one of this data folder, as long as that is there, for the
 * sockets of what runs are in it. Not in a temporary folder of macOS, where daemons of earlier versions were: what runs is found there by
 * its records.
 */
export function settlePaths(input: PathsInput): Paths {
  const paths = resolvePaths(input)
  const runtime = lastRuntime(paths.data)
  if (runtime === undefined || runtime === paths.runtime) return paths
  const isSwept = platformOf(input.env, paths.sandbox) === 'darwin' && isTemporary(runtime)
  return isSwept && !isTemporary(paths.runtime) ? paths : resolvePaths({ ...input, runtime })
}

const onLinux: PrivilegedPaths = {
  shims: ['/usr/local/libexec/locald/locald-shim', '/opt/locald/locald-shim'],
  conf: '/etc/locald',
  hosts: '/etc/hosts',
  anchors: [
    '/etc/ssl/certs',
    '/usr/local/share/ca-certificates',
    '/etc/pki/ca-trust/source/anchors',
    '/etc/ca-certificates/trust-source/anchors',
    '/etc/pki/trust/anchors',
  ],
  slices: ['/sys/fs/cgroup/locald.slice', '/sys/fs/cgroup/unified/locald.slice'],
}

const onMac: PrivilegedPaths = {
  shims: ['/Library/PrivilegedHelperTools/locald-shim'],
  conf: '/private/etc/locald',
  hosts: '/private/etc/hosts',
  anchors: [],
  slices: [],
  keychain: { file: '/Library/Keychains/System.keychain', security: '/usr/bin/security' },
}

/**
 * Makes the folders, private to the user. Throws PATHS_UNUSABLE where that fails, the folder is somebody else's, or root would make
 * it in another user's: the runtime folder may be in a place where anyone can make one first, so that no link is followed there.
 */
export function preparePaths(paths: Pick<Paths, 'data' | 'runtime' | 'socket'>): void {
  for (const folder of [paths.data, paths.runtime, dirname(paths.socket)]) unlessUnusable(folder, refuseOthersHome)
  unlessUnusable(paths.data, ownDataFolder)
  unlessUnusable(paths.runtime, ownRuntimeFolder)
  // Of a socket that LOCALD_SOCKET puts elsewhere the folder is made, but an existing one is the user's own affair.
  unlessUnusable(dirname(paths.socket), makeFolder)
}

/** Makes the folder for sockets whose paths people write where others could make it first, in a temporary folder. Throws PATHS_UNUSABLE. */
export function preparePlainRuntime({ plainRuntime }: Pick<Paths, 'plainRuntime'>): void {
  if (isTemporary(plainRuntime)) unlessUnusable(plainRuntime, ownRuntimeFolder)
}

function ownRuntimeFolder(folder: string): void {
  makeFolder(folder)
  isOwnFolder(folder)
}

/**
 * Whether the daemon's socket is there, in a place that is the caller's own: to be asked before it is connected to. Throws PATHS_UNUSABLE
 * where it is another user's.
 */
export function hasOwnSocket({ socket, runtime }: Pick<Paths, 'socket' | 'runtime'>): boolean {
  let isThere = false
  unlessUnusable(dirname(socket), folder => {
    isThere = (folder !== runtime || isOwnFolder(folder)) && isOwnSocket(socket)
  })
  return isThere
}

/** A folder, and those above it. Node's own way never ends where mkdir(2) says ENOENT in a folder that is there, as in /proc. */
function makeFolder(folder: string): void {
  const isThere = () => statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true
  if (isThere()) return
  if (dirname(folder) !== folder) makeFolder(dirname(folder))
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    // Others start at the same moment.
    if (systemCode(error) !== 'EEXIST' || !isThere()) throw error
  }
}

/** Root makes nothing in a user's home: the user, and every other program of theirs, could not use it. */
function refuseOthersHome(folder: string): void {
  const uid = otherOwnerAbove(folder)
  if (uid === undefined || statSync(folder, { throwIfNoEntry: false }) !== undefined) return
  throw new LocaldError('PATHS_UNUSABLE', `cannot use ${folder} as root: it is in a folder of user ${uid}`, {
    hint: 'Run locald without sudo, or with a home folder of root: `sudo -H locald …`.',
  })
}

/** The data folder may be a link to another disk, but one of the user's or root's: XDG_DATA_HOME may be where anyone can make one. */
function ownDataFolder(folder: string): void {
  makeFolder(folder)
  const link = lstatSync(folder)
  const stat = statSync(folder)
  if (!stat.isDirectory() || !isCallers(stat) || !(isCallers(link) || link.uid === 0)) throw foreignFolder(folder)
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

/** A user without an entry in the password file, as in some containers, has no home folder but in HOME. */
function homeOf(env: NodeJS.ProcessEnv): string {
  const given = absolute(env['HOME'])
  if (given !== undefined) return given
  try {
    return process.getBuiltinModule('node:os').userInfo().homedir
  } catch (error) {
    throw new LocaldError('PATHS_UNUSABLE', 'there is no home folder', { hint: 'Set HOME.', cause: error })
  }
}

/** A socket that cannot be would otherwise be met as a daemon that does not answer. */
function givenSocket(env: NodeJS.ProcessEnv): string | undefined {
  const given = env['LOCALD_SOCKET'] || undefined
  if (given === undefined) return undefined
  const usage = (message: string, hint: string) => new LocaldError('USAGE', `LOCALD_SOCKET ${message}`, { hint })
  if (absolute(given) === undefined) throw usage(`is '${given}'`, 'It must be an absolute path.')
  if (Buffer.byteLength(given) > longestSocketPath) {
    throw usage(`has ${Buffer.byteLength(given)} bytes`, `The path of a socket can have at most ${longestSocketPath}.`)
  }
  return given
}
