import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { endianness, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type {
  BootUnit,
  Check,
  FeatureName,
  FeatureState,
  Host,
  ProcessTree,
  Services,
} from '../../../kernel/contract/plugin.ts'
import { type PlatformFeature, platformFeatures } from '../../../plugins/lib/features.ts'
import { bootPlan, programsIn, unitOf, unitText } from '../../../plugins/platform-linux/boot.ts'
import { findCgroupMethod, parseOwnCgroup } from '../../../plugins/platform-linux/cgroups/detect.ts'
import { machineChecks } from '../../../plugins/platform-linux/checks.ts'
import { findOpener, probes } from '../../../plugins/platform-linux/features.ts'
import plugin from '../../../plugins/platform-linux/index.ts'
import type { Machine } from '../../../plugins/platform-linux/machine.ts'
import { decodeAddress, parseSocket, parseSocketLink } from '../../../plugins/platform-linux/proc/network.ts'
import {
  hasExited,
  parseMark,
  parseOpenFiles,
  parsePageSize,
  parseStat,
  parseStatm,
} from '../../../plugins/platform-linux/proc/stat.ts'
import { LinuxProcessTable } from '../../../plugins/platform-linux/process-table.ts'
import { findShim, shimConf, shimPaths } from '../../../plugins/platform-linux/shim.ts'
import { unitCheck } from '../../../plugins/platform-linux/systemd-unit.ts'
import { fakeHost } from '../../lib/fake-host.ts'
import { onlyLinux } from '../../lib/machine.ts'

const linux = { skip: onlyLinux('reads /proc') }
const marking = spawnSync('prlimit', ['--version']).status === 0 ? linux : { skip: 'needs prlimit' }
const uid = process.getuid?.() ?? 0
const ownPids =
  uid === 0 && spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0
    ? linux
    : { skip: 'needs a pid namespace' }
/** Has a process, and after it another with the same pid, and tells what the table makes of them. */
const recycler = `
  import { spawn } from 'node:child_process'
  import { once } from 'node:events'
  import { writeFileSync } from 'node:fs'
  import { setTimeout } from 'node:timers/promises'
  const { LinuxProcessTable } = await import(${JSON.stringify(new URL('../../../plugins/platform-linux/process-table.js', import.meta.url).href)})
  const table = new LinuxProcessTable(0)
  const old = spawn('sleep', ['300'])
  const first = await table.start(old.pid)
  old.kill('SIGKILL')
  await once(old, 'exit')
  await setTimeout(20) // the clock that start times are read from has ticks of 10 ms
  writeFileSync('/proc/sys/kernel/ns_last_pid', String(old.pid - 1))
  const again = spawn('sleep', ['300'])
  const second = await table.start(again.pid)
  const tree = { keeper: old.pid, pid: old.pid, pgid: old.pid, startedMs: 0 }
  const swept = await table.sweep({ ...tree, keeper: 999999999 }, [{ pid: old.pid, ppid: 1, start: first }])
  const alive = (await table.start(again.pid)) === second
  console.log(JSON.stringify({ samePid: again.pid === old.pid, first, second, swept, alive }))
  again.kill('SIGKILL')
`
const table = new LinuxProcessTable(uid)

/** Numbers that a script wrote, one a line, as it came so far. */
interface Started {
  readonly child: ChildProcess
  readonly pid: number
  readonly numbers: readonly number[]
}

/** Runs a shell script until the test ends; resolves when it has written `count` lines. */
async function script(t: Test, source: string, count: number, wrap: readonly string[] = []): Promise<Started> {
  const argv = [...wrap, 'sh', '-c', source]
  const child = spawn(argv[0] ?? 'sh', argv.slice(1), {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'] },
  })
  t.teardown(async () => {
    child.stdout.destroy()
    await ended(child)
  })
  const pid = child.pid
  if (pid === undefined) throw new Error(`cannot start ${argv[0]}`)
  const numbers: number[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    numbers.push(Number(line))
    if (numbers.length === count) break
  }
  for (const number of numbers) if (number > 1) await killAtEnd(t, number)
  return { child, pid, numbers }
}

/** Only while it is the same process: pids come round. */
async function killAtEnd(t: Test, pid: number): Promise<void> {
  const start = await table.start(pid)
  t.teardown(async () => {
    if (start !== undefined && (await table.start(pid)) === start) process.kill(pid, 'SIGKILL')
  })
}

/** What no event tells: asked for again and again, for at most 10 s. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it never came to that')
    await setTimeout(2)
  }
}

/** Kills a child unless it has ended before. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

let marks = 0
/** A mark nobody else on the machine has. */
function newMark(): string {
  marks += 1
  return String(BigInt(process.pid) * 1_000_000_000_000n + BigInt(Date.now() % 1_000_000) * 1000n + BigInt(marks))
}

const marked = (mark: string) => ['prlimit', `--rttime=${mark}:unlimited`]

function treeOf(keeper: number, more: Partial<ProcessTree> = {}): ProcessTree {
  return { keeper, pid: keeper, pgid: keeper, startedMs: Date.now(), ...more }
}

/** A pid that was in use a moment ago. */
async function deadPid(t: Test): Promise<number> {
  const { child, pid } = await script(t, 'echo 0', 1)
  await ended(child)
  return pid
}

t.test('files of /proc', async t => {
  const rest = (state: string, threads = 1) =>
    `${state} 7424 7424 3036 34816 -1 4194304 97 0 0 0 31 12 5 7 20 0 ${threads} 0 141963 3133440 384 18446744073709551615`
  t.match(parseStat(`7436 (cat) ${rest('R')}`), { pid: 7436, comm: 'cat', state: 'R', ppid: 7424, threads: 1 })
  t.match(parseStat(`7436 (cat) ${rest('R')}`), { started: 141963, cpu: 43, childCpu: 12 })
  for (const comm of ['a b', ') R 1 1', 'x) (y', '((', ' )) ', 'new\nline', '']) {
    t.match(
      parseStat(`7 (${comm}) ${rest('S')}`),
      { pid: 7, comm, state: 'S', ppid: 7424 },
      `comm ${JSON.stringify(comm)}`,
    )
  }
  for (const bad of ['', 'x', '12', '12 (cut', '12 (cut) ', '12 (cut) S 1 2 3']) {
    t.equal(parseStat(bad), undefined, JSON.stringify(bad))
  }
  const gone = (state: string, threads: number) => {
    const stat = parseStat(`7 (x) ${rest(state, threads)}`)
    return stat !== undefined && hasExited(stat)
  }
  t.ok(gone('Z', 1), 'a zombie is gone')
  t.ok(gone('X', 1))
  t.notOk(gone('Z', 3), 'not one whose other threads run on')
  t.notOk(gone('D', 1))

  const limits = [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max open files            20000                20000                files     ',
    'Max realtime timeout      18446744073709551614 unlimited            us        ',
  ].join('\n')
  t.equal(parseMark(limits), '18446744073709551614', '64 bits are kept')
  t.equal(parseMark(limits.replace(/1844\d+/, 'unlimited           ')), undefined)
  t.equal(parseOpenFiles(limits), 20000)
  t.equal(parseOpenFiles(limits.replaceAll('20000', 'unlimited')), Number.POSITIVE_INFINITY)
  t.equal(parseOpenFiles(''), undefined)
  t.same(parseStatm('765 384 300 5 0 100 0\n'), { resident: 384, shared: 300 })
  t.equal(parseStatm(''), undefined)

  const auxv = (write: (value: bigint, at: number) => void) =>
    [3n, 0x55n, 6n, 16384n, 0n, 0n].forEach((word, at) => {
      write(word, at * 8)
    })
  const buffer = Buffer.alloc(48)
  auxv((value, at) => buffer.writeBigUInt64LE(value, at))
  t.equal(parsePageSize(buffer, true), 16384)
  auxv((value, at) => buffer.writeBigUInt64BE(value, at))
  t.equal(parsePageSize(buffer, false), 16384)
  t.equal(parsePageSize(Buffer.alloc(0), true), 4096)
  t.equal(parseOwnCgroup('9:name=systemd:/x\n0::/user.slice/a b\n'), '/user.slice/a b')
  t.equal(parseOwnCgroup('9:name=systemd:/x\n'), undefined)
})

t.test('/proc/net/tcp', async t => {
  t.equal(decodeAddress('0100007F', true), '127.0.0.1')
  t.equal(decodeAddress('7F000001', false), '127.0.0.1')
  t.equal(decodeAddress('00000000', true), '0.0.0.0')
  t.equal(decodeAddress('00000000000000000000000000000000', true), '::')
  t.equal(decodeAddress('00000000000000000000000001000000', true), '::1')
  t.equal(decodeAddress('0000000000000000FFFF00000100007F', true), '127.0.0.1', 'a mapped address')
  t.equal(decodeAddress('B80D0120000000000000000001000000', true), '2001:db8::1')
  const text = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 181449 1 0000000000000000 100 0 0 10 0
   1: 0100007F:1F90 0100007F:D432 01 00000000:00000000 00:00000000 00000000  1000        0 181450 1 0000000000000000 20 4 30 10 -1
`
  const [head = '', listens = '', connected = ''] = text.split('\n')
  const socket = { address: '127.0.0.1', port: 8080, uid: 1000, inode: '181449', listens: true }
  t.same(parseSocket(listens, true), socket)
  t.same(parseSocket(connected, true), { ...socket, inode: '181450', listens: false })
  for (const line of ['', head]) t.equal(parseSocket(line, true), undefined)
  t.equal(parseSocketLink('socket:[181449]'), '181449')
  t.equal(parseSocketLink('/tmp/socket:[1]'), undefined)
})

t.test('start', linux, async t => {
  await t.test('is the same for a process each time, and another for another', async t => {
    const a = await script(t, 'echo $$; exec sleep 300', 1)
    const first = await table.start(a.pid)
    t.match(first, /^\d+@[0-9a-f-]{36}$/)
    t.equal(await new LinuxProcessTable(uid).start(a.pid), first)
    t.not(await table.start(process.pid), first)
    t.equal(await table.start(await deadPid(t)), undefined)
  })

  await t.test('is none for a zombie', async t => {
    const parent = await script(t, 'sh -c "echo \\$\\$" & exec sleep 300', 1)
    const [zombie = 0] = parent.numbers
    await until(async () => (await table.start(zombie)) === undefined)
    t.ok(process.kill(zombie, 0), 'though the kernel still knows it')
    t.same(await table.members(treeOf(parent.pid)), [], 'nor is it a member')
  })

  await t.test('differs for a process with a recycled pid', ownPids, async t => {
    // In a pid namespace of its own, where the next pid can be chosen without a risk for anyone else.
    const child = spawn(
      'unshare',
      ['--pid', '--fork', '--kill-child', '--mount-proc', process.execPath, '--input-type=module', '-e', recycler],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { PATH: process.env['PATH'] },
      },
    )
    t.teardown(() => child.kill('SIGKILL'))
    const report = JSON.parse(await text(child.stdout))
    t.equal(report.samePid, true)
    t.ok(report.first && report.second)
    t.not(report.first, report.second)
    t.equal(report.swept, 0, 'and a sweep leaves it alone')
    t.equal(report.alive, true)
  })
})

t.test('members', marking, async t => {
  await t.test('descend from the keeper, in sessions of their own too', async t => {
    const keeper = await script(
      t,
      'setsid sh -c "echo \\$\\$; exec sleep 300" & sh -c "sleep 300 & echo \\$\\$; echo \\$!; wait" & wait',
      3,
    )
    const other = await script(t, 'echo $$; exec sleep 300', 1)
    const members = await table.members(treeOf(keeper.pid))
    t.same(members.map(({ pid }) => pid).sort(), keeper.numbers.toSorted())
    t.notOk(members.some(({ pid }) => pid === other.pid || pid === keeper.pid))
    for (const { pid, start } of members) t.equal(start, await table.start(pid))
  })

  await t.test('of a keeper that is gone are known by the mark', async t => {
    const mark = newMark()
    const orphan = '(setsid env -i sh -c "echo \\$\\$; exec sleep 300" &)'
    const service = await script(t, `${orphan}; ${orphan}; sleep 300 & echo $!; wait`, 3, marked(mark))
    const tree = treeOf(await deadPid(t), { pid: service.pid, mark })
    const pids = (await table.members(tree)).map(({ pid }) => pid)
    t.same(pids.sort(), [service.pid, ...service.numbers].sort())
    t.same(await table.members({ ...tree, mark: newMark() }), [])
  })

  await t.test("are not those of another process with the keeper's pid", async t => {
    const mark = newMark()
    const stranger = await script(t, 'sleep 300 & echo $!; wait', 1)
    const long = Date.now() - 3_600_000
    t.same(await table.members(treeOf(stranger.pid, { startedMs: long, mark })), [])
    const own = await script(t, 'sleep 300 & echo $!; wait', 1, marked(mark))
    const [usage] = await table.usage([treeOf(own.pid, { startedMs: long, mark })])
    t.ok(usage && usage.memory > 0, 'but a marked child tells the real one, when the clock was set')
  })
})

t.test('usage', marking, async t => {
  const burn = 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'
  await t.test('has the time of those that burn it and of those that ended', async t => {
    const idle = await script(t, 'sleep 300 & echo $!; wait', 1)
    const busy = await script(
      t,
      `(${burn}); echo 0; sleep 300 & echo $!; sh -c '${burn}; echo $$; exec sleep 300' & wait`,
      3,
    )
    const [still, used] = await table.usage([treeOf(idle.pid), treeOf(busy.pid)])
    t.ok(used && still)
    if (!used || !still) return
    t.ok(still.cpuMs < 100, `${still.cpuMs} ms idle`)
    t.ok(used.cpuMs > still.cpuMs + 20, `${used.cpuMs} ms`)
    t.ok(still.memory > 100_000 && still.memory < 50_000_000, `${still.memory} bytes`)
  })

  await t.test('has the memory of all', async t => {
    const big = `"${process.execPath}" -e "const all = Buffer.alloc(5e7, 1); console.log(all[7]); setTimeout(String, 3e5)" & wait`
    const keeper = await script(t, big, 1)
    const [usage] = await table.usage([treeOf(keeper.pid)])
    t.ok(usage && usage.memory > 5e7 && usage.memory < 1e9, `${usage?.memory} bytes`)
    for (const { pid } of await table.members(treeOf(keeper.pid))) await killAtEnd(t, pid)
  })

  await t.test('never falls when a process ends', async t => {
    const keeper = await script(t, `sh -c '${burn}; echo $$; kill -STOP $$'; echo 0; exec sleep 300`, 1)
    await until(async () => readFileSync(`/proc/${keeper.numbers[0]}/stat`, 'utf8').includes(') T '))
    const [before] = await table.usage([treeOf(keeper.pid)])
    process.kill(keeper.numbers[0] ?? 0, 'SIGKILL')
    await until(async () => (await table.members(treeOf(keeper.pid))).length === 0)
    const [after] = await table.usage([treeOf(keeper.pid)])
    t.ok(before && after && before.cpuMs > 0 && after.cpuMs >= before.cpuMs, JSON.stringify({ before, after }))
  })

  await t.test('of a tree that is gone is nothing', async t => {
    t.same(await table.usage([treeOf(await deadPid(t), { mark: newMark() })]), [{ cpuMs: 0, memory: 0 }])
    t.same(await table.usage([]), [])
  })
})

t.test('listeners and holder', linux, async t => {
  for (const address of ['127.0.0.1', '0.0.0.0', '::1', '::']) {
    await t.test(address, async t => {
      const server = createServer()
      const ready = once(server, 'listening')
      server.listen(0, address)
      try {
        await ready
      } catch {
        return t.pass('this machine has no IPv6')
      }
      t.teardown(() => server.close())
      const bound = server.address()
      const port = typeof bound === 'object' && bound !== null ? bound.port : 0
      const found = await table.listeners([process.pid])
      t.has(found, [{ pid: process.pid, address, port }])
      t.same(await table.listeners([]), [])
      t.same(await table.listeners([await deadPid(t)]), [])
      t.equal(await table.owns(port), true)
      const holder = await table.holder(port)
      return t.equal(holder, `node (pid ${process.pid})`)
    })
  }

  await t.test("a free port has no holder, another user's socket an unnamed one", async t => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const bound = server.address()
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0
    await new Promise(resolve => server.close(resolve))
    t.equal(await table.holder(port), undefined)
    t.equal(await table.owns(port), false)

    const root = t.testdir({ '1': {}, net: {} })
    const address = endianness() === 'LE' ? '0100007F' : '7F000001'
    writeFileSync(join(root, 'net/tcp'), `sl\n 0: ${address}:0050 00000000:0000 0A 0:0 00:0 0 33 0 4711 1\n`)
    t.equal(await new LinuxProcessTable(1000, root).holder(80), 'a process of another user')
    t.equal(await new LinuxProcessTable(1000, root).owns(80), false)
    t.equal(await new LinuxProcessTable(33, root).owns(80), true)
    t.equal(await new LinuxProcessTable(33, root).holder(80), undefined, 'our own in another container cannot be told')
    const tree = { keeper: 2, pid: 3, pgid: 3, startedMs: 0 }
    const isStrangers = (of: number, at: string, on = 80) =>
      new LinuxProcessTable(of, root).isStrangers({ address: at, port: on }, tree)
    t.equal(await isStrangers(1000, '127.0.0.1'), true)
    t.equal(await isStrangers(33, '127.0.0.1'), false)
    t.equal(await isStrangers(1000, '::1'), false, 'no one listens there')
    t.equal(await isStrangers(1000, '127.0.0.1', 81), false)
    const all = '0'.repeat(32)
    writeFileSync(join(root, 'net/tcp6'), `sl\n 0: ${all}:0050 ${all}:0000 0A 0:0 00:0 0 34 0 1 1\n`)
    t.equal(await isStrangers(34, '::1'), false)
    t.equal(await isStrangers(33, '::1'), true)
    t.equal(await isStrangers(33, '127.0.0.1'), false, 'the socket of that address gets it, not that of all')
    writeFileSync(join(root, 'net/tcp'), `sl\n 0: ${address}:0050 00000000:0000 0A 0:0 00:0 0 0 0 4711 1\n`)
    t.equal(await isStrangers(1000, '127.0.0.1'), false, 'root’s, as that of a container engine')
  })
})

t.test('sweep', marking, async t => {
  await t.test('kills by mark what was reparented, moved to another session and emptied its environment', async t => {
    const [mark, otherMark] = [newMark(), newMark()]
    const orphan = '(setsid env -i sh -c "echo \\$\\$; exec sleep 300" &)'
    const service = await script(t, `${orphan}; ${orphan}; echo 0; exec sleep 300`, 3, marked(mark))
    const other = await script(t, 'echo $$; exec sleep 300', 1, marked(otherMark))
    await ended(service.child)
    const tree = treeOf(await deadPid(t), { pid: service.pid, mark })
    t.equal(await table.sweep(tree, []), 2)
    for (const pid of service.numbers.filter(pid => pid > 0)) t.equal(await table.start(pid), undefined)
    t.ok(await table.start(other.pid), "another tree's process lives on")
    t.equal(await table.sweep(tree, []), 0, 'nothing is left')
  })

  await t.test('kills by variable what has set its own limits, and what is below', async t => {
    const variable = `NOTIFY_SOCKET=/k/${newMark()}.n`
    const service = await script(t, 'env -i sh -c "echo \\$\\$; sleep 300" & wait', 1, ['env', variable])
    const other = await script(t, 'echo $$; exec sleep 300', 1, ['env', `${variable}x`])
    const tree = treeOf(await deadPid(t), { pid: service.pid, mark: newMark(), variable })
    t.same(
      (await table.members(tree)).map(({ pid }) => pid),
      [service.pid],
    )
    t.equal(await table.sweep(tree, []), 3)
    t.equal(await table.start(service.numbers[0] ?? 0), undefined)
    t.ok(await table.start(other.pid), "another tree's process lives on")
  })

  await t.test('is not outrun by a process that forks on and on', async t => {
    const mark = newMark()
    await script(t, 'while :; do (setsid sleep 300 &); sleep 0.01; done & echo $!', 1, marked(mark))
    const tree = treeOf(await deadPid(t), { mark })
    // Some of them end by themselves: the shells between, and the short sleeps.
    await until(async () => (await table.members(tree)).length > 10)
    t.ok((await table.sweep(tree, [])) > 5)
    t.same(await table.members(tree), [])
  })

  await t.test('kills earlier members whose start still fits, and no others', async t => {
    const a = await script(t, 'echo $$; exec sleep 300', 1)
    const b = await script(t, 'echo $$; exec sleep 300', 1)
    const exit = once(a.child, 'exit')
    const seen = [
      { pid: a.pid, ppid: 1, start: (await table.start(a.pid)) ?? '' },
      { pid: b.pid, ppid: 1, start: '1@00000000-0000-0000-0000-000000000000' },
      { pid: process.pid, ppid: 1, start: (await table.start(process.pid)) ?? '' },
      { pid: 1, ppid: 0, start: (await table.start(1)) ?? '' },
    ]
    t.equal(await table.sweep(treeOf(await deadPid(t)), seen), 1)
    t.same(await exit, [null, 'SIGKILL'])
    t.ok(await table.start(b.pid), "its pid was another process's")
  })

  await t.test('spares the keeper of another tree, whatever mark it inherited', async t => {
    const mark = newMark()
    const keeper = await script(t, 'sleep 300 & echo $!; wait', 1, marked(mark))
    const own = new LinuxProcessTable(uid)
    t.equal((await own.members(treeOf(keeper.pid))).length, 1)
    t.equal(await own.sweep(treeOf(await deadPid(t), { mark }), []), 1)
    await until(async () => (await own.start(keeper.numbers[0] ?? 0)) === undefined)
    t.equal(keeper.child.signalCode, null)
  })
})

/** A machine of the test's own: files by path below its root, a PATH of one folder. */
function machineOf(
  t: Test,
  files: Readonly<Record<string, string>>,
  env: Record<string, string> = {},
  who = 1000,
): Machine {
  const root = t.testdir({ bin: {} })
  for (const [path, text] of Object.entries(files)) {
    const full = join(root, path)
    mkdirSync(dirname(full), { recursive: true })
    writeFileSync(full, text)
    if (/\/s?bin\//.test(path)) chmodSync(full, 0o755)
  }
  return { root, env: { PATH: join(root, 'bin'), ...env }, uid: who }
}

t.test('features', async t => {
  const probe = (name: PlatformFeature, machine: Machine) => probes[name](machine)

  await t.test('of a bare machine are off, each with a reason and a hint', async t => {
    const machine = machineOf(t, {})
    for (const name of platformFeatures) {
      const state = await probe(name, machine)
      if (name === 'process-groups') t.same(state, { on: true })
      else t.match(state, { on: false, reason: /\w+ \w+/, hint: /\w+ \w+/ }, name)
    }
  })

  await t.test('containers', async t => {
    for (const engine of ['podman', 'docker', 'nerdctl']) {
      t.same(await probe('containers', machineOf(t, { [`/bin/${engine}`]: '' })), { on: true }, engine)
    }
    const machine = machineOf(t, { '/bin/podman': '' })
    chmodSync(join(machine.root, 'bin/podman'), 0o644)
    t.match(await probe('containers', machine), { on: false, hint: /command = / }, 'a file that cannot be run is none')
    t.match(await probe('containers', { ...machine, env: {} }), { on: false }, 'without any PATH')
  })

  await t.test('cgroups', async t => {
    const own = { '/proc/self/cgroup': '0::/user.slice/app\n', '/sys/fs/cgroup/cgroup.controllers': 'cpu memory\n' }
    const scope = '/sys/fs/cgroup/user.slice/app'
    const delegated = machineOf(t, { ...own, [`${scope}/cgroup.procs`]: '' })
    t.same(await probe('cgroups', delegated), { on: true })
    t.same(await findCgroupMethod(delegated), { by: 'enter', folder: scope })
    t.match(await probe('cgroups', machineOf(t, own)), { on: false, reason: /user\.slice\/app is not delegated/ })
    const outside = { ...own, '/proc/self/cgroup': '0::/../x\n' }
    t.match(await probe('cgroups', machineOf(t, outside)), { on: false, reason: /outside/ })
    const hybrid = { '/sys/fs/cgroup/unified/cgroup.procs': '' }
    t.match(await probe('cgroups', machineOf(t, hybrid)), { on: false, reason: /outside/ })
    const found = { ...hybrid, '/proc/self/cgroup': '1:name=systemd:/x\n0::/a/daemon\n' }
    t.match(await probe('cgroups', machineOf(t, found)), { on: false, reason: /a\/daemon is not delegated/ })
    const base = machineOf(t, { ...found, '/sys/fs/cgroup/unified/a/cgroup.procs': '' })
    const folder = '/sys/fs/cgroup/unified/a'
    t.same(await findCgroupMethod(base), { by: 'base', folder }, 'where an earlier daemon was moved to')
    t.same(
      await findCgroupMethod(machineOf(t, { ...own, [`${folder}/cgroup.procs`]: '' })).then(method => method.by),
      'none',
    )
    const old = { '/sys/fs/cgroup/memory/tasks': '' }
    t.match(await probe('cgroups', machineOf(t, old)), { on: false, reason: /version 1/ })
  })

  await t.test('shim and what needs it', { skip: uid !== 0 && 'needs a file of root' }, async t => {
    const conf = '# who may call\nuid 10001\nuid 1000\n'
    const status = 'NoNewPrivs:\t0\nCapEff:\t0000000000000000\n'
    const hybrid = { '/sys/fs/cgroup/unified/cgroup.procs': '', '/proc/self/cgroup': '0::/session\n' }
    const machine = machineOf(t, { [shimPaths[1]]: '', [shimConf]: conf, '/proc/self/status': status, ...hybrid })
    const file = join(machine.root, shimPaths[1])
    t.match(await probe('shim', machine), { on: false, reason: /setuid/, hint: /sudo locald admin setup/ })
    chmodSync(file, 0o4777)
    t.match(await probe('shim', machine), { on: false, reason: /only root/ })
    chmodSync(file, 0o4755)
    for (const name of ['shim', 'privileged-ports', 'hosts-file', 'cgroups'] as const) {
      t.same(await probe(name, machine), { on: true }, name)
    }
    t.match(await probe('shim', { ...machine, uid: 1001 }), { on: false, reason: /not set up for this user/ })
    t.same(await probe('shim', { ...machine, uid: 0 }), { on: true }, 'root needs no list')
    writeFileSync(join(machine.root, shimConf), `${conf}# ports only\n`)
    t.match(await findShim(machine), { on: true, portsOnly: false, path: shimPaths[1] }, 'the bit says more')
    chmodSync(file, 0o755)
    t.match(await findShim(machine), { on: true, portsOnly: true })
    t.same(await probe('privileged-ports', machine), { on: true })
    for (const name of ['hosts-file', 'cgroups'] as const) t.match(await probe(name, machine), { on: false }, name)
    chmodSync(file, 0o4755)
    writeFileSync(join(machine.root, 'proc/self/status'), 'NoNewPrivs:\t1\n')
    t.match(await probe('shim', machine), { on: false, reason: /no_new_privs/ })
    t.match(await probe('hosts-file', machine), { on: false })
  })

  await t.test('privileged ports without the shim', async t => {
    const first = '/proc/sys/net/ipv4/ip_unprivileged_port_start'
    t.same(await probe('privileged-ports', machineOf(t, { [first]: '80\n' })), { on: true })
    t.match(await probe('privileged-ports', machineOf(t, { [first]: '1024\n' })), { on: false, reason: /1024/ })
    const status = (bits: string) => ({ '/proc/self/status': `CapEff:\t${bits}\n` })
    t.same(await probe('privileged-ports', machineOf(t, status('0000000000000400'))), { on: true })
    t.match(await probe('privileged-ports', machineOf(t, status('0000000000000800'))), { on: false })
  })

  await t.test('trust store, browser, boot and virtual machines', async t => {
    t.same(await probe('trust-store', machineOf(t, { '/usr/sbin/update-ca-certificates': '' })), { on: true })
    t.same(await probe('trust-store', machineOf(t, { '/bin/trust': '' })), { on: true })

    const opener = { '/bin/xdg-open': '' }
    t.match(await probe('open-browser', machineOf(t, opener)), { on: false, reason: /display/ })
    t.match(await probe('open-browser', machineOf(t, {}, { DISPLAY: ':0' })), { on: false, hint: /xdg-utils/ })
    t.same(await probe('open-browser', machineOf(t, opener, { WAYLAND_DISPLAY: 'wayland-0' })), { on: true })
    t.same(await probe('open-browser', machineOf(t, { '/bin/wslview': '' })), { on: true })
    t.equal(await findOpener(machineOf(t, { '/bin/wslview': '', ...opener })), 'wslview')
    t.equal(await findOpener(machineOf(t, {})), 'xdg-open')

    const systemd = { '/run/systemd/system/x': '' }
    t.match(await probe('boot-service', machineOf(t, systemd)), { on: false, reason: /this user/, hint: /linger/ })
    const user = { ...systemd, '/run/user/1000/systemd/private': '' }
    t.same(await probe('boot-service', machineOf(t, user)), { on: true })
    const unit: BootUnit = {
      sandbox: 'a-1',
      run: ['/opt/my "tools" 100%/$HOME\\x/locald-keeper', 'lock', '/run/a b', '--', '/usr/bin/node'],
      shutdown: ['/usr/bin/node', "/it's/main.js", 'server', 'shutdown', '--pid='],
      env: { PATH: '/a b:/100%/$X:/line\nbreak', LOCALD_SANDBOX: 'a-1' },
      log: '/log',
    }
    const plan = await bootPlan(machineOf(t, user, { HOME: '/home/it' }), unit)
    t.match(plan, {
      file: '/home/it/.config/systemd/user/locald-a-1.service',
      start: [{ argv: ['systemctl', '--user', 'start', 'locald-a-1.service'] }],
      hint: /loginctl enable-linger/,
    })
    for (const line of [
      String.raw`Environment="PATH=/a b:/100%%/$X:/line\x0abreak"`,
      'Environment="LOCALD_SANDBOX=a-1"',
      String.raw`ExecStart=systemd-run --user --scope --quiet --collect --description=locald --property=Before=locald-a-1.service "--property=Delegate=cpu memory pids" -- "/opt/my \"tools\" 100%%/$$HOME\\x/locald-keeper" lock "/run/a b" -- /usr/bin/node`,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: systemd's own.
      'ExecStop=env /usr/bin/node "/it\'s/main.js" server shutdown --pid=${MAINPID}',
    ])
      t.ok(plan.text.split('\n').includes(line), `${line}\n${plan.text}`)
    t.same(programsIn(plan.text).programs, [unit.run[0], '/usr/bin/node'], 'what doctor looks for')
    const lingers = { ...user, [`/var/lib/systemd/linger/${userInfo().username}`]: '' }
    const config = await bootPlan(machineOf(t, lingers, { XDG_CONFIG_HOME: '/c' }), { ...unit, sandbox: undefined })
    t.match(config, { file: '/c/systemd/user/locald.service', hint: undefined })
    await t.rejects(bootPlan(machineOf(t, systemd), unit), { code: 'FEATURE_OFF', hint: /linger/ })

    t.same(await probe('vm', machineOf(t, { '/dev/kvm': '' })), { on: true })
    t.match(await probe('vm', machineOf(t, {})), { on: false, reason: /no \/dev\/kvm/ })
  })
})

