import t, { type Test } from 'tap'
import type { ProcessTable } from '../../../kernel/contract/plugin.ts'
import { cleanEnvironment, isAlive } from '../../lib/keeper.ts'
import { onlyLinux, setsid } from '../../lib/machine.ts'
import { freePort } from '../../lib/ports.ts'
import { daemon, limited, listen, Rig, stop, tables, testProgram } from './harness.ts'

function testStop(t: Test, table: ProcessTable) {
  t.test('sends the signal, then kills the tree after the grace period', async t => {
    const rig = new Rig(t, table)
    const polite = await rig.spawn('trap "echo bye; exit 7" INT; echo up; while :; do sleep 0.02; done')
    await rig.printed(/up/)
    await limited(polite.stop({ signal: 'SIGINT', graceMs: 10_000 }), 'polite')
    t.strictSame(await polite.exited, { code: 7, signal: null })
    t.notMatch((await rig.lines()).join('\n'), /killed/)
    const deaf = await rig.spawn(`exec ${testProgram} stubborn 0`)
    await rig.printed(/deep/)
    await limited(Promise.all([deaf.stop({ signal: 'SIGTERM', graceMs: 100 }), deaf.stop(stop)]), 'deaf')
    t.strictSame(await deaf.exited, { code: null, signal: 'SIGKILL' })
    t.notOk(isAlive(deaf.pid ?? 0))
    t.strictSame(
      (await rig.lines()).filter(line => line.includes('killed')),
      ['did not exit within 0.1 s of SIGTERM and was killed'],
    )
  })

  t.test('does nothing for an exited process', async t => {
    const rig = new Rig(t, table)
    const instance = await rig.spawn('true')
    await limited(instance.exited, 'exit')
    await limited(instance.stop(stop), 'stop')
    t.pass()
  })

  t.test('reports a main process that exits before others, and stops them on request', async t => {
    const rig = new Rig(t, table)
    const instance = await rig.spawn(`sh -c 'echo left $$; exec sleep 1000' & sleep 0.1; exit 0`)
    const left = await rig.pid('left')
    t.match(await listen(instance).next('main'), { exit: { code: 0 }, left: 1 })
    instance.finish?.()
    t.strictSame(await limited(instance.exited, 'exit'), { code: 0, signal: null })
    t.notOk(isAlive(left))
  })

  t.test('kills the tree after a kill -9 of its keeper', async t => {
    const rig = new Rig(t, table)
    const instance = await rig.spawn(`sh -c 'echo child $$; exec sleep 1000' & echo up; wait`)
    const child = await rig.pid('child')
    process.kill(instance.tree?.keeper ?? 0, 'SIGKILL')
    t.strictSame(await limited(instance.exited, 'exit'), { code: null, signal: 'SIGKILL' })
    t.notOk(isAlive(instance.pid ?? 0) || isAlive(child))
    await limited(instance.stop(stop), 'stop')
    t.match((await rig.lines()).at(-1), 'keeper was killed')
  })
}

function testSubreaper(t: Test, table: ProcessTable) {
  t.test('stops a daemon in its own session with an empty environment', async t => {
    const rig = new Rig(t, table)
    const instance = await rig.spawn(`${daemon} (${daemon}); echo up; exec sleep 1000`)
    await rig.printed(/daemon \d+[\s\S]*daemon \d+/)
    const pids = [...(await rig.lines()).join('\n').matchAll(/daemon (\d+)/g)].map(found => Number(found[1]))
    t.ok(pids.every(isAlive))
    await limited(instance.stop(stop), 'stop')
    t.notOk(pids.some(isAlive))
  })

  t.test('kills that daemon after a kill -9 of its keeper', async t => {
    const rig = new Rig(t, table)
    const instance = await rig.spawn(`${daemon} echo up; exec sleep 1000`)
    const pid = await rig.pid('daemon')
    process.kill(instance.tree?.keeper ?? 0, 'SIGKILL')
    await limited(instance.exited, 'exit')
    t.notOk(isAlive(pid) || isAlive(instance.pid ?? 0))
  })

  t.test('keeps a process that went to the background as the service', async t => {
    const rig = new Rig(t, table)
    const instance = await rig.spawn(`${daemon} sleep 0.1; exit 0`)
    const pid = await rig.pid('daemon')
    t.match(await listen(instance).next('main'), { left: 1 })
    await limited(instance.stop(stop), 'stop')
    t.notOk(isAlive(pid))
  })
}

/** Where orphans do not return. */
function testSeenMembers(t: Test, table: ProcessTable) {
  const server = `require('net').createServer().listen(process.argv[1], '127.0.0.1', () => console.log('daemon ' + process.pid))`

  t.test('stops a daemon in its own session by its port, also after a kill -9 of the keeper', async t => {
    for (const how of ['stop', 'kill']) {
      const rig = new Rig(t, table)
      const port = await freePort()
      const script = `(env -i ${setsid} "$NODE" -e "$SERVER" ${port} &) ; exec sleep 1000`
      const env = cleanEnvironment({ NODE: process.execPath, SERVER: server })
      const instance = await rig.spawn(script, { env, port })
      const pid = await rig.pid('daemon')
      if (how === 'kill') process.kill(instance.tree?.keeper ?? 0, 'SIGKILL')
      else await limited(instance.stop(stop), 'stop')
      await limited(instance.exited, 'exit')
      t.notOk(isAlive(pid), how)
    }
  })
}

for (const [name, table] of tables) {
  t.test(name, { skip: table === false && onlyLinux('looks into /proc') }, async t => {
    if (table !== false) {
      testStop(t, table)
      if (table.orphansReturn) testSubreaper(t, table)
      else testSeenMembers(t, table)
    }
  })
}
