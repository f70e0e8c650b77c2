/** What the shim does for who may ask. Attacks are in shim-attacks.test.ts. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { certificate } from './certificates.ts'
import { block, Installed, plainHosts, someRoot, unable, wish } from './installed.ts'

for (const sanitized of [false, true]) {
  t.test(sanitized ? 'sanitized' : 'release', { skip: unable }, async t => {
    const it = new Installed({ sanitized })
    t.teardown(() => it.remove())
    t.match(it.run(['version'], { uid: 65_534 }), { code: 0, output: /^locald-shim \d+\n$/, errors: '' })
    hosts(t, it)
    together(t, it)
    mounted(t, it)
    store(t, it)
    cgroup(t, it)
    if (!sanitized) capabilities(t, it)
  })
}

function hosts(t: Test, it: Installed): void {
  t.test('hosts: a block of its own', async t => {
    const set = (...names: readonly string[]) =>
      t.match(it.run(['hosts'], { input: wish(...names) }), { code: 0, errors: '', output: '' })
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
    t.equal(now(), block(it.uid, 'b.test'), 'an editor may have changed line ends')
    const many = Array.from({ length: 1024 }, (_, at) => `${'x'.repeat(24)}.${1000 + at}.localhost`)
    set(...many)
    t.equal(now(), block(it.uid, ...many))
  })
}

/** Many users, each with a daemon that writes at the same time. */
function together(t: Test, it: Installed): void {
  t.test('hosts: many at once', async t => {
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
      child.stdin.end(wish(name))
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
  t.test('hosts: a mount point', async t => {
    it.reset()
    const mount = join(it.root, 'mounted')
    writeFileSync(mount, plainHosts)
    const user = `setpriv --reuid ${it.uid} --regid ${it.uid} --clear-groups ${it.shim} hosts`
    const script = `mount --bind ${mount} ${it.hosts}; printf '${wish('a.test').replaceAll('\n', '\\n')}' | ${user}; printf '${wish('b.test', 'c.test').replaceAll('\n', '\\n')}' | ${user}; cat ${it.hosts}; printf 'locald-hosts 1 0\\n' | ${user}`
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

/** Names of a folder that are the helper's, or links to what is. */
function ours(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter(name => name.includes('locald') || /^[0-9a-f]{8}\.\d+$/.test(name))
    .sort()
}

function store(t: Test, it: Installed): void {
  const hook = () => join(it.root, 'etc/ca-certificates/update.d/zz-locald')
  const bundle = () => readFileSync(it.bundle, 'utf8')
  const trust = (input: string, uid = it.uid) =>
    t.match(it.run(['trust'], { input, uid }), { code: 0, errors: '', output: '' })
  const untrust = (input: string, uid = it.uid) =>
    t.match(it.run(['untrust'], { input, uid }), { code: 0, errors: '', output: '' })

  t.test('trust and untrust', async t => {
    it.reset()
    it.addStore()
    const before = it.snapshot()
    const pem = certificate()
    trust(pem.replaceAll('\n', '\r\n'))
    const [link = '', name = '', ...rest] = ours(it.certs)
    t.match(name, new RegExp(`^locald-${it.uid}-[0-9a-f]{2,40}\\.crt$`), 'not *.pem, which Java’s store is made of')
    t.strictSame(rest, [])
    t.equal(readlinkSync(join(it.certs, link)), name, 'is found by its hash')
    t.equal(readFileSync(join(it.certs, name), 'utf8'), pem)
    t.match(lstatSync(join(it.certs, name)), { mode: 0o100644, uid: 0 })
    t.equal(bundle(), someRoot + pem)
    t.match(
      readFileSync(join(it.root, 'inherited'), 'utf8'),
      /^2 rehash \S*\/etc\/ssl\/certs 0 PATH=\/usr\/sbin:\/usr\/bin:\/sbin:\/bin PWD=\/ \n/,
      'as root, in a clean environment',
    )
    const trusted = it.snapshot()
    trust(pem)
    t.equal(it.snapshot(), trusted, 'what is there already is not added')

    writeFileSync(it.bundle, someRoot)
    t.match(spawnSync(hook(), [], { input: '+x\n' }), { status: 0 })
    t.equal(bundle(), someRoot + pem, 'comes back when the distribution’s program has written the bundle')

    const other = certificate({ key: ['-newkey', 'rsa:2048'], digest: 'sha512' })
    trust(other)
    t.equal(bundle(), someRoot + pem + other, 'a sandbox has its own')
    untrust(pem)
    t.equal(bundle(), someRoot + other)
    untrust(other)
    rmSync(join(it.root, 'inherited'))
    t.equal(it.snapshot().replace(/ \S+$/gm, ''), before.replace(/ \S+$/gm, ''), 'all is as it was')
    t.equal(bundle(), someRoot)
    t.notOk(existsSync(join(it.root, 'updates')), 'what empties the store first was never run')
  })

  t.test('untrust of what is not there', async t => {
    it.reset()
    it.addStore()
    const pem = certificate()
    writeFileSync(it.bundle, someRoot + pem)
    const was = it.snapshot()
    untrust(pem)
    t.equal(it.snapshot(), was, 'a root that the administrator has put there stays')
    writeFileSync(it.conf, `uid ${it.uid}\nuid ${it.uid + 1}\n`)
    trust(pem, it.uid + 1)
    untrust(pem)
    t.equal(bundle(), someRoot + pem, 'and so does that of another user')
    trust(pem)
    untrust(pem)
    t.equal(bundle(), someRoot + pem, 'also when both have it')
    untrust(pem, it.uid + 1)
    t.equal(bundle(), someRoot)
  })

  t.test('untrust after an earlier version', async t => {
    it.reset()
    it.addStore()
    const pem = certificate()
    trust(pem)
    const [hash = '', name = ''] = ours(it.certs)
    const link = name.replace('.crt', '.pem')
    const anchor = join(it.root, 'usr/local/share/ca-certificates', name)
    renameSync(join(it.certs, name), anchor)
    for (const [target, path] of [
      [anchor, link],
      [link, hash],
    ] as const) {
      rmSync(join(it.certs, path), { force: true })
      symlinkSync(target, join(it.certs, path))
    }
    const [subject] = hash.split('.')
    writeFileSync(join(it.certs, 'real.pem'), '')
    symlinkSync('real.pem', join(it.certs, `${subject}.1`))
    untrust(pem)
    t.notOk(existsSync(anchor))
    t.strictSame(ours(it.certs), [hash], 'a root with the same hash is still found')
    t.equal(readlinkSync(join(it.certs, hash)), 'real.pem')
    t.equal(bundle(), someRoot)
    for (const [target, path] of [
      [anchor, link],
      [link, `${subject}.1`],
    ] as const)
      symlinkSync(target, join(it.certs, path))
    untrust(pem)
    t.strictSame(ours(it.certs), [hash], 'links that lead nowhere')
  })

  t.test('a store that is full, or fails', async t => {
    it.reset()
    it.addStore()
    const pem = certificate()
    writeFileSync(join(it.root, 'code'), '3')
    t.match(it.run(['trust'], { input: pem }), { code: 43, errors: /openssl rehash/ })
    t.strictSame([ours(it.certs), bundle()], [[], someRoot], 'what could not be added does not stay')
    rmSync(join(it.root, 'code'))
    rmSync(join(it.root, 'usr/bin/openssl'))
    for (let left = 16; left > 0; left--) trust(certificate())
    t.match(it.run(['trust'], { input: pem }), { code: 44, errors: /16 certificates/ })
    t.equal(ours(it.certs).length, 16, 'without openssl there are no hashes')
  })

  t.test('other distributions', async t => {
    const families: [string, string, string, RegExp][] = [
      ['etc/pki/ca-trust/source/anchors', 'usr/bin/update-ca-trust', '.pem', /^1 extract /],
      ['etc/ca-certificates/trust-source/anchors', 'usr/bin/update-ca-trust', '.crt', /^0 {2}/],
      ['etc/pki/trust/anchors', 'usr/sbin/update-ca-certificates', '.pem', /^0 {2}/],
    ]
    it.reset()
    it.addStore()
    const pem = certificate()
    trust(pem)
    const [name = ''] = ours(it.certs).filter(it => it.endsWith('.crt'))
    for (const [folder, program, ending, words] of families) {
      it.reset()
      for (const path of [folder, dirname(program)]) mkdirSync(join(it.root, path), { recursive: true, mode: 0o755 })
      const script = (code: number) => `#!/bin/sh\necho "$# $* " > ${it.root}/updates\nexit ${code}\n`
      writeFileSync(join(it.root, program), script(3), { mode: 0o755 })
      t.match(it.run(['trust'], { input: pem }), { code: 45, errors: /Java/ }, folder)
      const anchor = join(it.root, folder, name.replace('.crt', ending))
      t.notOk(existsSync(anchor))
      untrust(pem)
      t.notOk(existsSync(join(it.root, 'updates')), 'nothing is run for nothing')
      writeFileSync(anchor, pem)
      t.match(it.run(['untrust'], { input: pem }), { code: 43, errors: /by hand/ })
      t.ok(existsSync(anchor), 'so that it can be tried again')
      writeFileSync(join(it.root, program), script(0), { mode: 0o755 })
      untrust(pem)
      t.notOk(existsSync(anchor))
      t.match(readFileSync(join(it.root, 'updates'), 'utf8'), words)
    }
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
      t.match(it.run([verb], { input: wish() }), { code: 15, errors: /for ports only/ }, verb)
    }
    t.match(it.run(['bind', '80'], { uid: 65_534 }), { code: 14 }, 'the list of callers counts here, too')
    t.match(it.run(['bind', '80']), { code: 20 })
    t.equal(it.snapshot(), was)
    chmodSync(it.shim, 0o4755)
  })
}
