import { readFile } from 'node:fs/promises'
import type { PlatformFacts } from '../../../kernel/contract/plugin.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import { runProgram } from '../../lib/programs.ts'
import type { Owner } from '../files/copy-tree.ts'

/** The user that the server runs as. */
export interface Account {
  /** Words before the program's own. */
  readonly prefix: readonly string[]
  /** The owner of its data folder; undefined: the daemon's user. */
  readonly owner: Owner | undefined
}

/**
 * Returns the account of servers. PostgreSQL refuses to run as root, so that root's servers run as `nobody`. Root's
 * folders and files are closed to others: the server keeps the one capability that opens them (CAP_DAC_OVERRIDE,
 * capabilities(7)) by setpriv(1) of util-linux. Throws SPAWN_FAILED where that is impossible: macOS has neither.
 */
export async function findAccount({ uid, os }: Pick<PlatformFacts, 'uid' | 'os'>): Promise<Account> {
  if (uid !== 0) return { prefix: [], owner: undefined }
  const owner = await findUnprivilegedUser()
  const caps = '-all,+dac_override'
  const prefix = [
    'setpriv',
    ...[`--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups'],
    ...[`--inh-caps=${caps}`, `--ambient-caps=${caps}`, `--bounding-set=${caps}`],
    // Without it access(2), which initdb uses, would ignore the capability.
    ...['--securebits=+no_setuid_fixup', '--'],
  ] as const
  const [program, ...words] = prefix
  const { code } = await runProgram(program, [...words, 'true'], { timeoutMs: 5000 })
  if (code === 0) return { prefix, owner }
  if (os === 'darwin')
    throw new LocaldError('SPAWN_FAILED', 'PostgreSQL does not run as root, and locald runs as root', {
      hint: 'Run `locald server shutdown` as root, and then locald without sudo.',
    })
  throw new LocaldError('SPAWN_FAILED', 'PostgreSQL does not run as root, and setpriv cannot run it as another user', {
    hint: 'Run locald as an ordinary user, or install util-linux.',
  })
}

async function findUnprivilegedUser(): Promise<Owner> {
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '')
  const [, uid, gid] = /^nobody:[^:]*:(\d+):(\d+):/m.exec(text) ?? []
  return { uid: Number(uid ?? 65534), gid: Number(gid ?? 65534) }
}
