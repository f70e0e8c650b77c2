import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Folders } from '../../kernel/contract/plugin.ts'

/** The name of locald's only VM. */
export const instance = 'locald'

/** What decides where Lima keeps its data. */
export interface HomeInput {
  /** The user's home folder. */
  readonly home: string
  readonly folders: Pick<Folders, 'data'>
  readonly env: NodeJS.ProcessEnv
}

/**
 * Returns the folder for LIMA_HOME: `~/.locald/lima`, and for a sandbox or another data folder one of its own beside
 * it. Sockets are in it, whose paths have about 100 bytes: the data folder of macOS is too long for many user names. A
 * folder of locald's own keeps the user's `~/.lima`, its VMs and its `default.yaml`, out of this.
 */
export function limaHomeOf({ home, folders, env }: HomeInput): string {
  const given = env['LOCALD_LIMA_HOME']
  if (given?.startsWith('/')) return given
  const usual = [join(home, '.local', 'share', 'locald'), join(home, 'Library', 'Application Support', 'locald')]
  if (usual.includes(folders.data)) return join(home, '.locald', 'lima')
  const hash = createHash('sha256').update(folders.data).digest('hex').slice(0, 8)
  return join(home, '.locald', `lima-${hash}`)
}

/** The longest socket of an instance, to which ssh adds 16 characters while it creates it (openssh mux.c). */
const longestSocket = `${instance}/ssh.sock.1234567890123456`

/**
 * Returns by how many bytes the path of the longest socket is too long; 0 or less: it fits. Lima's limit, UnixPathMax,
 * is 104 on macOS and 108 on Linux, with the NUL (lima: pkg/instance/create.go).
 */
export function excessOf(limaHome: string, os: NodeJS.Platform): number {
  const longest = os === 'darwin' ? 103 : 107
  return Buffer.byteLength(join(limaHome, longestSocket)) - longest
}
