import { basename, join } from 'node:path'
import { callerUid } from './file-owner.ts'
import { shortHash } from './hash.ts'
import { isClaimedByOther } from './runtime-claim.ts'

/** The input that decides where a daemon's runtime folder is. */
export interface RuntimeInput {
  readonly env: NodeJS.ProcessEnv
  readonly home: string
  readonly isMac: boolean
  /** The data folder. */
  readonly data: string
  /** A sandbox's own folder. */
  readonly base: string | undefined
}

/**
 * The longest socket path every platform takes: sun_path has 104 bytes on macOS and 108 on Linux, one of them for the
 * NUL (unix(4), unix(7)).
 */
export const longestSocketPath = 103
/** Room for the names of sockets below the runtime folder, the longest of which is `/p/<6>/.s.PGSQL.65535`. Bytes. */
const socketRoom = 24

/**
 * Returns the runtime folder of a data folder: `run` in a sandbox's folder, else `locald` in XDG_RUNTIME_DIR, or
 * another name there where that belongs to another daemon. Without that variable it is in the temporary folder on
 * Linux, and `run` in the data folder on macOS, which deletes entries of temporary folders that were not used for three
 * days (dirhelper(8), com.apple.bsd.dirhelper and com.apple.tmp_cleaner), sockets and locks as well, and where
 * nix-shell, sudo and ssh set another TMPDIR.
 */
export function runtimeOf(input: RuntimeInput): string {
  const { env, isMac, data, base } = input
  if (base !== undefined) return shortestFitting(join(base, 'run'), input)
  const given = ifAbsolute(env['XDG_RUNTIME_DIR'])
  if (given === undefined && isMac) return spareRuntimeOf(input)
  const wanted = given === undefined ? join(temporaryFolderOf(env), temporaryName()) : join(given, 'locald')
  const usual = shortestFitting(wanted, input)
  return isClaimedByOther(usual, data) ? shortestFitting(`${wanted}-${shortHash(data, 12)}`, input) : usual
}

/**
 * Returns the runtime folder for when the usual one was deleted and cannot be created: in the data folder, which no
 * cleaner touches.
 */
export function spareRuntimeOf(input: Pick<RuntimeInput, 'env' | 'home' | 'isMac' | 'data'>): string {
  return shortestFitting(join(input.data, 'run'), input)
}

/**
 * Returns a runtime folder for sockets whose paths people write in commands and URLs: a short twin where the path has
 * white space.
 */
export function plainRuntimeOf(runtime: string, input: Pick<RuntimeInput, 'env' | 'home' | 'isMac'>): string {
  return /\s/.test(runtime) ? twinOf(runtime, input) : runtime
}

/** Returns the runtime folder of a data folder on a disk that does not support sockets. */
export function localRuntimeOf(runtime: string, { env }: Pick<RuntimeInput, 'env'>): string {
  return temporaryTwin(runtime, temporaryFolderOf(env))
}

/** Whether a runtime folder is in a temporary folder. */
export function isTemporary(runtime: string): boolean {
  const name = basename(runtime)
  const own = temporaryName()
  return name === own || (name.startsWith(`${own}-`) && /^[0-9a-f]{12}$/.test(name.slice(own.length + 1)))
}

/**
 * Returns the folder, or, where its path is too long for a socket, a short twin named by its hash: in the temporary
 * folder, on macOS in the home folder; in /tmp where that is too long as well.
 */
function shortestFitting(wanted: string, input: Pick<RuntimeInput, 'env' | 'home' | 'isMac'>): string {
  return fits(wanted) ? wanted : twinOf(wanted, input)
}

function twinOf(wanted: string, { env, home, isMac }: Pick<RuntimeInput, 'env' | 'home' | 'isMac'>): string {
  if (!isMac) return temporaryTwin(wanted, temporaryFolderOf(env))
  const twin = join(home, '.locald', 'run', shortHash(wanted, 12))
  // In every shell the same one.
  return fits(twin) ? twin : temporaryTwin(wanted, '/tmp')
}

function temporaryTwin(wanted: string, folder: string): string {
  const name = `${temporaryName()}-${shortHash(wanted, 12)}`
  return [join(folder, name)].find(fits) ?? join('/tmp', name)
}

function fits(folder: string): boolean {
  return Buffer.byteLength(folder) + socketRoom <= longestSocketPath
}

function temporaryName(): string {
  return `locald-${callerUid() ?? 0}`
}

function temporaryFolderOf(env: NodeJS.ProcessEnv): string {
  return ifAbsolute(env['TMPDIR']) ?? process.getBuiltinModule('node:os').tmpdir()
}

/** Returns an absolute path; undefined for a relative one, which the XDG specification ignores. */
export function ifAbsolute(path: string | undefined): string | undefined {
  return path?.startsWith('/') ? path : undefined
}