t.test('checks', async t => {
  await t.test('of the machine', async t => {
    const run = async (id: string, machine: Machine) =>
      machineChecks(machine)
        .find(check => check.id === id)
        ?.run()
    const limits = (files: number) =>
      `Max open files            ${files}                20000                files     \n`
    const inotify = '/proc/sys/fs/inotify/max_user_'
    const good = machineOf(t, {
      '/proc/self/stat': `7 (x) S ${'1 '.repeat(49)}\n`,
      '/proc/self/limits': limits(1024),
      [`${inotify}watches`]: '65536\n',
      [`${inotify}instances`]: '128\n',
    })
    for (const { id } of machineChecks(good).slice(0, 4)) t.match(await run(id, good), { status: 'pass' }, id)
    const bad = machineOf(t, { '/proc/self/limits': limits(256), [`${inotify}watches`]: '8192\n' })
    t.match(await run('process-table', bad), { status: 'fail', severity: 'critical', fix: /proc/ })
    t.match(await run('open-files', bad), { status: 'warn', summary: /256/, fix: /ulimit -n/ })
    t.match(await run('file-watches', bad), { status: 'warn', summary: /8192/, fix: /sysctl/ })
    t.match(await run('open-files', machineOf(t, {})), { status: 'skip' })
  })
})

