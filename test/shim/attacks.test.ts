/** Each try is refused with its own words and exit code, and nothing is changed by it. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { certificate } from '../lib/certificates.ts'
import { block, compile, hostsInput, Installed, plainHosts, unable } from '../lib/shim.ts'
import { good, type Try } from './tries.ts'
import { caller, channels, list, parents, usage } from './tries-caller.ts'
import { file, input } from './tries-hosts.ts'
import { stores } from './tries-trust.ts'

// A thousand runs of the helper, half of them sanitized: 25 s on an idle machine, 110 s beside another suite.
t.setTimeout(300_000)

for (const sanitized of [false, true]) {
  t.test(sanitized ? 'sanitized' : 'release', { skip: unable }, async t => {
    const it = new Installed({ sanitized })
    t.teardown(() => it.remove())
    tries(t, it, 'words', usage, 'hosts')
    tries(t, it, 'caller', caller, 'hosts')
    tries(t, it, 'list of callers', list, 'hosts')
    tries(t, it, 'names', input, 'hosts')
    tries(t, it, 'hosts file', file, 'hosts')
    tries(t, it, 'channel', channels, 'bind')
    tries(t, it, 'store', stores, 'trust')
    tries(t, it, 'cgroup', parents, 'cgroup-delegate')
    environment(t, it)
    spying(t, it)
    limits(t, it, sanitized)
    burden(t, it, sanitized)
    deaf(t, it)
    busy(t, it)
    slow(t, it)
    if (!sanitized) killed(t, it)
  })
}

function tries(t: Test, it: Installed, title: string, all: readonly Try[], verb: string): void {
  t.test(title, async t => {
    for (const { name, words, before, made, how, code, says, ...options } of all) {
      it.reset()
      if (verb === 'trust') it.addStore()
      before?.(it)
      const was = it.snapshot()
      const ran = how?.(it) ?? it.run(words ?? [verb], { input: made?.() ?? good, ...options })
      t.match(ran, { code, output: '' }, `${name}: ${ran.errors.trim().slice(0, 200)}`)
      t.match(ran.errors, says, `${name}: says why`)
      t.equal(it.snapshot(), was, `${name}: nothing is changed`)
      chmodSync(dirname(it.shim), 0o755)
      for (const folder of ['usr', 'usr/local/libexec/locald']) spawnSync('chown', ['0:0', join(it.root, folder)])
      for (const file of ['other', 'linked', 'copied']) rmSync(join(it.root, file), { recursive: true, force: true })
    }
  })
}

/** LD_PRELOAD and its like run no code of the caller's, and no variable moves a path. */
function environment(t: Test, it: Installed): void {
  t.test('environment', async t => {
    it.reset()
    const library = join(it.root, 'evil.so')
    const marker = join('/tmp', `locald-shim-marker-${it.uid}`)
    t.teardown(() => rmSync(marker, { force: true }))
    const source = join(it.root, 'evil.c')
    writeFileSync(
      source,
      `#include <fcntl.h>\n__attribute__((constructor)) static void run(void) { (void)open("${marker}", O_CREAT | O_WRONLY, 0600); }\n`,
    )
    compile(library, ['-shared', '-fPIC'], [source])
    const env = {
      LD_PRELOAD: library,
      LD_LIBRARY_PATH: '/tmp',
      LD_AUDIT: library,
      GCONV_PATH: '/tmp',
      SHIM_ROOT: '/tmp',
      HOSTS: '/etc/shadow',
      NODE_CHANNEL_FD: '2',
    }
    t.match(it.run(['hosts'], { input: good, env }), { code: 0, errors: '' })
    t.equal(readFileSync(it.hosts, 'utf8'), plainHosts + block(it.uid, 'web.shop.localhost'))
    // What the caller may run without privileges it runs: proof that the library would have been noticed.
    t.match(it.run([], { program: '/bin/true', env: { LD_PRELOAD: library } }), { code: 0 })
    t.ok(existsSync(marker))
    rmSync(marker)
    t.match(it.run(['hosts'], { input: hostsInput(), env }), { code: 0 })
    t.notOk(existsSync(marker), 'not one of the variables is followed')
  })
}

/** While it waits for its input as root: it cannot be traced, and leaves no dump. */
function spying(t: Test, it: Installed): void {
  t.test('spying', async t => {
    it.reset()
    const { attack } = it
    const was = it.snapshot()
    const child = spawn(it.shim, ['hosts'], {
      uid: it.uid,
      gid: it.uid,
      cwd: '/tmp',
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { ASAN_OPTIONS: 'detect_leaks=0:handle_segv=0:handle_abort=0' },
    })
    const pid = child.pid ?? 0
    const waits = () => /^(read|0) /.test(readFileSync(`/proc/${pid}/syscall`, 'utf8'))
    const end = Date.now() + 10_000
    while (!waits() && Date.now() < end) await new Promise(wake => setTimeout(wake, 2))
    const words = spawnSync(attack, ['attach', String(pid)], { uid: it.uid, gid: it.uid, encoding: 'utf8' }).stdout
    t.strictSame(words.trim().split('\n'), ['Operation not permitted', 'Permission denied', 'Permission denied'])
    t.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /Max core file size +0 +0 /)
    spawnSync('kill', ['-SEGV', String(pid)], { uid: it.uid })
    const [code, signal] = await once(child, 'exit')
    t.match([code, signal], [null, 'SIGSEGV'], 'its caller may end it while it has not begun')
    t.equal(it.snapshot(), was)
  })
}

