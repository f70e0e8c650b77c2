/** Tries with names, and with a hosts file that is not as it should be. */
import { chmodSync, linkSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { block, hostsInput, plainHosts } from '../lib/shim.ts'
import { closed, fifo, inMounts, moved, type Try } from './tries.ts'

const named = (name: string, ...names: readonly string[]): Try => ({
  name,
  input: hostsInput(...names),
  code: 31,
  says: /a name is not allowed/,
})

/** What is on standard input. */
export const input: readonly Try[] = [
  named('a name of somebody else', 'google.com'),
  named('a name that only looks local', 'localhost.evil.com'),
  named('a suffix without its dot', 'eviltest'),
  named('the bare suffix', 'localhost'),
  named('a good name and a bad one', 'a.localhost', 'google.com'),
  named('a space', '8.8.8.8 google.com.localhost'),
  named('a tab', 'a\tgoogle.com.test'),
  named('a carriage return', 'a.localhost\r'),
  named('a NUL', 'a\0b.localhost'),
  named('UTF-8', 'bücher.localhost'),
  named('upper case', 'Web.localhost'),
  named('a dash in front', '-a.localhost'),
  named('a dash at the end of a label', 'a-.localhost'),
  named('a comment', '#.localhost'),
  named('an underscore', 'a_b.localhost'),
  named('an empty label', 'a..localhost'),
  named('an empty name', ''),
  named('a dot at the end', 'a.localhost.'),
  named('a wildcard', '*.localhost'),
  named('a label of 64', `${'a'.repeat(64)}.localhost`),
  named('a name of 254', `${'a.'.repeat(122)}localhost`),
  named('65 labels', `${'a.'.repeat(64)}test`),
  named('the metadata server of a cloud', 'metadata.google.internal'),
  named('a machine of a cloud', 'vm1.c.my-proj.internal'),
  named('a name of a container engine', 'host.docker.internal'),
  named('a name of a company', 'vault.corp.internal'),
  named('what browsers look for', 'wpad.test'),
  named('what Windows looks for', 'isatap.corp.localhost'),
  { name: '2000 names', input: hostsInput(...Array(2000).fill('a.test')), code: 30, says: /more than 1024 names/ },
  {
    name: 'names that leave no room for those of others',
    input: hostsInput(
      ...Array(200).fill(`${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.test`),
    ),
    code: 30,
    says: /standard input is too long/,
  },
  {
    name: 'a megabyte',
    input: `${hostsInput('a.test')}${'a'.repeat(1_000_000)}`,
    code: 30,
    says: /standard input is too long/,
  },
  { name: 'nothing on standard input', input: '', code: 30, says: /does not begin with/ },
  { name: 'another magic', input: 'locald-hosts 2 1\na.test\n', code: 30, says: /does not begin with/ },
  { name: 'binary', input: Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0, 10, 0]), code: 30, says: /does not begin with/ },
  { name: 'a negative count', input: 'locald-hosts 1 -1\n', code: 30, says: /not a number/ },
  { name: 'a count of 2^64', input: 'locald-hosts 1 18446744073709551616\n', code: 30, says: /not a number/ },
  {
    name: 'a producer that exited half-way',
    input: 'locald-hosts 1 2\na.test\n',
    code: 30,
    says: /fewer names than counted/,
  },
  {
    name: 'more names than counted',
    input: 'locald-hosts 1 1\na.test\nb.test\n',
    code: 30,
    says: /more names than counted/,
  },
  { name: 'a last name cut short', input: 'locald-hosts 1 1\na.test', code: 30, says: /cut short/ },
  {
    name: 'closed standard input',
    how: it => closed(it, '0<&-'),
    code: 30,
    says: /does not begin with|Bad file descriptor/,
  },
  { name: 'closed standard descriptors', how: it => closed(it, '0<&- 1>&- 2>&-'), code: 30, says: /^$/ },
  {
    name: 'a folder as standard input',
    how: it => closed(it, '< /'),
    code: 30,
    says: /cannot be read: Is a directory/,
  },
]

/** What the hosts file is. */
export const file: readonly Try[] = [
  {
    name: 'the hosts file is a link',
    before: it => moved(it.hosts, symlinkSync),
    code: 32,
    says: /it is a link: hosts/,
  },
  {
    name: 'the hosts file has two names',
    before: it => linkSync(it.hosts, join(it.root, 'other')),
    code: 32,
    says: /hard links/,
  },
  { name: 'the hosts file is the user’s', before: it => it.give(it.hosts), code: 32, says: /not owned by root: hosts/ },
  {
    name: 'the hosts file can be written by all',
    before: it => chmodSync(it.hosts, 0o666),
    code: 32,
    says: /writable by others than root/,
  },
  { name: 'the hosts file is a FIFO', before: it => fifo(it.hosts), code: 32, says: /not a regular file/ },
  {
    name: 'the hosts file is a folder',
    before: it => [rmSync(it.hosts), mkdirSync(it.hosts)],
    code: 32,
    says: /not a regular file/,
  },
  { name: 'there is no hosts file', before: it => rmSync(it.hosts), code: 32, says: /there is none: .*hosts/ },
  {
    name: 'a hosts file of 2 MB',
    before: it => truncateSync(it.hosts, 2_000_000),
    code: 32,
    says: /longer than 1 MiB/,
  },
  {
    name: 'a hosts file that would become too long',
    before: it => writeFileSync(it.hosts, '#'.repeat(1_048_550)),
    code: 33,
    says: /would become too long/,
  },
  {
    name: 'a block without an end',
    before: it => writeFileSync(it.hosts, `${plainHosts}# BEGIN locald uid ${it.uid}\n`),
    code: 33,
    says: /damaged/,
  },
  {
    name: 'an end without a block',
    before: it => writeFileSync(it.hosts, `${plainHosts}# END locald uid ${it.uid}\n`),
    code: 33,
    says: /damaged/,
  },
  {
    name: 'a block in another user’s',
    before: it => writeFileSync(it.hosts, `# BEGIN locald uid 1\n${block(it.uid)}# END locald uid 1\n`),
    code: 33,
    says: /damaged/,
  },
  {
    name: 'two blocks of one user',
    before: it => writeFileSync(it.hosts, block(it.uid, 'a.test') + block(it.uid, 'b.test')),
    code: 33,
    says: /damaged/,
  },
  {
    name: 'an end of another user’s block',
    before: it => writeFileSync(it.hosts, `# BEGIN locald uid ${it.uid}\n# END locald uid 7\n`),
    code: 33,
    says: /damaged/,
  },
  {
    name: 'the folder of the hosts file can be written to by all',
    before: it => chmodSync(join(it.root, 'etc'), 0o777),
    code: 13,
    says: /writable by others than root/,
  },
  {
    name: 'a read-only file system',
    how: it => inMounts(it, 'mount --bind $ROOT/etc $ROOT/etc && mount -o remount,bind,ro $ROOT/etc'),
    code: 35,
    says: /Read-only file system/,
  },
  {
    name: 'a full disk',
    how: it =>
      inMounts(
        it,
        'cp -a $ROOT/etc $ROOT/copy && mount -t tmpfs -o size=16k,mode=755 none $ROOT/etc && cp -a $ROOT/copy/. $ROOT/etc && rm -r $ROOT/copy && (yes > $ROOT/etc/full 2>/dev/null || true)',
      ),
    code: 35,
    says: /No space left on device/,
  },
]
