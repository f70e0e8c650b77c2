import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Installation, programOf } from '../binaries/inspect.ts'
import type { ServicePaths } from '../files/paths.ts'
import type { PostgresOptions } from '../options.ts'
import type { Account } from './account.ts'

/** How a server is started. */
export interface ServerInput {
  readonly key: string
  readonly installation: Installation
  readonly account: Account
  /** PGDATA. */
  readonly cluster: string
  readonly paths: ServicePaths
}

/** How a server that sets up a cluster is started. */
export interface SetupInput extends ServerInput {
  /**
   * Whether the cluster is in its final place. If not, it is flushed as a whole before the move: its server need not.
   */
  readonly isPlaced: boolean
}

/** Returns the environment of the server's processes, without anything of the caller's. */
export function serverEnv(): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LANG: 'C', TZ: 'UTC' }
}

/** Returns the server's command: it listens on `port` of 127.0.0.1 and in the socket's folder alone. */
export function serverArgv(input: ServerInput, port: number): readonly [string, ...string[]] {
  return argvOf(input, [`port=${port}`, 'listen_addresses=127.0.0.1'])
}

/** Returns the command of a server that sets up a cluster: it listens on its socket alone, without a password. */
export function setupArgv(input: SetupInput, port: number, accessFile: string): readonly [string, ...string[]] {
  const more = input.isPlaced ? [] : ['fsync=off']
  return argvOf(input, [`port=${port}`, 'listen_addresses=', `hba_file=${accessFile}`, ...more])
}

function argvOf(input: ServerInput, more: readonly string[]): readonly [string, ...string[]] {
  const { installation, account, cluster, key, paths } = input
  const settings = [
    // A list: quoted, as folders may have commas in their names.
    `unix_socket_directories="${paths.socket.replaceAll('"', '""')}"`,
    `cluster_name=${key.replaceAll(/[^ -~]/g, '?').slice(0, 60)}`,
    ...more,
  ]
  const program = programOf(installation, 'postgres')
  const argv = ['-D', cluster, ...settings.flatMap(setting => ['-c', setting])]
  const [first, ...rest] = account.prefix
  return first === undefined ? [program, ...argv] : [first, ...rest, program, ...argv]
}

const settingsFile = 'locald.conf'

/** Makes a new cluster read locald's settings, after its own and before those of ALTER SYSTEM. */
export async function includeSettings(cluster: string): Promise<void> {
  const line = `\n# Rewritten by locald at each start:\ninclude_if_exists '${settingsFile}'\n`
  await writeFile(join(cluster, 'postgresql.conf'), line, { flag: 'a' })
}

/** Writes the settings of a service if they changed: those for development machines, then the user's. */
export async function writeSettings(
  cluster: string,
  { major }: Installation,
  settings: PostgresOptions['settings'],
): Promise<void> {
  const all = {
    jit: 'off',
    random_page_cost: 1.1,
    max_connections: 200,
    log_line_prefix: '%q%u@%d ',
    log_checkpoints: 'off',
    ...(Number(major) >= 18 ? { file_copy_method: 'clone' } : {}),
    ...settings,
  }
  const lines = Object.entries(all).map(([key, value]) => `${key} = '${String(value).replaceAll("'", "''")}'`)
  const text = `# Written by locald from \`settings\` in locald.toml.\n${lines.join('\n')}\n`
  const file = join(cluster, settingsFile)
  if ((await readFile(file, 'utf8').catch(() => '')) !== text) await writeFile(file, text, { mode: 0o600 })
}
