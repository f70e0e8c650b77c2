import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import type { ProcessTable } from '../../../kernel/contract/plugin.ts'
import { cleanEnvironment, isAlive } from '../../lib/keeper.ts'
import { onlyLinux } from '../../lib/machine.ts'
import { until } from '../../lib/running.ts'
import {
  Between,
  but,
  firstLine,
  limited,
  listen,
  Rig,
  spawnLater,
  stop,
  tables,
  testProgram,
  treeOf,
} from './harness.ts'

function testAdoption(t: Test, table: ProcessTable) {
  t.test('a later daemon adopts a process with its earlier events, log and exit', async t => {
    const rig = new Rig(t, table)
    const script = `${testProgram} notify READY=1; sh -c 'trap "" HUP; echo left $$; exec sleep 1000' & echo one; sleep 0.1; exit 0`
    const first = await rig.spawn(script)
    await listen(first).next('main')
    const left = await rig.pid('left')
    const found = await rig.adopt(first.state)
    t.equal(found?.pid, first.pid)
    t.equal(found?.startedMs, first.startedMs)
    if (found === undefined) return
    const events = listen(found)
    t.match(await events.next('notify'), { ready: true })
    t.match(await events.next('main'), { exit: { code: 0 }, left: 1 })
    await limited(found.stop(stop), 'stop')
    t.strictSame(await found.exited, await first.exited)
    t.notOk(isAlive(left))
  })

  t.test('reports the exit of a process that exited without a daemon', async t => {
    const rig = new Rig(t, table)
    const first = await rig.spawn('exit 4')
    await first.exited
    const found = await rig.adopt(first.state)
    t.strictSame(await found?.exited, { code: 4, signal: null })
    rmSync(join(rig.dir, 'k'), { recursive: true })
    const emptied = await rig.adopt(first.state)
    t.strictSame(await emptied?.exited, { code: 4, signal: null }, 'also with the runtime folder emptied')
    rmSync(join(rig.dir, 'exits'), { recursive: true })
    const lost = await rig.adopt(first.state)
    t.strictSame(await lost?.exited, { code: null, signal: 'SIGKILL' }, 'no keeper, no record')
  })

  t.test('sweeps the tree of a keeper that was killed without a daemon', async t => {
    const rig = new Rig(t, table)
    const holder = spawn(process.execPath, ['-e', spawnLater(rig, table)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: cleanEnvironment(),
    })
    const state: unknown = JSON.parse(await firstLine(holder))
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    const { tree } = treeOf(state)
    t.ok(isAlive(tree.pid), 'it outlives the daemon')
    process.kill(tree.keeper, 'SIGKILL')
    await until('keeper exited', () => !isAlive(tree.keeper))
    const found = await rig.adopt(state)
    t.strictSame(await limited(found?.exited ?? Promise.reject(new Error('none')), 'end'), {
      code: null,
      signal: 'SIGKILL',
    })
    t.notOk(isAlive(tree.pid))
  })

  t.test('leaves a process with a reused pid alone', async t => {
    const rig = new Rig(t, table)
    const first = await rig.spawn('exit 0')
    await first.exited
    for (const name of ['k', 'exits']) {
      rmSync(join(rig.dir, name), { recursive: true })
      mkdirSync(join(rig.dir, name))
    }
    const stranger = spawn('sleep', ['1000'], { detached: true })
    t.teardown(() => stranger.kill('SIGKILL'))
    const pid = stranger.pid ?? 0
    const { state } = { state: JSON.parse(JSON.stringify(first.state)) }
    // Started long before the stranger, by its tokens: its real ones may be of the same tick of the clock.
    const { keeper, main } = state.tree.starts
    const starts = { keeper: `earlier than ${keeper}`, main: `earlier than ${main}` }
    Object.assign(state.tree, { pid, pgid: pid, keeper: pid, startedMs: Date.now() - 60_000, starts })
    const found = await rig.adopt(state)
    t.match(await limited(found?.exited ?? Promise.reject(new Error('none')), 'end'), { signal: 'SIGKILL' })
    t.ok(isAlive(pid))
  })

  t.test('reconnects to a keeper whose sockets were deleted', async t => {
    const rig = new Rig(t, table)
    const first = await rig.spawn('echo up; exec sleep 1000')
    rmSync(join(rig.dir, 'k'), { recursive: true })
    const found = await rig.adopt(first.state)
    if (found === undefined) throw new Error('not found')
    const { socket } = treeOf(first.state)
    await until('its socket', () => existsSync(socket))
    t.ok(isAlive(first.pid ?? 0))
    await limited(found.stop(stop), 'stop')
    t.match(await found.exited, { signal: 'SIGTERM' })
  })

  t.test('keeps a keeper when the process table fails', async t => {
    let failures = 3
    const rig = new Rig(
      t,
      but(table, {
        start: pid => {
          failures -= 1
          return failures >= 0 ? Promise.reject(new Error('ps gave no answer')) : table.start(pid)
        },
      }),
    )
    failures = 0
    const first = await rig.spawn('echo up; exec sleep 1000')
    const { socket } = treeOf(first.state)
    renameSync(socket, `${socket}.away`)
    failures = 3
    const found = await rig.adopt(first.state)
    await until('three looks', () => failures < 0)
    t.ok(isAlive(first.pid ?? 0))
    if (!existsSync(socket)) renameSync(`${socket}.away`, socket)
    await limited(found?.stop(stop) ?? Promise.reject(new Error('not found')), 'stop')
    t.match(await found?.exited, { signal: 'SIGTERM' })
  })

  t.test("sweeps the port's listener only after an exit that this daemon saw", async t => {
    const ports: (number | undefined)[] = []
    const rig = new Rig(
      t,
      but(table, {
        sweep: async tree => {
          ports.push(tree.port)
          return 0
        },
      }),
    )
    const first = await rig.spawn('exec sleep 1000', { port: 5432 })
    process.kill(treeOf(first.state).tree.keeper, 'SIGKILL')
    await first.exited
    t.strictSame(ports.splice(0), [5432])
    await (await rig.adopt(first.state))?.exited
    t.strictSame(ports, [undefined], 'a database that was started since')
    process.kill(first.pid ?? 0, 'SIGKILL')
  })

  t.test('rebinds deleted sockets at once, each time, without stopping anything', async t => {
    const rig = new Rig(t, table)
    const processes = rig.processes()
    const first = await rig.spawn('echo up; exec sleep 1000', { processes })
    const { socket } = treeOf(first.state)
    const notify = socket.replace(/s$/, 'n')
    const removals: (() => void)[] = [
      () => rmSync(socket),
      () => rmSync(notify),
      () => rmSync(dirname(socket), { recursive: true }),
      () => rmSync(socket),
    ]
    for (const remove of removals) {
      await until('the sockets', () => existsSync(socket) && existsSync(notify))
      remove()
      await until('the sockets again', () => existsSync(socket) && existsSync(notify))
    }
    const second = await rig.spawn('exec sleep 1000', { processes })
    t.ok(isAlive(second.pid ?? 0), 'others are started')
    t.ok(isAlive(first.pid ?? 0))
  })

  t.test('updates the times of sockets', async t => {
    const rig = new Rig(t, table)
    const processes = rig.processes()
    const { socket } = treeOf((await rig.spawn('exec sleep 1000', { processes })).state)
    const old = new Date('2020-01-01')
    utimesSync(socket, old, old)
    await processes.restore()
    t.ok(statSync(socket).mtimeMs > old.getTime())
  })

  t.test("adopts from another version's state by asking the keeper", async t => {
    const rig = new Rig(t, table)
    const first = await rig.spawn('echo up; exec sleep 1000')
    const found = await rig.adopt({ socket: treeOf(first.state).socket, shape: 'another' })
    t.match(found, { pid: first.pid, tree: { keeper: first.tree?.keeper, pid: first.pid } })
    await limited(found?.stop(stop) ?? Promise.reject(new Error('none')), 'stop')
    t.strictSame(await found?.exited, await first.exited)
  })

  t.test('rejects an invalid state', async t => {
    const rig = new Rig(t, table)
    for (const state of [null, {}, { socket: 1 }, { socket: 's', exitFile: 'x', tree: {} }])
      t.equal(await rig.adopt(state), undefined)
  })

  t.test('reconnects after a lost connection and repeats the commands', async t => {
    const rig = new Rig(t, table)
    const first = await rig.spawn(`${testProgram} notify READY=1; echo up; exec sleep 1000`)
    await rig.printed(/up/)
    const { socket } = treeOf(first.state)
    const between = await Between.open(t, socket, join(rig.dir, 'between'))
    const found = await rig.adopt({ ...treeOf(first.state), socket: between.path })
    if (found === undefined) throw new Error('not found')
    const events = listen(found)
    await events.next('notify')
    between.isOpen = false
    between.cut()
    const stopped = found.stop(stop)
    await between.refused
    between.isOpen = true
    await limited(stopped, 'stop')
    t.strictSame(await found.exited, { code: null, signal: 'SIGTERM' })
    t.equal(events.all.filter(({ event }) => event === 'notify').length, 1, 'nothing is reported twice')
  })

  t.test('stops unknown keepers, removes files of exited ones, spares known ones', async t => {
    const rig = new Rig(t, table)
    const first = rig.processes()
    const [lost, kept, spared, exiting] = [
      await rig.spawn('echo lost; exec sleep 1000', { processes: first, key: 'a:a' }),
      await rig.spawn('exec sleep 1000', { processes: first, key: 'a:b' }),
      await rig.spawn('exec sleep 1000', { processes: first, key: 'a:d' }),
      await rig.spawn('true', { processes: first, key: 'a:c' }),
    ]
    await exiting.exited
    const later = rig.processes()
    const found = await rig.adopt(kept.state, later)
    writeFileSync(join(rig.dir, 'k', 'abcdefabcdef.s'), '')
    await later.tidy([JSON.stringify({ version: 9, at: treeOf(spared.state).socket })])
    t.match(await limited(lost.exited, 'lost'), { signal: 'SIGTERM' })
    t.ok(isAlive(found?.pid ?? 0))
    t.ok(isAlive(spared.pid ?? 0), 'one that a record of another version names runs on')
    t.notOk(existsSync(join(rig.dir, 'k', 'abcdefabcdef.s')))
    t.notOk(existsSync(treeOf(exiting.state).exitFile))
    t.match(rig.said.join('\n'), 'an unknown service')
  })

  t.test('stops an unknown keeper whose sockets were deleted', async t => {
    const rig = new Rig(t, table)
    const first = rig.processes()
    const [lost, killed] = [
      await rig.spawn('exec sleep 1000', { processes: first, key: 'a:a' }),
      await rig.spawn('exec sleep 1000', { processes: first, key: 'a:b' }),
    ]
    process.kill(killed.tree?.keeper ?? 0, 'SIGKILL')
    await killed.exited
    for (const name of rig.files()) rmSync(join(rig.dir, 'k', name), { force: true })
    await rig.processes().tidy()
    t.match(await limited(lost.exited, 'lost'), { signal: 'SIGTERM' })
    t.strictSame(rig.files(), [])
  })
}

for (const [name, table] of tables) {
  t.test(name, { skip: table === false && onlyLinux('looks into /proc') }, async t => {
    if (table !== false) testAdoption(t, table)
  })
}
