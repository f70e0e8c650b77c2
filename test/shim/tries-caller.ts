/** Tries of who may not, and of a shim that is not where it belongs. */
import { spawnSync } from 'node:child_process'
import { chmodSync, linkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Installed } from '../lib/shim.ts'
import { copied, fifo, foreignChannel, inMounts, linked, moved, type Try, through } from './tries.ts'

const setup = /sudo locald admin setup/

/** Words that are not the usage line's. */
export const usage: readonly Try[] = [
  { name: 'no word', words: [], code: 64, says: /usage: locald-shim/ },
  { name: 'not even a name', words: [], how: it => through(it, ['unnamed']), code: 64, says: /usage: locald-shim/ },
  { name: 'an unknown verb', words: ['run'], code: 64, says: /unknown verb: run/ },
  { name: 'a container', words: ['oci', 'run'], code: 64, says: /unknown verb: oci/ },
  { name: 'port 8080', words: ['bind', '8080'], code: 64, says: /only ports 80 and 443 can be bound: 8080/ },
  { name: 'port 080', words: ['bind', '080'], code: 64, says: /only ports .*: 080/ },
  { name: 'port 22 behind a space', words: ['bind', '80 22'], code: 64, says: /only ports .*: 80 22/ },
  { name: 'bind without a port', words: ['bind'], code: 64, says: /usage/ },
  { name: 'an address', words: ['bind', '80', '0.0.0.0'], code: 64, says: /usage/ },
  { name: 'a path for hosts', words: ['hosts', '/etc/shadow'], code: 64, says: /usage/ },
  { name: 'a path for a cgroup', words: ['cgroup-delegate', '/'], code: 64, says: /usage/ },
  { name: 'a file to trust', words: ['trust', '/tmp/ca.pem'], code: 64, says: /usage/ },
  { name: 'an option', words: ['--hosts-file=/etc/shadow'], code: 64, says: /unknown verb/ },
  { name: 'ten thousand words', words: ['hosts', ...Array(10_000).fill('x')], code: 64, says: /usage/ },
  { name: 'a word of 100 KB', words: ['x'.repeat(100_000)], code: 64, says: /unknown verb/ },
]

/** Who calls, from where. */
export const caller: readonly Try[] = [
  { name: 'another user', uid: 199_999, code: 14, says: /not on the list of allowed users/ },
  { name: 'nobody', uid: 65_534, code: 14, says: /not on the list of allowed users/ },
  { name: 'no_new_privs', through: ['setpriv', '--no-new-privs'], code: 11, says: /no_new_privs/ },
  { name: 'a copy without the bit', how: it => copied(it, 0o755, true), code: 10, says: /not setuid root/ },
  {
    name: 'a setuid copy in a folder of the user',
    how: it => copied(it, 0o4755, true),
    code: 12,
    says: /not owned by root/,
  },
  { name: 'a hard link in a folder of the user', how: linked, code: 12, says: /not owned by root|hard links/ },
  {
    name: 'a nosuid mount',
    how: it => inMounts(it, 'mount --bind $ROOT $ROOT && mount -o remount,bind,nosuid $ROOT'),
    code: 10,
    says: /nosuid/,
  },
  {
    name: 'a user namespace of its own',
    through: ['unshare', '--user', '--map-root-user'],
    code: 12,
    says: /not owned by root/,
  },
  {
    name: 'a user namespace with itself in it',
    through: ['unshare', '--user', '--map-current-user'],
    code: 10,
    says: /not setuid root/,
  },
  { name: 'traced by its caller', how: it => through(it, ['traced'], ['hosts']), code: 10, says: /not setuid root/ },
  {
    name: 'its folder can be written to by all',
    before: it => chmodSync(dirname(it.shim), 0o777),
    code: 12,
    says: /it is writable by others than root: .*libexec\/locald/,
  },
  {
    name: 'its folder can be written to by a group',
    before: it => {
      it.give(dirname(it.shim))
      spawnSync('chown', ['root', dirname(it.shim)])
      chmodSync(dirname(it.shim), 0o775)
    },
    code: 12,
    says: /it is writable by others than root/,
  },
  { name: 'its folder is the user’s', before: it => it.give(dirname(it.shim)), code: 12, says: /not owned by root/ },
  {
    name: 'a parent folder is the user’s',
    before: it => it.give(join(it.root, 'usr')),
    code: 12,
    says: /not owned by root: .*\/usr$/m,
  },
]

/** The list of who may call. */
export const list: readonly Try[] = [
  { name: 'no list', before: it => rmSync(it.conf), code: 13, says: setup },
  {
    name: 'no folder of the list',
    before: it => rmSync(dirname(it.conf), { recursive: true }),
    code: 13,
    says: /No such file/,
  },
  {
    name: 'a list all can write',
    before: it => chmodSync(it.conf, 0o666),
    code: 13,
    says: /it is writable by others than root/,
  },
  { name: 'a list of the user’s', before: it => it.give(it.conf), code: 13, says: /not owned by root: shim.conf/ },
  {
    name: 'a list that is a link',
    before: it => moved(it.conf, symlinkSync),
    code: 13,
    says: /it is a link: shim.conf/,
  },
  { name: 'a list with two names', before: it => linkSync(it.conf, `${it.conf}.2`), code: 13, says: /hard links/ },
  {
    name: 'a list in a folder of the user',
    before: it => it.give(dirname(it.conf)),
    code: 13,
    says: /not owned by root: .*locald/,
  },
  {
    name: 'a list with a wrong line',
    before: it => writeFileSync(it.conf, `uid ${it.uid}\nuid root\n`),
    code: 13,
    says: /invalid line/,
  },
  {
    name: 'a list that is cut short',
    before: it => writeFileSync(it.conf, `uid ${it.uid}`),
    code: 13,
    says: /invalid line/,
  },
  {
    name: 'a list of 17 KB',
    before: it => writeFileSync(it.conf, `uid ${it.uid}\n`.repeat(2000)),
    code: 13,
    says: /too long/,
  },
  { name: 'a list that is a FIFO', before: it => fifo(it.conf), code: 13, says: /not a regular file/ },
  {
    name: 'the list’s folder is a link',
    before: it => moved(dirname(it.conf), symlinkSync),
    code: 13,
    says: /not a folder, or a link/,
  },
  {
    name: 'a lock all can take',
    before: it => chmodSync(join(it.root, 'etc/locald/shim.lock'), 0o644),
    code: 13,
    says: /not root's alone/,
  },
]

/** What descriptor 3 is. */
export const channels: readonly Try[] = [
  ...(['none', 'file', 'tcp', 'datagram', 'pipe'] as const).map(kind => ({
    name: `descriptor 3: ${kind}`,
    how: (it: Installed) => through(it, ['channel', kind], ['bind', '80']),
    code: 20,
    says: /descriptor 3 is not Node's channel/,
  })),
  { name: 'descriptor 3: a channel of root’s', how: foreignChannel, code: 20, says: /another user's channel/ },
]

/** Whose the calling process is. */
export const parents: readonly Try[] = [
  { name: 'a cgroup for a process of root’s', words: ['cgroup-delegate'], code: 51, says: /another user/ },
]