/** Small limits, blocked and ignored signals, an alarm that was set before: they cut no file short. */
function limits(t: Test, it: Installed, sanitized: boolean): void {
  t.test('limits and signals', async t => {
    const { attack } = it
    const full = plainHosts + block(it.uid, 'web.shop.localhost')
    it.reset()
    const cuts: [readonly string[], RegExp][] = [[['limit', '64'], /limit of file sizes is too low/]]
    // The sanitizers' libraries could not even be loaded.
    if (!sanitized) cuts.push([['exhaust'], /limit of open files is too low/])
    for (const [how, says] of cuts) {
      it.reset()
      const limited = it.run(['hosts'], { through: [attack, ...how], input: good })
      // Root that may raise its limits (CAP_SYS_RESOURCE) does the work.
      if (limited.code !== 0) t.match(limited, { code: 16, errors: says })
      t.equal(readFileSync(it.hosts, 'utf8'), limited.code === 0 ? full : plainHosts)
    }
    it.reset()
    t.match(it.run(['hosts'], { through: [attack, 'signals'], input: good }), { code: 0, errors: '' })
    t.equal(readFileSync(it.hosts, 'utf8'), full)
    it.reset()
    it.addStore()
    t.match(it.run(['trust'], { through: [attack, 'signals'], input: certificate() }), { code: 0, errors: '' })
    t.ok(existsSync(join(it.root, 'inherited')), 'SIGCHLD was not ignored')
    // What is run must not end in the middle.
    const memory = sanitized ? {} : { data: 8_000_000, as: 30_000_000 }
    const small = { cpu: 2, stack: 500_000, nofile: 64, ...memory }
    for (const [limit, most] of Object.entries(small)) {
      for (const verb of ['trust', 'untrust']) {
        rmSync(join(it.root, 'inherited'), { force: true })
        const limited = it.run([verb], { through: ['prlimit', `--${limit}=${most}:${most}`], input: certificate() })
        if (limited.code === 0) continue
        t.match(limited, { code: 16, errors: /limit of .* is too low/ }, `${verb}, ${limit}`)
        t.notOk(existsSync(join(it.root, 'inherited')), 'nothing is begun')
      }
    }
  })
}

/** Nothing that its caller may set for his own processes is left where root works. */
function burden(t: Test, it: Installed, sanitized: boolean): void {
  t.test('inherited process state', async t => {
    it.reset()
    it.addStore()
    const ran = it.run(['trust'], { through: [it.attack, 'burden'], input: certificate() })
    t.match(ran, { code: 0, errors: '' })
    const inherited = readFileSync(join(it.root, 'inherited'), 'utf8')
    for (const [limit, soft] of Object.entries({
      'cpu time': 'unlimited',
      'file size': 'unlimited',
      'data size': 'unlimited',
      'stack size': '8388608',
      'core file size': '0',
      'resident set': 'unlimited',
      processes: 'unlimited',
      'open files': '1024',
      'locked memory': 'unlimited',
      'address space': 'unlimited',
      'file locks': 'unlimited',
      'pending signals': 'unlimited',
      'msgqueue size': 'unlimited',
      'nice priority': '0',
      'realtime priority': '0',
      'realtime timeout': 'unlimited',
    })) {
      const [, is, most] = new RegExp(`^Max ${limit} +(\\S+) +(\\S+) `, 'm').exec(inherited) ?? []
      t.ok(is === soft || is === most, `${limit}: ${is}, of at most ${most}`)
    }
    t.match(inherited, /\n0\n0 0\n$/, 'score for the OOM killer, nice value, scheduling class')
    if (sanitized) return // It reads the clock as it starts.
    rmSync(join(it.root, 'inherited'))
    const clockless = it.run(['trust'], { through: [it.attack, 'clockless'], input: certificate() })
    t.match(clockless, { code: 0, errors: '' })
    t.ok(existsSync(join(it.root, 'inherited')), 'programs can be run')
  })

  const mount = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find(path => existsSync(join(path, 'cgroup.procs')))
  t.test('a cgroup of the caller’s', { skip: mount === undefined && 'no cgroup v2 is mounted' }, async t => {
    it.reset()
    it.addStore()
    const own = join(mount ?? '', 'locald.slice', `u${it.uid}`)
    t.teardown(() => spawnSync('rmdir', [join(own, 'held'), join(own, 'daemon'), own]))
    const script = `"$0" cgroup-delegate && mkdir ${own}/held && echo 0 > ${own}/held/cgroup.procs && exec "$0" trust`
    const ran = it.run([], { program: it.shim, through: ['sh', '-c', script], input: certificate() })
    t.match(ran, { code: 0, errors: '' })
    t.notMatch(readFileSync(join(it.root, 'inherited'), 'utf8'), /:\/locald\.slice\/u/)

    const held = `echo 0 > ${own}/held/cgroup.procs && exec "$0" cgroup ${it.uid} /bin/sh -c '"$0" cgroup-delegate; exit $?' "$1"`
    const env = { ASAN_OPTIONS: 'detect_leaks=0' }
    const seen = spawnSync('sh', ['-c', held, it.attack, it.shim], { encoding: 'utf8', env })
    t.match(seen, { status: 0, stderr: '' })
    t.match(seen.stdout, /^0::\//m)
    t.notMatch(seen.stdout, /^0::\/locald\.slice\/u/m, 'nor does it move anyone from there')
  })
}

/** It has something to print, and standard error is not read. */
function deaf(t: Test, it: Installed): void {
  t.test('standard error that is full', async t => {
    it.reset()
    it.addStore()
    for (let at = 0; at < 16; at++) writeFileSync(join(it.certs, `locald-${it.uid}-${at}.crt`), '')
    const child = spawn(it.attack, ['deaf', it.shim, 'trust'], {
      uid: it.uid,
      gid: it.uid,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ASAN_OPTIONS: 'detect_leaks=0' },
    })
    child.stdin.end(certificate())
    const [said] = await once(child.stdout, 'data')
    const pid = Number(String(said))
    t.teardown(() => process.kill(pid, 'SIGKILL'))
    const end = Date.now() + 10_000
    const waits = () => /^(write|1|64) 0x2 /.test(readFileSync(`/proc/${pid}/syscall`, 'utf8'))
    while (!waits() && Date.now() < end) await new Promise(wake => setTimeout(wake, 2))
    t.ok(waits())
    t.match(it.run(['hosts'], { input: good }), { code: 0, errors: '' }, 'others are not held up')
  })
}

