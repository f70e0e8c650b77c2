import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import type { Check, FeatureName, FeatureState, Host, ProcessTree, Services } from '../../../kernel/contract/plugin.ts'
import { platformFeatures } from '../../../plugins/lib/features.ts'
import { agentCheck } from '../../../plugins/platform-darwin/agent.ts'
import { machineChecks } from '../../../plugins/platform-darwin/checks.ts'
import { SharedRun, Tools, toolPath } from '../../../plugins/platform-darwin/commands.ts'
import { type Machine, probes } from '../../../plugins/platform-darwin/features.ts'
import plugin from '../../../plugins/platform-darwin/index.ts'
import { failureIn, isDisabled, launchctlProgram } from '../../../plugins/platform-darwin/launchctl.ts'
import { parseLsof } from '../../../plugins/platform-darwin/lsof.ts'
import {
  DarwinProcessTable,
  findRemaining,
  membersOf,
  type ProcessSnapshot,
} from '../../../plugins/platform-darwin/process-table.ts'
import {
  asPsShows,
  environmentArgs,
  parseRow,
  parseTime,
  pidsWith,
  psArgs,
  type Row,
} from '../../../plugins/platform-darwin/ps.ts'
import { findShim, shimConf, shimPath } from '../../../plugins/platform-darwin/shim.ts'
import { hasFileEvents } from '../../../plugins/platform-darwin/tree-watches.ts'
import { fakeHost } from '../../lib/fake-host.ts'
import { psWithEnvironment, setsid } from '../../lib/machine.ts'

const folderOfThis = dirname(fileURLToPath(import.meta.url))
const works = (program: string) => spawnSync(program, ['-v']).error === undefined
const tools = works('ps') && works('lsof') ? {} : { skip: 'needs ps and lsof' }
const table = new DarwinProcessTable(new Tools(process.env['PATH']))

interface Started {
  readonly child: ChildProcess
  readonly pid: number
  readonly numbers: readonly number[]
}

/**
 * Runs a program, in a session of its own when asked to, until the test ends; resolves when it has written `count`
 * numbers.
 */
