import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { endianness } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { LinuxProcessTable } from '../../../plugins/platform-linux/process-table.ts'
import { until } from '../../lib/running.ts'
import { killAfter, treeOf } from '../../lib/table-processes.ts'
import { deadPid, linux, marking, newMark, script, table } from './harness.ts'

t.test('usage', marking, async t => {
  const burn = 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'
  await t.test('counts the CPU time of running and exited processes', async t => {
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

  await t.test('counts the memory of all members', async t => {
    const big = `"${process.execPath}" -e "const all = Buffer.alloc(5e7, 1); console.log(all[7]); setTimeout(String, 3e5)" & wait`
    const keeper = await script(t, big, 1)
    const [usage] = await table.usage([treeOf(keeper.pid)])
    t.ok(usage && usage.memory > 5e7 && usage.memory < 1e9, `${usage?.memory} bytes`)
    for (const { pid } of await table.members(treeOf(keeper.pid))) await killAfter(t, table, pid)
  })

  await t.test('never falls when a process exits', async t => {
    const keeper = await script(t, `sh -c '${burn}; echo $$; kill -STOP $$'; echo 0; exec sleep 300`, 1)
    await until('it to be stopped', async () =>
      readFileSync(`/proc/${keeper.numbers[0]}/stat`, 'utf8').includes(') T '),
    )
    const [before] = await table.usage([treeOf(keeper.pid)])
    process.kill(keeper.numbers[0] ?? 0, 'SIGKILL')
    await until('the exit of all members', async () => (await table.members(treeOf(keeper.pid))).length === 0)
    const [after] = await table.usage([treeOf(keeper.pid)])
    t.ok(before && after && before.cpuMs > 0 && after.cpuMs >= before.cpuMs, JSON.stringify({ before, after }))
  })

  await t.test('is zero for an exited tree', async t => {
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

  await t.test('established connections to a port, of either family', async t => {
    const root = t.testdir({ '1': {}, net: {} })
    const lines = (address: string, states: readonly string[]) =>
      states
        .map((state, at) => `   ${at}: ${address}:${state.slice(0, 4)} ${address}:9C40 ${state.slice(5)} 0:0 00:0 0\n`)
        .join('')
    const head = '  sl  local_address rem_address   st\n'
    writeFileSync(
      join(root, 'net/tcp'),
      head + lines('0100007F', ['0BB8 0A', '0BB8 01', '0BB9 01', '0BB8 06', '9C40 01']),
    )
    writeFileSync(join(root, 'net/tcp6'), head + lines(`${'0'.repeat(24)}01000000`, ['0BB8 01', '0BB8 08']))
    t.same(await new LinuxProcessTable(0, root).connections([3000, 3001, 3002]), [2, 1, 0])
  })

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
    t.equal(
      await new LinuxProcessTable(33, root).holder(80),
      undefined,
      'our own in another container is not distinguished',
    )
    const tree = { keeper: 2, pid: 3, pgid: 3, startedMs: 0 }
    const reachesOtherUser = (of: number, at: string, on = 80) =>
      new LinuxProcessTable(of, root).reachesOtherUser({ address: at, port: on }, tree)
    t.equal(await reachesOtherUser(1000, '127.0.0.1'), true)
    t.equal(await reachesOtherUser(33, '127.0.0.1'), false)
    t.equal(await reachesOtherUser(1000, '::1'), false, 'no one listens there')
    t.equal(await reachesOtherUser(1000, '127.0.0.1', 81), false)
    const all = '0'.repeat(32)
    writeFileSync(join(root, 'net/tcp6'), `sl\n 0: ${all}:0050 ${all}:0000 0A 0:0 00:0 0 34 0 1 1\n`)
    t.equal(await reachesOtherUser(34, '::1'), false)
    t.equal(await reachesOtherUser(33, '::1'), true)
    t.equal(await reachesOtherUser(33, '127.0.0.1'), false, 'the socket of that address gets it, not that of all')
    writeFileSync(join(root, 'net/tcp'), `sl\n 0: ${address}:0050 00000000:0000 0A 0:0 00:0 0 0 0 4711 1\n`)
    t.equal(await reachesOtherUser(1000, '127.0.0.1'), false, 'root’s, as that of a container engine')
  })
})
