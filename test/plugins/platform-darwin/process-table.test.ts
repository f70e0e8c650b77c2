import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { Tools } from '../../../plugins/platform-darwin/commands.ts'
import { DarwinProcessTable } from '../../../plugins/platform-darwin/process-table.ts'
import { psArgs } from '../../../plugins/platform-darwin/ps.ts'
import { psWithEnvironment, setsid } from '../../lib/machine.ts'
import { freePort } from '../../lib/ports.ts'
import { until } from '../../lib/running.ts'
import { treeOf, waitForExit } from '../../lib/table-processes.ts'
import { parsePs, sh, table, tools } from './harness.ts'

t.test('real processes', tools, async t => {
  await t.test('start', async t => {
    const a = await sh(t, 'echo $$; exec sleep 300', 1)
    const start = await table.start(a.pid)
    t.match(start, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    t.equal(await table.start(a.pid), start)
    t.ok(Math.abs(Date.parse(start ?? '') - Date.now()) < 10_000)
    await waitForExit(a.child)
    t.equal(await table.start(a.pid), undefined)
    const parent = await sh(t, 'sh -c "echo \\$\\$" & exec sleep 300', 1)
    await until('the exit of the child', async () => (await table.start(parent.numbers[0] ?? 0)) === undefined)
    t.same(await table.members(treeOf(parent.pid)), [], 'a zombie counts as exited')
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

  await t.test('names a process that listens on all addresses, not one on loopback or this one', async t => {
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
  })

  await t.test('names AirPlay Receiver and the setting that frees its port', async t => {
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

  await t.test('sweep kills the group of an exited main process, and no other', async t => {
    const main = await sh(t, 'sleep 300 & echo $!; sleep 300 & echo $!; wait', 2, true)
    const other = await sh(t, 'echo $$; exec sleep 300', 1, true)
    const own = treeOf(999_999_999, { pid: main.pid, pgid: main.pid })
    await waitForExit(main.child)
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

  await t.test('sweep finds a daemon by its variable, where ps shows it', async t => {
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
    await waitForExit(main.child)
    t.equal(await table.sweep({ ...own, variable }, []), 0, 'not where ps does not show it')
    t.equal(await seeing.sweep({ ...own, variable }, []), 1)
    t.equal(await table.start(stray), undefined)
    t.ok(await table.start(stranger), "another service's is left alone")
  })

  await t.test('sweep kills processes seen earlier, if they are the same', async t => {
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