async function run(t: Test, argv: readonly string[], count: number, detached = false): Promise<Started> {
  const child = spawn(argv[0] ?? 'sh', argv.slice(1), {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'] },
    detached,
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

const sh = (t: Test, text: string, count: number, detached = false) => run(t, ['sh', '-c', text], count, detached)

/** What no event tells: asked for again and again, for at most 10 s. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it never came to that')
    await setTimeout(10)
  }
}

/** Kills a child unless it has ended before. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  await new Promise(resolve => server.close(resolve))
  return typeof bound === 'object' && bound !== null ? bound.port : 0
}

const treeOf = (keeper: number, more: Partial<ProcessTree> = {}): ProcessTree => ({
  keeper,
  pid: keeper,
  pgid: keeper,
  startedMs: Date.now(),
  ...more,
})

/** All rows of an output of ps. */
const parsePs = (text: string) => text.split('\n').flatMap(row => parseRow(row) ?? [])

const macPs = `    1     0     1 Ss   ??       Mon Nov  2 08:59:01 2026     12:34.56  21504
  412     1   412 S    ??       Mon Nov  2 08:59:44 2026      0:03.21   8832
 1034   998  1034 Ss+  ttys003  Mon 23 Nov 10:15:42 2026      0:00.03   1536
 1035  1034  1034 R+   ttys003  Mon Nov 23 10:15:43 2026   1502:07.98 412992
 1036  1034  1034 Z    ??       Mon Nov 23 10:15:43 2026      0:00.00      0
 1037     1  1037 ?Es  ??       Mon Nov 23 10:15:44 2026      0:00.00      0
ps: something else
`

t.test('ps', async t => {
  t.same(
    psArgs.filter(arg => arg.includes('=')).every(arg => /^[a-z]+=$/.test(arg)),
    true,
    'a column for each -o: macOS takes all that follows = for the heading',
  )
  const rows = parsePs(macPs)
  t.equal(rows.length, 6)
  t.same(rows[3], {
    pid: 1035,
    ppid: 1034,
    pgid: 1034,
    zombie: false,
    terminal: true,
    startedMs: Date.UTC(2026, 10, 23, 10, 15, 43),
    cpuMs: (1502 * 60 + 7) * 1000 + 980,
    memory: 412992 * 1024,
  })
  t.equal(rows[0]?.startedMs, Date.UTC(2026, 10, 2, 8, 59, 1))
  t.equal(rows[2]?.startedMs, Date.UTC(2026, 10, 23, 10, 15, 42), 'with the day before the month')
  t.same(
    rows.map(({ zombie }) => zombie),
    [false, false, false, false, true, false],
  )
  t.same(
    rows.map(({ terminal }) => terminal),
    [false, false, true, true, false, false],
  )
  const procps = '   2     1     0 S    ?        Tue Nov 24 03:43:09 2026 1-02:03:04 15420\n'
  t.match(parsePs(procps), [{ pid: 2, terminal: false, cpuMs: ((26 * 60 + 3) * 60 + 4) * 1000 }])
  t.same(parsePs('PID PPID\n\n'), [])
  t.equal(parseTime('0:00.07'), 70)
  t.equal(parseTime('00:00:03'), 3000)
  t.equal(parseTime('100:00.00'), 6_000_000)
})

t.test('variables in the output of ps', async t => {
  const text = ` 1034 -zsh
 1035 node server.js PATH=/usr/bin NOTIFY_SOCKET=/run/k/a1.n HOME=/Users/me
 1036 sleep 300 NOTIFY_SOCKET=/run/k/a1.n
 1037 node NOTIFY_SOCKET=/run/k/a1.nn OLD_NOTIFY_SOCKET=/run/k/a1.n
nonsense NOTIFY_SOCKET=/run/k/a1.n
    1 launchd NOTIFY_SOCKET=/run/k/a1.n
`
  const home = ' 1040 sleep 3 NOTIFY_SOCKET=/Users/Andre\u0301 Li/k/a1.n A=b'
  t.same([...pidsWith([home], 'NOTIFY_SOCKET=/Users/Andre\u0301 Li/k/a1.n')], [1040], 'with a space')
  // As strvis(3) writes it (adv_cmds-237 ps/print.c, VIS_NOSLASH; LC_ALL=C): composed, and decomposed as APFS keeps what Finder made.
  t.equal(asPsShows('/Users/André'), '/Users/AndrM-CM-)')
  t.equal(asPsShows('/Users/Andre\u0301\u00a0\t'), '/Users/AndreM-LM^AM-B\\240^I')
  const shown = ' 1041 sleep 3 NOTIFY_SOCKET=/Users/AndrM-CM-)/k/a1.n A=b'
  t.same([...pidsWith([shown], 'NOTIFY_SOCKET=/Users/André/k/a1.n')], [1041], 'with an accent')
  t.same(environmentArgs(501).slice(0, 4), ['-xww', '-U', '501', '-E'], 'of this user alone')
  t.same(environmentArgs(0).slice(0, 2), ['-axww', '-E'])
  t.same([...pidsWith(text.split('\n'), 'NOTIFY_SOCKET=/run/k/a1.n')], [1035, 1036])
  t.same([...pidsWith([], 'NOTIFY_SOCKET=/run/k/a1.n')], [])
})

t.test('lsof', async t => {
  const fields = `p501
cGoogle\\x20Chrome\\x20Helper
f23
tIPv4
n127.0.0.1:9222
p1035
cnode
f20
tIPv6
n*:3000
f21
tIPv4
n*:3000
f22
tIPv6
n[::1]:5173
f24
tIPv6
n[::ffff:127.0.0.1]:8080 (LISTEN)
`
  t.same(parseLsof(fields.split('\n')), [
    { pid: 501, command: 'Google Chrome Helper', address: '127.0.0.1', port: 9222 },
    { pid: 1035, command: 'node', address: '::', port: 3000 },
    { pid: 1035, command: 'node', address: '0.0.0.0', port: 3000 },
    { pid: 1035, command: 'node', address: '::1', port: 5173 },
    { pid: 1035, command: 'node', address: '127.0.0.1', port: 8080 },
  ])
  t.same(parseLsof(['']), [])
})

/** What people have published of their Macs: test/plugins/platform-darwin/recorded/README.md names the sources. */
const recorded = (name: string) =>
  readFileSync(
    join(folderOfThis, '..', '..', '..', '..', 'test', 'plugins', 'platform-darwin', 'recorded', name),
    'utf8',
  )

t.test('recorded on Macs', async t => {
  const listening = (pid: number, command: string, port: number) => ({ pid, command, address: '0.0.0.0', port })
  t.same(
    parseLsof(recorded('lsof-fields.txt').split('\n')),
    [
      ...[listening(783, 'rapportd', 57607), listening(783, 'rapportd', 57607)],
      ...[5000, 7000, 7000, 5000].map(port => listening(866, 'ControlCenter', port)),
    ],
    'neither connections nor UDP sockets without a port',
  )
  t.same(parseLsof(recorded('lsof-warnings.txt').split('\n')), [], 'warnings are no sockets')

  const starts = recorded('ps-lstart.txt').split('\n')
  const shown = (locale: string) => {
    const line = starts.find(text => text.startsWith(locale)) ?? ''
    const [, lstart] = /root {3}(.*?) +\d[.,]\d +20032/.exec(line) ?? []
    return parseRow(`    1     0     1 Ss   ??       ${lstart}     12:34.56  20032`)?.startedMs
  }
  t.equal(shown('C'), Date.UTC(2026, 6, 29, 15, 37, 10))
  for (const locale of ['ko_KR', 'de_DE', 'fr_FR'])
    t.equal(shown(locale), undefined, `${locale} is no date, and no wrong one`)

  const running = recorded('launchctl-print.txt')
  t.equal(failureIn(running), undefined, 'a job that runs')
  const stopped = running.replace('state = running', 'state = not running')
  t.equal(failureIn(stopped), undefined, 'one that exited with 0')
  t.equal(failureIn(stopped.replace('code = 0', 'code = (never exited)')), undefined)
  t.equal(failureIn(stopped.replace('code = 0', 'code = 78: EX_CONFIG')), '78: EX_CONFIG')
  t.equal(failureIn(running.replace('code = 0', 'code = 1')), undefined, 'one that runs again')

  const label = 'com.apple.ManagedClientAgent.enrollagent'
  for (const version of [12, 26]) {
    const text = recorded(`print-disabled-${version}.txt`)
    t.equal(isDisabled(text, label), true, `macOS ${version}`)
    t.equal(isDisabled(text, 'com.docker.helper'), false)
    t.equal(isDisabled(text, 'dev.locald'), false, 'nothing is said of it')
  }
})

t.test('rows of ps that are odd', async t => {
  t.equal(parseRow(' 4242  4240  4240 Z    ??       Thu Jan  1 00:00:00 1970      0:00.00      0')?.zombie, true)
  t.equal(parseRow(' 4243  4240  4240 Z+   ttys001  Mon Nov 23 10:15:43 2026      0:00.00      0')?.zombie, true)
  t.equal(parseRow(' 4244  4240  4240 U    ??       Mon Nov 23 10:15:43 2026      0:00.00      0')?.zombie, false)
  t.equal(parseRow('(node)'), undefined)
})

t.test('runs are shared', async t => {
  let runs = 0
  const open: (() => void)[] = []
  const shared = new SharedRun(async () => {
    runs += 1
    const run = runs
    await new Promise<void>(resolve => open.push(resolve))
    return run
  })
  const early = [shared.get(), shared.get()]
  await until(async () => open.length === 1)
  const late = [shared.get(), shared.get(), shared.get()]
  open.shift()?.()
  t.same(await Promise.all(early), [1, 1])
  await until(async () => open.length === 1)
  open.shift()?.()
  t.same(await Promise.all(late), [2, 2, 2], 'who comes late waits for a run that began after')
  const failing = new SharedRun(async () => {
    throw new Error('no')
  })
  await t.rejects(failing.get(), /no/)
  await t.rejects(failing.get(), /no/, 'a failure does not stay')
})

t.test('programs that fail', async t => {
  const folder = t.testdir({ ps: '#!/bin/sh\nexit 3\n', lsof: '#!/bin/sh\nexit 1\n' })
  for (const name of ['ps', 'lsof']) chmodSync(join(folder, name), 0o755)
  const broken = new Tools(folder)
  await t.rejects(broken.ps(), { code: 'STEP_FAILED', message: /'ps' failed/, hint: /doctor/ })
  await t.rejects(new DarwinProcessTable(broken).start(process.pid), { code: 'STEP_FAILED' }, 'which is not "gone"')
  t.same(await broken.lsof(), [], 'lsof ends with 1 when nothing listens')
  t.same([...(await broken.given('A=b'))], [], 'a ps without -E shows no environments')

  // indexable-inc/index#2337: "ps: rss: requires entitlement", and 0.
  const poor = t.testdir({ ps: '#!/bin/sh\necho "ps: rss: requires entitlement" >&2\necho " 1 0 1 Ss ??"\n' })
  chmodSync(join(poor, 'ps'), 0o755)
  await t.rejects(
    new Tools(poor).ps(),
    { code: 'STEP_FAILED', message: /unexpected output/ },
    'no table is not an empty one',
  )

  t.comment('some of lsof, complaints, and 1: something could not be looked into')
  const complaints = recorded('lsof-warnings.txt').replaceAll("'", "'\\''")
  const some = `#!/bin/sh\nprintf 'p7\\ncnode\\nf20\\ntIPv6\\nn*:3000\\n'\nprintf '%s' '${complaints}' >&2\nexit 1\n`
  // A megabyte for each process, more than any buffer holds.
  const large =
    '#!/bin/sh\nfor pid in $(seq 40); do echo " $pid sh"; head -c 1000000 /dev/zero | tr "\\0" x; echo; done; echo " 41 sh A=b"\n'
  const partial = t.testdir({ lsof: some, ps: large })
  for (const name of ['ps', 'lsof']) chmodSync(join(partial, name), 0o755)
  const seeing = new Tools(`${partial}:${process.env['PATH']}`)
  t.same(await seeing.lsof(), [{ pid: 7, command: 'node', address: '::', port: 3000 }])
  t.same([...(await seeing.given('A=b'))], [41], 'environments of any size')
})

const second = 1000
const begun = Date.UTC(2026, 10, 23, 10, 0, 0)

/** A row that started `at` seconds after the tree. */
function row(pid: number, ppid: number, pgid: number, at: number, more: Partial<Row> = {}): Row {
  const startedMs = begun + at * second
  return { pid, ppid, pgid, startedMs, zombie: false, terminal: false, cpuMs: 10, memory: 1024, ...more }
}

const tree = treeOf(100, { pid: 101, pgid: 101, startedMs: begun, port: 3000 })
const pids = (rows: readonly Row[]) => rows.map(({ pid }) => pid).sort((a, b) => a - b)

t.test('members in a table', async t => {
  const service = [row(100, 50, 100, 0), row(101, 100, 101, 0), row(102, 101, 101, 1), row(103, 101, 103, 1)]
  const others = [row(50, 1, 50, -900), row(200, 50, 200, 5), row(201, 1, 201, 5)]
  t.same(pids(membersOf([...service, ...others], tree)), [101, 102, 103], 'a session of its own stays below its parent')
  const orphan = row(104, 1, 101, 30)
  t.same(pids(membersOf([...service, orphan, ...others], tree)), [101, 102, 103, 104], 'an orphan stays in the group')
  const below = row(105, 104, 105, 31)
  t.same(
    pids(membersOf([orphan, below, ...others], tree)),
    [104, 105],
    'also when the main process and keeper are gone',
  )
  t.same(pids(membersOf([row(101, 100, 101, 0, { zombie: true }), orphan], tree)), [104], 'a zombie is none')
  t.same(membersOf([row(100, 1, 100, 500), row(300, 100, 100, 501)], tree), [], "the keeper's pid came round")
  t.same(membersOf([row(101, 1, 101, 500), row(300, 101, 101, 501)], tree), [], "the main process's pid came round")
  t.same(membersOf([row(300, 1, 101, -60)], tree), [], 'older than the tree')
  const daemon = row(process.pid, 101, 101, 40)
  const itsKeeper = row(106, process.pid, 106, 41)
  t.same(
    pids(membersOf([...service, daemon, itsKeeper], tree)),
    [101, 102, 103],
    'a daemon started from a service is none',
  )
})

const sight = (
  rows: readonly Row[],
  sockets: ProcessSnapshot['sockets'] = [],
  given: readonly number[] = [],
): ProcessSnapshot => ({
  ...{ rows, sockets, given: new Set(given) },
})

t.test('remains in a table', async t => {
  const holds = (pid: number, port = 3000) => [{ pid, command: 'x', address: '::', port }]
  const stray = row(400, 1, 400, 20)
  t.same(pids(findRemaining(sight([stray], holds(400)), tree, [])), [400], "a daemon that holds the service's port")
  t.same(pids(findRemaining(sight([stray, row(401, 400, 400, 21)], holds(401)), tree, [])), [401], 'or its worker')
  t.same(findRemaining(sight([stray], holds(400, 3001)), tree, []), [], 'not one on another port')
  t.same(findRemaining(sight([row(400, 1, 400, -60)], holds(400)), tree, []), [], 'not an older one')
  t.same(
    findRemaining(sight([row(400, 1, 400, 20, { terminal: true })], holds(400)), tree, []),
    [],
    'not one in a terminal',
  )
  const shell = row(399, 1, 399, 15, { terminal: true })
  t.same(
    findRemaining(sight([shell, row(400, 399, 400, 20)], holds(400)), tree, []),
    [],
    'not one started from a terminal',
  )
  const editor = row(399, 1, 399, -900)
  t.same(
    findRemaining(sight([editor, row(400, 399, 400, 20)], holds(400)), tree, []),
    [],
    'not one of an older program',
  )
  t.same(findRemaining(sight([row(process.pid, 1, 400, 20)], holds(process.pid)), tree, []), [], 'not the daemon')

  const inTerminal = row(400, 399, 400, 20, { terminal: true })
  t.same(
    pids(findRemaining(sight([editor, inTerminal], [], [400]), tree, [])),
    [400],
    'one with the variable, wherever it is',
  )
  t.same(findRemaining(sight([row(400, 1, 400, -60)], [], [400]), tree, []), [], 'not one older than that')
  const us = row(process.pid, 1, 410, 20)
  t.same(
    findRemaining(sight([us, row(411, process.pid, 411, 21)], [], [process.pid, 411]), tree, []),
    [],
    'not the daemon',
  )

  const seen = (start: string) => [{ pid: 500, ppid: 1, start }]
  const earlier = [row(500, 1, 500, 5, { terminal: true }), row(501, 500, 501, 6)]
  t.same(
    pids(findRemaining(sight(earlier, []), tree, seen('2026-11-23T10:00:05Z'))),
    [500, 501],
    'seen earlier, and what is below it',
  )
  t.same(findRemaining(sight(earlier, []), tree, seen('2026-11-23T10:00:04Z')), [], 'not another with its pid')
  const daysAgo = { ...tree, startedMs: begun - 86_400 * second }
  const launchd = row(1, 0, 1, -60)
  const database = row(600, 1, 600, 5)
  t.same(
    findRemaining(sight([launchd, database, row(700, 1, tree.pgid, 6)], holds(600)), daysAgo, []),
    [],
    'nothing of a machine that was started since: all is younger than the tree',
  )
  t.same(
    pids(findRemaining(sight([launchd, database], [], [600]), daysAgo, [])),
    [600],
    'but what was given its variable',
  )
  t.same(
    findRemaining(sight([row(1, 0, 101, 0), row(100, 1, 101, 0)], []), tree, []),
    [],
    'neither launchd nor the keeper',
  )
})

t.test('real processes', tools, async t => {
  await t.test('start', async t => {
    const a = await sh(t, 'echo $$; exec sleep 300', 1)
    const start = await table.start(a.pid)
    t.match(start, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    t.equal(await table.start(a.pid), start)
    t.ok(Math.abs(Date.parse(start ?? '') - Date.now()) < 10_000)
    await ended(a.child)
    t.equal(await table.start(a.pid), undefined)
    const parent = await sh(t, 'sh -c "echo \\$\\$" & exec sleep 300', 1)
    await until(async () => (await table.start(parent.numbers[0] ?? 0)) === undefined)
    t.same(await table.members(treeOf(parent.pid)), [], 'a zombie counts as gone')
  })

  await t.test('members and usage', async t => {
    const keeper = await sh(t, 'sleep 300 & echo $!; sh -c "sleep 300 & echo \\$\\$; echo \\$!; wait" & wait', 3, true)
    const members = await table.members(treeOf(keeper.pid))
    t.same(members.map(({ pid }) => pid).sort(), keeper.numbers.toSorted())
    const [usage, none] = await table.usage([treeOf(keeper.pid), treeOf(keeper.pid, { startedMs: 0 })])
    t.ok(usage && usage.memory > 100_000 && usage.cpuMs < 5000)
    t.same(none, { cpuMs: 0, memory: 0 }, 'started long after the tree: another process')
    const burn = 'i=0; while [ $i -lt 1000000 ]; do i=$((i+1)); done; echo $$; exec sleep 300'
    const busy = await sh(t, `sh -c '${burn}' & wait`, 1)
    const [used] = await table.usage([treeOf(busy.pid)])
    t.ok(used && used.cpuMs >= 0)
  })

  await t.test('listeners and holder', async t => {
    for (const address of ['127.0.0.1', '0.0.0.0', '::1', '::']) {
      const server = createServer()
      const ready = once(server, 'listening')
      server.listen(0, address)
      try {
        await ready
      } catch {
        t.pass('this machine has no IPv6')
        continue
      }
      t.teardown(() => server.close())
      const bound = server.address()
      const port = typeof bound === 'object' && bound !== null ? bound.port : 0
      const found = await table.listeners([process.pid])
      t.same(
        found.filter(one => one.port === port),
        [{ pid: process.pid, address, port }],
      )
      t.equal(await table.owns(port), true)
      t.match(await table.holder(port), new RegExp(`^\\S+ \\(pid ${process.pid}\\)$`))
    }
    t.same(await table.listeners([]), [])
    t.equal(await table.holder(await freePort()), undefined)
    t.equal(await table.owns(await freePort()), false)
  })

  await t.test(
    'one that listens on all addresses beside this process is named, on loopback or in this process it is not',
    async t => {
      const listeners = [
        { pid: process.pid, command: 'node', address: '127.0.0.1', port: 8080 },
        { pid: process.pid, command: 'node', address: '::', port: 8080 },
        { pid: 812, command: 'python3', address: '0.0.0.0', port: 8080 },
        { pid: 900, command: 'ruby', address: '::1', port: 8081 },
      ]
      const shown = new DarwinProcessTable({
        ps: async () => [],
        given: async () => new Set(),
        lsof: async () => listeners,
      })
      t.equal(await shown.overshadowed(8080), 'python3 (pid 812)')
      t.equal(await shown.overshadowed(8081), undefined)
    },
  )

  await t.test('AirPlay Receiver is named, with the setting that frees its port', async t => {
    // As lsof of macOS 13 shows it: one process, both families, on all addresses.
    const listeners = [5000, 7000].flatMap(port =>
      ['0.0.0.0', '::'].map(address => ({ pid: 412, command: 'ControlCenter', address, port })),
    )
    const shown = new DarwinProcessTable({
      ps: async () => [],
      given: async () => new Set(),
      lsof: async () => listeners,
    })
    t.equal(await shown.holder(5000), 'AirPlay Receiver of macOS (ControlCenter, pid 412)')
    t.match(await shown.freeing(5000), /AirPlay Receiver in System Settings › General › AirDrop & Handoff$/)
    t.equal(await shown.freeing(5001), undefined)
  })

  await t.test('sweep ends the group of a main process that is gone, and no other', async t => {
    const main = await sh(t, 'sleep 300 & echo $!; sleep 300 & echo $!; wait', 2, true)
    const other = await sh(t, 'echo $$; exec sleep 300', 1, true)
    const own = treeOf(999_999_999, { pid: main.pid, pgid: main.pid })
    await ended(main.child)
    t.equal(await table.sweep(own, []), 2)
    t.equal(await table.sweep(own, []), 0)
    t.ok(await table.start(other.pid))
  })

  await t.test('sweep finds a daemon by the port of its service', async t => {
    const port = await freePort()
    // On a busy machine its programs take seconds to begin.
    const startedMs = Date.now()
    const serve = `require('net').createServer().listen(${port},'127.0.0.1',()=>console.log(process.pid))`
    const main = await sh(
      t,
      `(${setsid} env -i "${process.execPath}" -e "${serve}" &); echo $$; exec sleep 300`,
      2,
      true,
    )
    const [stray] = main.numbers.filter(pid => pid !== main.pid)
    if (stray === undefined) return t.fail('the daemon did not start')
    const row = parsePs(
      spawnSync('ps', psArgs, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' } }).stdout,
    )
    if (row.find(({ pid }) => pid === stray)?.ppid !== 1) return t.pass('another process adopts orphans here')
    const own = treeOf(999_999_999, { pid: main.pid, pgid: main.pid, startedMs })
    t.same(
      (await table.members(own)).map(({ pid }) => pid),
      [main.pid],
      'it has left the tree',
    )
    t.equal(await table.sweep({ ...own, port }, []), 2)
    t.equal(await table.start(stray), undefined)
    return t.equal(await table.holder(port), undefined)
  })

  await t.test('sweep asks lsof only for a port on which something listens', async t => {
    let asked = 0
    const all = new Tools(process.env['PATH'])
    const lsof = () => {
      asked += 1
      return all.lsof()
    }
    const counting = new DarwinProcessTable({ ps: () => all.ps(), given: async () => new Set(), lsof })
    const nothing = treeOf(999_999_999, { pid: 999_999_998, pgid: 999_999_998 })
    t.equal(await counting.sweep({ ...nothing, port: await freePort() }, []), 0)
    t.equal(asked, 0)
    for (const host of ['127.0.0.1', '::']) {
      const server = createServer().listen(0, host)
      await once(server, 'listening')
      const bound = server.address()
      const port = typeof bound === 'object' && bound !== null ? bound.port : 0
      t.equal(await counting.sweep({ ...nothing, port }, []), 0)
      server.close()
    }
    t.equal(asked, 2)
  })

  await t.test('sweep finds a daemon by what it was given, where ps shows it', async t => {
    const folder = t.testdir({ ps: psWithEnvironment })
    chmodSync(join(folder, 'ps'), 0o755)
    const seeing = new DarwinProcessTable(new Tools(`${folder}:${process.env['PATH']}`))
    const [variable, other] = ['NOTIFY_SOCKET=/nowhere/test.n', 'NOTIFY_SOCKET=/nowhere/other.n']
    const daemon = (given: string) => `(${given} ${setsid} sh -c 'echo $$; exec sleep 300' &)`
    const startedMs = Date.now()
    const main = await sh(t, `${daemon(variable)}; ${daemon(other)}; echo $$; exec sleep 300`, 3, true)
    const own = treeOf(999_999_999, { pid: main.pid, pgid: main.pid, startedMs })
    const strays = main.numbers.filter(pid => pid !== main.pid)
    const given = await new Tools(folder).given(variable)
    const [stray, stranger] = [strays.find(pid => given.has(pid)) ?? 0, strays.find(pid => !given.has(pid)) ?? 0]
    await ended(main.child)
    t.equal(await table.sweep({ ...own, variable }, []), 0, 'not where ps does not show it')
    t.equal(await seeing.sweep({ ...own, variable }, []), 1)
    t.equal(await table.start(stray), undefined)
    t.ok(await table.start(stranger), "another service's is left alone")
  })

  await t.test('sweep ends what was seen earlier, if it is the same', async t => {
    const a = await sh(t, 'echo $$; exec sleep 300', 1)
    const b = await sh(t, 'echo $$; exec sleep 300', 1)
    const start = (await table.start(a.pid)) ?? ''
    const seen = [
      { pid: a.pid, ppid: 1, start },
      { pid: b.pid, ppid: 1, start: '2001-01-01T00:00:00Z' },
    ]
    t.equal(await table.sweep(treeOf(999_999_999), seen), 1)
    t.ok(await table.start(b.pid))
  })
})

/** A machine of the test's own: files by path below its root, a PATH of one folder. */
function machineOf(t: Test, files: Readonly<Record<string, string>>): Machine {
  const root = t.testdir({ bin: {} })
  for (const [path, text] of Object.entries(files)) {
    const full = join(root, path)
    mkdirSync(dirname(full), { recursive: true })
    writeFileSync(full, text, { mode: 0o755 })
  }
  return { root, path: join(root, 'bin'), uid: 501 }
}

t.test('features', async t => {
  await t.test('of a bare machine are off but for what every Mac has', async t => {
    const machine = machineOf(t, {})
    for (const name of platformFeatures) {
      const state = await probes[name](machine)
      if (['process-groups', 'open-browser', 'boot-service', 'trust-store'].includes(name))
        t.same(state, { on: true }, name)
      else t.match(state, { on: false, reason: /\w+ \w+/, hint: /\w+ \w+/ }, name)
    }
    t.same(await probes.containers(machine), {
      on: false,
      reason: 'Lima is not installed',
      hint: '`brew install lima`; or use `command = "..."` to run a native process.',
    })
    t.match(await probes.cgroups(machine), { reason: 'macOS has no cgroups; process groups are used' })
  })

  await t.test('of engines and virtual machines are told by PATH', async t => {
    for (const name of ['limactl', 'docker', 'podman']) {
      const machine = machineOf(t, { [`/bin/${name}`]: '' })
      t.same(await probes.containers(machine), { on: true }, name)
      t.equal((await probes.vm(machine)).on, name === 'limactl')
    }
    const unset = { ...machineOf(t, {}), path: undefined }
    t.match(await probes.vm(unset), { on: false })
  })

  await t.test('of the shim', { skip: process.getuid?.() !== 0 && 'needs a file of root' }, async t => {
    const machine = machineOf(t, { [shimPath]: '' })
    t.match(await probes.shim(machine), { on: false, reason: /setuid/ })
    chmodSync(join(machine.root, shimPath), 0o4755)
    t.match(await probes.shim(machine), { on: false, reason: /not set up for this user/ })
    mkdirSync(join(machine.root, dirname(shimConf)), { recursive: true })
    writeFileSync(join(machine.root, shimConf), '# who may call\nuid 5010\nuid 501\n')
    t.match(await findShim(machine), { on: true, path: shimPath, portsOnly: false })
    for (const name of ['shim', 'privileged-ports', 'hosts-file'] as const) {
      t.same(await probes[name](machine), { on: true }, name)
    }
  })
})

t.test('checks', async t => {
  const failing = async () => Promise.reject(new Error('no such program'))
  const results = await Promise.all(machineChecks({ ps: failing, lsof: async () => [] }).map(check => check.run()))
  t.match(results, [
    { status: 'fail', severity: 'critical', summary: /no such program/, fix: /ps/ },
    { status: 'pass', severity: 'critical' },
  ])
})

t.test(
  'whole trees are watched where there is FSEvents, and not where a daemon is only told that it is on a Mac',
  async t => {
    t.equal(
      await hasFileEvents({
        root: t.testdir({ System: { Library: { Frameworks: { 'CoreServices.framework': {} } } } }),
      }),
      true,
    )
    t.equal(await hasFileEvents({ root: t.testdir({}) }), false)
  },
)

t.test('launchctl is the system’s own, but in a sandbox', async t => {
  t.equal(launchctlProgram(undefined), '/bin/launchctl')
  t.equal(launchctlProgram('box'), 'launchctl')
})

t.test('ps and lsof are the system’s own, but in a sandbox', async t => {
  t.match(toolPath('/nix/bin', undefined), /^\/usr\/bin:\/bin:.*:\/nix\/bin$/)
  t.match(toolPath('/nix/bin', 'box'), /^\/nix\/bin:\/usr\/bin:/)
  t.equal(toolPath(undefined, 'box'), toolPath('', undefined))
})

t.test('without an agent the daemon stops with the app that started it, on macOS 27', async t => {
  const home = t.testdir({})
  const launchctl = async () => ({ code: 113, text: '' })
  const check = (release: number, env: NodeJS.ProcessEnv = {}) =>
    agentCheck({ uid: 501, env: { HOME: home, ...env }, launchctl, release }).run()
  t.match(await check(27), { status: 'warn', summary: /^macOS 27 stops the daemon/, fix: /`locald server install`/ })
  t.match(await check(27, { XPC_SERVICE_NAME: 'dev.locald.run.1' }), { status: 'pass' }, 'launchd started it')
  t.match(await check(27, { XPC_SERVICE_NAME: '0' }), { status: 'warn' }, 'as in Terminal')
  t.match(await check(25), { status: 'skip' })
  t.match(await check(0), { status: 'skip' })
})

t.test('the plugin', tools, async t => {
  const features = new Map<FeatureName, FeatureState>()
  const checks: Check[] = []
  const offered: Partial<Services> = {}
  const use: Services = Object.create(null)
  const nothing = () => t.fail('not for a platform plugin')
  let open: Parameters<Host['opener']>[0] | undefined
  await plugin.setup(
    fakeHost({
      platform: { os: 'darwin', release: 25, arch: 'arm64', uid: 501 },
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
    t.ok(result.status !== 'warn' || result.fix, `${check.id}: ${result.summary}`)
    t.not(`${result.severity} ${result.status}`, 'critical fail')
  }
  t.ok(await offered.processTable?.start(process.pid))
  t.same(await open?.('http://a.localhost'), { argv: ['/usr/bin/open', 'http://a.localhost'] })
})