/** A file system of its caller's own lets no one close its files, and no process end, before it says so. */
function slow(t: Test, it: Installed): void {
  t.test('standard descriptors that cannot be closed', async t => {
    for (const [verb, input] of [
      ['hosts', good],
      ['trust', certificate()],
    ] as const) {
      it.reset()
      it.addStore()
      const ran = spawnSync(it.attack, ['descriptors', String(it.uid), it.shim, verb], {
        input,
        encoding: 'utf8',
        env: { ASAN_OPTIONS: 'detect_leaks=0' },
      })
      t.match(ran, { status: 0, stderr: '' }, verb)
      t.match(ran.stdout, /^\/dev\/null\n\/dev\/null\npipe:\S+\n$/, 'the process that takes the lock has none of them')
    }
  })
}

function busy(t: Test, it: Installed): void {
  t.test('a lock that is never released', async t => {
    it.reset()
    const lock = join(it.root, 'etc/locald/shim.lock')
    const holder = spawn('flock', [lock, 'sh', '-c', 'echo held; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    })
    t.teardown(() => holder.pid !== undefined && process.kill(-holder.pid, 'SIGKILL'))
    await once(holder.stdout, 'data')
    const was = it.snapshot()
    t.match(it.run(['hosts'], { input: good }), { code: 34, errors: /timed out waiting for another locald-shim/ })
    t.equal(it.snapshot(), was)
  })
}

/** SIGKILL at each of its system calls: the file is the old one or the new one, and the next run repairs the rest. */
function killed(t: Test, it: Installed): void {
  t.test('kill -9 at any instant', async t => {
    const { attack } = it
    it.reset()
    const before = plainHosts + block(it.uid, 'a.test')
    const after = plainHosts + block(it.uid, ...Array.from({ length: 300 }, (_, at) => `name-${at}.test`))
    const input = hostsInput(...Array.from({ length: 300 }, (_, at) => `name-${at}.test`))
    const seen = { old: 0, new: 0, other: 0 }
    let calls = 1
    // The first ones prepare the process; a few of those are enough.
    for (; calls < 1000; calls += calls < 100 ? 9 : 1) {
      writeFileSync(it.hosts, before)
      const ran = spawnSync(attack, ['kill-at', String(calls), String(it.uid), it.shim, 'hosts'], { input })
      const now = readFileSync(it.hosts, 'utf8')
      seen[now === before ? 'old' : now === after ? 'new' : 'other'] += 1
      if (ran.status === 0) break
      if (ran.status !== 137) t.fail(`call ${calls}: ${ran.status} ${ran.stderr}`)
    }
    t.equal(seen.other, 0, `${calls} system calls, ${seen.old} times the old file, ${seen.new} times the new one`)
    t.ok(seen.old > 10 && seen.new > 1)
    t.match(it.run(['hosts'], { input: hostsInput() }), { code: 0, errors: '' })
    t.equal(readFileSync(it.hosts, 'utf8'), plainHosts)
    t.notMatch(it.snapshot(), /hosts\.locald/, 'no draft is left')
  })
}