t.test('the plugin', linux, async t => {
  const features = new Map<FeatureName, FeatureState>()
  const checks: Check[] = []
  const offered: Partial<Services> = {}
  const use: Services = Object.create(null)
  const nothing = () => t.fail('not for a platform plugin')
  let open: Parameters<Host['opener']>[0] | undefined
  await plugin.setup(
    fakeHost({
      platform: { os: 'linux', release: 6, arch: 'x64', uid },
      log: { info: nothing, warn: nothing, error: nothing },
      service: nothing,
      feature: (name, state) => features.set(name, state),
      has: name => features.get(name)?.on === true,
      check: check => checks.push(check),
      command: nothing,
      routes: nothing,
      opener: given => {
        open = given
      },
      provide: (name, make) => Object.assign(offered, { [name]: make(use) }),
    }),
  )
  t.same([...features.keys()], platformFeatures)
  for (const [name, state] of features) t.ok(state.on || (state.reason && state.hint), name)
  t.equal(new Set(checks.map(({ id }) => id)).size, checks.length)
  for (const check of checks) {
    const result = await check.run()
    t.ok(['pass', 'skip'].includes(result.status) || result.fix, `${check.id}: ${result.summary}`)
    t.not(`${result.severity} ${result.status}`, 'critical fail')
  }
  t.ok(await offered.processTable?.start(process.pid))
  const opening = await open?.('http://a.localhost')
  if (features.get('open-browser')?.on === true) t.match(opening, { argv: [/open|wslview/, 'http://a.localhost'] })
  else t.match(opening, { argv: null, hint: /\w/ })
})

