/** The shim where macOS has rules of its own. */
import { spawnSync } from 'node:child_process'
import { chmodSync, linkSync, lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { hostsInput, Installed, unable } from '../lib/shim.ts'
import { root } from '../lib/user.ts'

const sources = join(root, 'test', 'shim', 'xnu')

/**
 * A listener of root's on all addresses, then the shim of a user, with a channel of its own: its exit code, and what it
 * sent.
 */
const beside = `
import os, socket, subprocess, sys
shim, uid, address = sys.argv[1], int(sys.argv[2]), sys.argv[3]
holder = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET)
holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
if address == '::': holder.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
if address != 'none':
    holder.bind((address, 80))
    holder.listen()
os.setgroups([]); os.setgid(uid); os.setuid(uid)
ours, theirs = socket.socketpair()
ours.settimeout(20)
ran = subprocess.Popen([shim, 'bind', '80'], env={}, pass_fds=(3,), preexec_fn=lambda: os.dup2(theirs.fileno(), 3, inheritable=True))
theirs.close()
sent = ours.recv(4096)
ours.close()
print(ran.wait(), sent.decode().strip())
`

t.test('a port with a listener on all addresses is in use, even for root', { skip: unable }, async t => {
  const it = new Installed({
    sanitized: false,
    also: () => ['-Wl,--wrap=bind', join(sources, 'bind.c')],
  })
  t.teardown(() => it.remove())
  const answer = (address: string) => {
    const script = 'ip link set lo up && exec python3 -c "$0" "$@"'
    const ran = spawnSync('unshare', ['--net', 'sh', '-c', script, beside, it.shim, String(it.uid), address], {
      encoding: 'utf8',
      timeout: 60_000,
    })
    return `${ran.stdout.trim()} ${ran.stderr.trim()}`
  }
  t.match(answer('none'), /"bound":"127\.0\.0\.1"/, 'a free one')
  t.match(answer('0.0.0.0'), /^21 .*another program is listening there: 127\.0\.0\.1:80$/)
  t.match(answer('::'), /^21 .*another program is listening there: \[::1\]:80$/)
})

t.test('an access control list of macOS', { skip: unable }, async t => {
  const it = new Installed({
    sanitized: true,
    also: root => ['-DSHIM_FAKE_ACL', `-I${sources}`, `-DLISTS="${root}/lists"`, join(sources, 'acl.c')],
  })
  t.teardown(() => it.remove())
  const [allow, deny] = [1, 2]
  const lists = join(it.root, 'lists')
  const run = (path: string, ...entries: readonly (readonly [number, number])[]) => {
    it.reset()
    const { ino } = lstatSync(path)
    writeFileSync(lists, entries.map(([tag, bits]) => `${ino} ${tag} ${bits.toString(16)}\n`).join(''))
    return it.run(['hosts'], { input: hostsInput('a.test') })
  }
  const folder = dirname(it.conf)
  for (const bit of [2, 4, 5, 6, 12, 13]) {
    t.match(run(it.conf, [allow, 1 << bit]), { code: 13, errors: /access control list lets others write .*shim\.conf/ })
    t.match(run(folder, [deny, 1 << bit]), { code: 0 }, 'an entry that denies grants nothing')
  }
  t.match(run(folder, [deny, 0x3fff], [allow, 1 << 2]), { code: 13 }, 'each entry counts')
  t.match(run(it.hosts, [allow, 1 << 5]), { code: 32 })
  t.match(run(dirname(it.shim), [allow, 1 << 6]), { code: 12 })
  // To read, run and look: list, search, attributes, extended attributes, the list itself.
  t.match(run(folder, [allow, 0x0d8a]), { code: 0 })
  t.match(run(it.hosts, [deny, 1 << 4], [allow, 1 << 1]), { code: 0 })
  const { ino } = lstatSync(it.hosts)
  t.match(
    readFileSync(lists, 'utf8'),
    `${ino} ${deny} 10\n${ino} ${allow} 2\n`,
    'a new hosts file has the list of the old one',
  )
})

t.test('an access control list of Linux', { skip: unable }, async t => {
  const it = new Installed({ sanitized: false })
  t.teardown(() => it.remove())
  /** acl(5) as system.posix_acl_access has it: a user may write as far as the mask lets. */
  const list = (path: string, mask: number) => `
import os, struct
entries = [(1, 6, -1), (2, 6, ${it.uid}), (4, 4, -1), (16, ${mask}, -1), (32, 4, -1)]
value = struct.pack('<I', 2) + b''.join(struct.pack('<HHI', tag, bits, uid & 0xffffffff) for tag, bits, uid in entries)
os.setxattr('${path}', 'system.posix_acl_access', value)`
  const set = (path: string, mask: number) =>
    spawnSync('python3', ['-c', list(path, mask)], { encoding: 'utf8' }).stderr
  t.equal(set(it.conf, 4), '')
  t.match(it.run(['hosts'], { input: hostsInput('a.test') }), { code: 0 }, 'the mask grants no write access')
  t.equal(set(it.conf, 6), '')
  t.match(it.run(['hosts'], { input: hostsInput('b.test') }), {
    code: 13,
    errors: /access control list lets others write/,
  })
  rmSync(it.conf)
  writeFileSync(it.conf, `uid ${it.uid}\n`)
  chmodSync(it.conf, 0o664)
  t.match(it.run(['hosts'], { input: hostsInput('b.test') }), { code: 0 }, 'group 0 is root’s own')
  linkSync(it.conf, `${it.conf}.2`)
  t.match(it.run(['hosts'], { input: hostsInput('b.test') }), { code: 13, errors: /hard links/ })
})
