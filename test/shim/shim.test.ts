/**
 * What the shim does for who may ask. Stores of certificates are in shim-store.test.ts, attacks in
 * shim-attacks.test.ts.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { block, hostsInput, Installed, plainHosts, unable } from '../lib/shim.ts'

for (const sanitized of [false, true]) {
  t.test(sanitized ? 'sanitized' : 'release', { skip: unable }, async t => {
    const it = new Installed({ sanitized })
    t.teardown(() => it.remove())
    t.match(it.run(['version'], { uid: 65_534 }), { code: 0, output: /^locald-shim \d+\n$/, errors: '' })
    hosts(t, it)
    together(t, it)
    mounted(t, it)
    cgroup(t, it)
    if (!sanitized) capabilities(t, it)
  })
}

function hosts(t: Test, it: Installed): void {
  t.test("hosts: writes the user's own block", async t => {
    const set = (...names: readonly string[]) =>
      t.match(it.run(['hosts'], { input: hostsInput(...names) }), { code: 0, errors: '', output: '' })
    const now = () => readFileSync(it.hosts, 'utf8')
    it.reset()
    chmodSync(it.hosts, 0o640)
    set('web.shop.localhost', 'api.test')
    t.equal(now(), plainHosts + block(it.uid, 'web.shop.localhost', 'api.test'))
    t.match(lstatSync(it.hosts), { mode: 0o100640, uid: 0, gid: 0 })
    const { ino } = lstatSync(it.hosts)
    set('web.shop.localhost', 'api.test')
    t.equal(lstatSync(it.hosts).ino, ino, 'what is right already is not written')
    writeFileSync(it.hosts, `${now()}10.0.0.9 late\n`)
    set('a.b.test')
    t.equal(now(), `${plainHosts}${block(it.uid, 'a.b.test')}10.0.0.9 late\n`, 'it stays where it is')
    set()
    t.equal(now(), `${plainHosts}10.0.0.9 late\n`, 'no names, no block')
    for (const text of [
      '',
      '127.0.0.1 localhost',
      '127.0.0.1 localhost\r\n::1 localhost\r\n',
      '\n\n# locald\n',
      'a\0b\xff\n',
    ]) {
      writeFileSync(it.hosts, text, 'latin1')
      set('a.test')
      const gap = text === '' || text.endsWith('\n') ? '' : '\n'
      t.equal(readFileSync(it.hosts, 'latin1'), text + gap + block(it.uid, 'a.test'), JSON.stringify(text))
      set()
      t.equal(readFileSync(it.hosts, 'latin1'), text + gap)
    }
    writeFileSync(it.hosts, block(it.uid, 'a.test').replaceAll('\n', '\r\n'))
    set('b.test')
    t.equal(now(), block(it.uid, 'b.test'), 'an editor may have changed line endings')
    const many = Array.from({ length: 1024 }, (_, at) => `${'x'.repeat(24)}.${1000 + at}.localhost`)
    set(...many)
    t.equal(now(), block(it.uid, ...many))
  })
}

/** Many users, each with a daemon that writes at the same time. */
function together(t: Test, it: Installed): void {
  t.test('hosts: serializes concurrent calls', async t => {
    it.reset()
    const uids = Array.from({ length: 8 }, (_, at) => it.uid + at * 7)
    writeFileSync(it.conf, uids.map(uid => `uid ${uid}\n`).join(''))
    const runs = uids.flatMap(uid => [1, 2, 3].map(at => ({ uid, name: `n${at}.u${uid}.test` })))
    const done = runs.map(async ({ uid, name }) => {
      const child = spawn(it.shim, ['hosts'], {
        uid,
        gid: uid,
        stdio: ['pipe', 'inherit', 'inherit'],
        env: { ASAN_OPTIONS: 'detect_leaks=0' },
      })
      child.stdin.end(hostsInput(name))
      const [code] = await once(child, 'exit')
      return code
    })
    t.strictSame([...new Set(await Promise.all(done))], [0])
    const text = readFileSync(it.hosts, 'utf8')
    t.ok(text.startsWith(plainHosts))
    for (const uid of uids) {
      const own = [1, 2, 3].filter(at => text.includes(block(uid, `n${at}.u${uid}.test`)))
      t.equal(own.length, 1, 'exactly one block of each user')
    }
    t.equal(text.length, plainHosts.length + uids.reduce((sum, uid) => sum + block(uid, `n1.u${uid}.test`).length, 0))
  })
}