t.test('doctor looks at the unit that was installed', async t => {
  const home = t.testdir({ bin: {}, my: {} })
  const at = (name: string) => join(home, 'my', name)
  const systemctl = join(home, 'bin', 'systemctl')
  const env = { HOME: home, PATH: `${join(home, 'bin')}:/usr/bin:/bin`, LOCALD_SANDBOX: 'a-1' }
  const check = unitCheck({ root: home, env, uid: 1000 })
  t.match(await check.run(), { status: 'skip' })
  const run = [at('keeper'), 'lock', '/l', '--', at('node'), at('daemon.js')] as const
  const unit: BootUnit = { sandbox: 'a-1', run: [...run], shutdown: ['/x'], env: {}, log: '/log' }
  const { name, file } = unitOf({ root: '/', env, uid: 1000 }, 'a-1')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, unitText(name, unit))
  const fix = 'Run `locald server install`.'
  const missing = (path: string) => ({
    status: 'warn',
    summary: `the systemd unit starts ${path}, which cannot be run`,
    fix,
  })
  t.match(await check.run(), missing(at('keeper')))
  writeFileSync(at('keeper'), '', { mode: 0o755 })
  t.match(await check.run(), missing(at('node')))
  writeFileSync(at('node'), '', { mode: 0o755 })
  t.match(await check.run(), missing(at('daemon.js')))
  writeFileSync(at('daemon.js'), '')
  writeFileSync(systemctl, `#!/bin/sh\ntest "$*" = "--user is-enabled ${name}"\n`, { mode: 0o755 })
  t.match(await check.run(), { status: 'pass' })
  writeFileSync(systemctl, '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  t.match(await check.run(), { status: 'warn', summary: 'systemd does not have locald-a-1.service enabled', fix })
})
