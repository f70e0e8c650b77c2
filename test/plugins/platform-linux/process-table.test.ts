import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { LinuxProcessTable } from '../../../plugins/platform-linux/process-table.ts'
import { until } from '../../lib/running.ts'
import { treeOf, waitForExit } from '../../lib/table-processes.ts'
import { deadPid, linux, marking, newMark, script, table, uid } from './harness.ts'

const ownPids =
  uid === 0 && spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0
    ? linux
    : { skip: 'needs a pid namespace' }

/** Has a process, and after it another with the same pid, and prints what the table returns for them. */
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

const marked = (mark: string) => ['prlimit', `--rttime=${mark}:unlimited`]

t.test('a thread of the kernel is no process to wait for', async t => {
  const root = t.testdir({
    sys: { kernel: { random: { boot_id: 'boot' } } },
    2: { stat: '2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 3 0 0 20 0 1 0 1 0 0' },
    3: { stat: '3 (node) S 0 3 3 0 -1 4194560 0 0 0 0 0 3 0 0 20 0 1 0 1 0 0' },
  })
  const table = new LinuxProcessTable(uid, root)
  t.equal(await table.start(2), undefined)
  t.type(await table.start(3), 'string')
})

t.test('start', linux, async t => {
  await t.test('is stable for a process and differs between processes', async t => {
    const a = await script(t, 'echo $$; exec sleep 300', 1)
    const first = await table.start(a.pid)
    t.match(first, /^\d+@[0-9a-f-]{36}$/)
    t.equal(await new LinuxProcessTable(uid).start(a.pid), first)
    t.not(await table.start(process.pid), first)
    t.equal(await table.start(await deadPid(t)), undefined)
  })

  await t.test('is undefined for a zombie', async t => {
    const parent = await script(t, 'sh -c "echo \\$\\$" & exec sleep 300', 1)
    const [zombie = 0] = parent.numbers
    await until('the exit of the zombie', async () => (await table.start(zombie)) === undefined)
    t.ok(process.kill(zombie, 0), 'though the kernel still knows it')
    t.same(await table.members(treeOf(parent.pid)), [], 'nor is it a member')
  })

  await t.test('differs for a process with a reused pid', ownPids, async t => {
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
  await t.test('descend from the keeper, also in other sessions', async t => {
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

  await t.test('are found by the mark after the keeper exited', async t => {
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
    t.ok(usage && usage.memory > 0, 'but a marked child identifies the real one when the clock was set')
  })
})

t.test('sweep', marking, async t => {
  await t.test(
    'kills marked processes that were reparented, left the session and emptied their environment',
    async t => {
      const [mark, otherMark] = [newMark(), newMark()]
      const orphan = '(setsid env -i sh -c "echo \\$\\$; exec sleep 300" &)'
      const service = await script(t, `${orphan}; ${orphan}; echo 0; exec sleep 300`, 3, marked(mark))
      const other = await script(t, 'echo $$; exec sleep 300', 1, marked(otherMark))
      await waitForExit(service.child)
      const tree = treeOf(await deadPid(t), { pid: service.pid, mark })
      t.equal(await table.sweep(tree, []), 2)
      for (const pid of service.numbers.filter(pid => pid > 0)) t.equal(await table.start(pid), undefined)
      t.ok(await table.start(other.pid), "another tree's process lives on")
      t.equal(await table.sweep(tree, []), 0, 'nothing is left')
    },
  )

  await t.test('kills by variable processes with their own limits, and their children', async t => {
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

  await t.test('outruns a process that forks continuously', async t => {
    const mark = newMark()
    await script(t, 'while :; do (setsid sleep 300 &); sleep 0.01; done & echo $!', 1, marked(mark))
    const tree = treeOf(await deadPid(t), { mark })
    // Some of them exit: the shells between, and the short sleeps.
    await until('all members', async () => (await table.members(tree)).length > 10)
    t.ok((await table.sweep(tree, [])) > 5)
    t.same(await table.members(tree), [])
  })

  await t.test('kills earlier members with the same start token, and no others', async t => {
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
    await until('the exit of the child', async () => (await own.start(keeper.numbers[0] ?? 0)) === undefined)
    t.equal(keeper.child.signalCode, null)
  })
})