/** As in a container: the file cannot be replaced, only written. */
function mounted(t: Test, it: Installed): void {
  t.test('hosts: writes in place on a mount point', async t => {
    it.reset()
    const mount = join(it.root, 'mounted')
    writeFileSync(mount, plainHosts)
    const user = `setpriv --reuid ${it.uid} --regid ${it.uid} --clear-groups ${it.shim} hosts`
    const script = `mount --bind ${mount} ${it.hosts}; printf '${hostsInput('a.test').replaceAll('\n', '\\n')}' | ${user}; printf '${hostsInput('b.test', 'c.test').replaceAll('\n', '\\n')}' | ${user}; cat ${it.hosts}; printf 'locald-hosts 1 0\\n' | ${user}`
    const ran = spawnSync('unshare', ['--mount', '--propagation', 'private', 'sh', '-ec', script], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], ASAN_OPTIONS: 'detect_leaks=0' },
    })
    t.match(ran, { status: 0, stderr: '' })
    t.equal(ran.stdout, plainHosts + block(it.uid, 'b.test', 'c.test'))
    t.equal(readFileSync(mount, 'utf8'), plainHosts, 'shorter again')
    t.strictSame(readdirSync(join(it.root, 'etc')).sort(), ['hosts', 'locald'], 'no draft is left')
    rmSync(mount)
  })
}

/** The caller is moved, and may then make cgroups for what it starts, and kill all in them at once. */
function cgroup(t: Test, it: Installed): void {
  const unified = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find(path => existsSync(join(path, 'cgroup.procs')))
  t.test('cgroup-delegate', { skip: unified === undefined && 'no cgroup v2 is mounted' }, async t => {
    it.reset()
    const own = join(unified ?? '', 'locald.slice', `u${it.uid}`)
    t.teardown(() => {
      for (const path of [join(own, 'service'), join(own, 'daemon'), own])
        if (existsSync(path)) spawnSync('rmdir', [path])
    })
    const script = `
      set -e
      "$0" cgroup-delegate
      grep -o '0::.*' /proc/self/cgroup
      mkdir ${own}/service
      sh -c 'echo 0 > ${own}/service/cgroup.procs; setsid sleep 100 & exec sleep 100' &
      until [ "$(wc -l < ${own}/service/cgroup.procs)" = 2 ]; do :; done
      echo 1 > ${own}/service/cgroup.kill
      until grep -q 'populated 0' ${own}/service/cgroup.events; do :; done
      rmdir ${own}/service
      "$0" cgroup-delegate
      mkdir ${dirname(own)}/other 2>/dev/null || echo refused
      (echo 0 > ${dirname(own)}/cgroup.procs) 2>/dev/null || echo refused`
    const ran = it.run([], { program: it.shim, through: ['timeout', '20', 'sh', '-c', script] })
    t.match(ran, { code: 0, errors: '' })
    const path = `/locald.slice/u${it.uid}`
    t.strictSame(ran.output.trim().split('\n'), [own, `0::${path}/daemon`, own, 'refused', 'refused'])
    t.match(lstatSync(own), { uid: it.uid })
    t.match(lstatSync(dirname(own)), { uid: 0 })
    for (const limit of ['memory.max', 'pids.max', 'cgroup.max.depth']) {
      const file = join(own, limit)
      if (existsSync(file)) t.equal(lstatSync(file).uid, 0, `${limit} stays root's`)
    }
  })
}

/** An install for ports only: no setuid bit, one capability. */
function capabilities(t: Test, it: Installed): void {
  t.test('capabilities', { skip: spawnSync('setcap', ['-h']).error !== undefined && 'needs setcap' }, async t => {
    it.reset()
    chmodSync(it.shim, 0o755)
    t.equal(spawnSync('setcap', ['cap_net_bind_service=ep', it.shim]).status, 0)
    const was = it.snapshot()
    for (const verb of ['hosts', 'trust', 'untrust', 'cgroup-delegate']) {
      t.match(it.run([verb], { input: hostsInput() }), { code: 15, errors: /for ports only/ }, verb)
    }
    t.match(it.run(['bind', '80'], { uid: 65_534 }), { code: 14 }, 'the list of callers counts here, too')
    t.match(it.run(['bind', '80']), { code: 20 })
    t.equal(it.snapshot(), was)
    chmodSync(it.shim, 0o4755)
  })
}
