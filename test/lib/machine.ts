/** What tests need of this machine where Linux and macOS differ. */
import type { ProcessTable } from '../../kernel/contract/plugin.ts'
import { Tools } from '../../plugins/platform-darwin/commands.ts'
import { DarwinProcessTable } from '../../plugins/platform-darwin/process-table.ts'
import { LinuxProcessTable } from '../../plugins/platform-linux/process-table.ts'

const isLinux = process.platform === 'linux'

/**
 * Why a test that needs Linux does not run here; false on Linux, where CI takes no skip: `{ skip: onlyLinux('reads
 * /proc') }`. `what`: what of Linux it needs.
 */
export function onlyLinux(what: string): string | false {
  return !isLinux && `only on Linux: ${what}`
}

/** The process table that a daemon has here. */
export function hostTable(): ProcessTable {
  return isLinux
    ? new LinuxProcessTable(process.getuid?.() ?? 0)
    : new DarwinProcessTable(new Tools(process.env['PATH']))
}

/** Words of a shell command before a program that is to have a session of its own: setsid(1), which macOS has not. */
export const setsid = isLinux ? 'setsid' : `/usr/bin/perl -MPOSIX -e 'POSIX::setsid(); exec { $ARGV[0] } @ARGV'`

/** A `ps` for the PATH of what takes this for a Mac: procps has no -E, which on macOS does what its own `e` does. */
export const psWithEnvironment = isLinux
  ? `#!/bin/sh
case " $* " in
  *" -E "*) exec /usr/bin/ps axeww -o pid= -o command= ;;
esac
exec /usr/bin/ps "$@"
`
  : '#!/bin/sh\nexec /bin/ps "$@"\n'
