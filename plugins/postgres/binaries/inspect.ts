import { join } from 'node:path'
import { canAccess, isProgram } from '../../lib/files.ts'
import { pathFolders, runProgram } from '../../lib/programs.ts'
import { type Major, majorOf } from './versions.ts'

/** PostgreSQL's programs on this machine. */
export interface Installation {
  readonly major: Major
  /** As `postgres --version` prints it: `18.4`. */
  readonly version: string
  /** The folder of `postgres` and `initdb`. */
  readonly bin: string
  /** `bundled`: came with locald; `fetched`: from the registry; `system`: installed by the user. */
  readonly origin: 'bundled' | 'fetched' | 'system'
}

/** Returns the path of one of its programs. */
export function programOf({ bin }: Installation, name: string): string {
  return join(bin, name)
}

/** ms */
const limits = { known: 10_000, new: 60_000 }

/**
 * Reads the version of the programs in a folder; undefined when it has no PostgreSQL of a supported major that runs
 * here.
 */
export async function inspect(bin: string, origin: Installation['origin']): Promise<Installation | undefined> {
  if (!(await isProgram(join(bin, 'initdb')))) return undefined
  const found = await readVersion(bin, origin, limits.known)
  return typeof found === 'string' ? undefined : found
}

/**
 * Reads the version of programs that were just installed; a string is the reason why they do not run. They get a
 * minute: macOS scans programs on their first run.
 */
export async function inspectNew(bin: string, origin: Installation['origin']): Promise<Installation | string> {
  return readVersion(bin, origin, limits.new)
}

async function readVersion(
  bin: string,
  origin: Installation['origin'],
  limitMs: number,
): Promise<Installation | string> {
  const { text, failure } = await output(join(bin, 'postgres'), ['--version'], limitMs)
  if (failure !== undefined) return failure
  const [, version = '', first = ''] = /PostgreSQL\) ((\d+)\S*)/.exec(text) ?? []
  const major = majorOf(first)
  return major === undefined ? `\`postgres --version\` printed '${text.trim()}'` : { major, version, bin, origin }
}

/** Returns whether an extension can be created: its control file is where this build looks. */
export async function hasExtension({ bin, major }: Installation, name: string): Promise<boolean> {
  // Homebrew's share folder, where extensions are linked, is outside its own; the packaged server has no pg_config.
  const configured = (await output(join(bin, 'pg_config'), ['--sharedir'], limits.known)).text.trim()
  const shares = [
    ...(configured ? [configured] : []),
    join(bin, '..', 'share', 'postgresql'),
    join(bin, '..', 'share'),
    `/usr/share/postgresql/${major}`,
    '/usr/share/pgsql',
  ]
  const found = await Promise.all(shares.map(share => canAccess(join(share, 'extension', `${name}.control`))))
  return found.includes(true)
}

/** Returns the folders where a system's PostgreSQL of a major may be, those of PATH first. */
export function systemFolders(major: Major, path: string | undefined): readonly string[] {
  return [
    ...pathFolders(path),
    `/usr/lib/postgresql/${major}/bin`,
    `/usr/pgsql-${major}/bin`,
    `/usr/libexec/postgresql${major}`,
    `/usr/local/pgsql-${major}/bin`,
    '/usr/local/pgsql/bin',
    `/opt/homebrew/opt/postgresql@${major}/bin`,
    `/usr/local/opt/postgresql@${major}/bin`,
    `/opt/local/lib/postgresql${major}/bin`,
    `/Library/PostgreSQL/${major}/bin`,
    `/Applications/Postgres.app/Contents/Versions/${major}/bin`,
    '/usr/bin',
  ]
}

/** Homebrew's client programs alone: `libpq` is linked nowhere else. */
const clientFolders = ['/opt/homebrew/opt/libpq/bin', '/usr/local/opt/libpq/bin'] as const

/** Returns the oldest program of the system, such as `pg_dump`, that is of at least this major. */
export async function systemProgram(
  name: string,
  least: Major,
  majors: readonly Major[],
  path: string | undefined,
): Promise<string | undefined> {
  for (const major of majors) {
    if (Number(major) < Number(least)) continue
    for (const folder of [...systemFolders(major, path), ...clientFolders]) {
      const program = join(folder, name)
      if (!(await isProgram(program))) continue
      const { text } = await output(program, ['--version'], limits.known)
      const [, found] = /PostgreSQL\) (\d+)/.exec(text) ?? []
      if (found !== undefined && Number(found) >= Number(least)) return program
    }
  }
  return undefined
}

interface Output {
  readonly text: string
  /** The reason of a failure: its own message, or that of dyld or the system. */
  readonly failure?: string
}

async function output(program: string, argv: readonly string[], timeoutMs: number): Promise<Output> {
  const { code, stdout, stderr, failure } = await runProgram(program, argv, { timeoutMs, env: {} })
  if (code === 0) return { text: stdout }
  return { text: '', failure: stderr.trim() || (failure ?? `exited with code ${code}`) }
}
