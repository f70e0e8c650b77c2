import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { testKernel } from '../../../kernel/testing/index.ts'
import plugin from '../../../plugins/hosts/index.ts'
import { findsLocalhostNames } from '../../../plugins/hosts/name-lookup.ts'
import { SharedNames } from '../../../plugins/hosts/shared-names.ts'
import { hostTable } from '../../lib/machine.ts'
import { blockOf, catalogOf, entry, FakePrivileges, uid } from './harness.ts'

t.test('the block', async t => {
  t.test('follows the services', async t => {
    const { block, services, privileges, dir } = blockOf(t)
    await block.sync(false)
    t.strictSame(privileges.writes, [], 'nothing to write, nothing to remove')
    services.push(entry('running', 'a.test'))
    await block.sync(false)
    await block.sync(false)
    t.strictSame(privileges.writes, [['a.test']], 'once')
    services.push(entry('running', 'b.test'))
    await block.sync(false)
    services.length = 0
    await block.sync(false)
    t.strictSame(privileges.writes.slice(1), [['a.test', 'b.test'], []])
    t.notOk(existsSync(join(dir, 'names')), 'nothing is left')
    await block.sync(true)
    t.strictSame(privileges.writes.slice(3), [], 'there is none')
  })

  t.test('removes a block that an earlier daemon left', async t => {
    const { block, privileges } = blockOf(
      t,
      `127.0.0.1 localhost\n# BEGIN locald uid ${uid}\n# END locald uid ${uid}\n`,
    )
    await block.sync(false)
    t.strictSame(privileges.writes, [[]])
  })

  t.test('applies a change that comes during a write', async t => {
    const { block, services, privileges } = blockOf(t)
    services.push(entry('running', 'a.test'))
    privileges.meanwhile = () => {
      privileges.meanwhile = () => {}
      services.push(entry('running', 'b.test'))
      block.scheduleSync()
    }
    await block.sync(false)
    t.strictSame(privileges.writes, [['a.test'], ['a.test', 'b.test']])
  })

  t.test('merges the names of two daemons', async t => {
    const { block, services, privileges, dir } = blockOf(t)
    const other = new SharedNames(uid, '/data/two', hostTable, join(dir, 'names'))
    services.push(entry('running', 'a.test'))
    privileges.meanwhile = async () => {
      privileges.meanwhile = () => {}
      await other.put(['z.test'])
    }
    await block.sync(false)
    t.strictSame(privileges.writes.at(-1), ['a.test', 'z.test'], 'the last writer writes all')
    await other.put([])
  })

  t.test('publishes its names again after their file was deleted', async t => {
    const { block, services, privileges, dir } = blockOf(t)
    services.push(entry('running', 'a.test'))
    await block.sync(false)
    rmSync(join(dir, 'names'), { recursive: true })
    block.refresh()
    await block.sync(false)
    const other = new SharedNames(uid, '/data/two', hostTable, join(dir, 'names'))
    t.strictSame(await other.all(), ['a.test'])
    t.strictSame(privileges.writes, [['a.test']], 'the hosts file is as it was')
  })

  t.test("logs the helper's error once", async t => {
    const { block, services, privileges, warnings } = blockOf(t)
    privileges.failure = new Error('the hosts file is a link')
    services.push(entry('running', 'a.test'))
    await t.rejects(block.sync(true), /is a link/)
    for (const name of ['b.test', 'c.test']) {
      services.push(entry('running', name))
      block.scheduleSync()
      await t.rejects(block.sync(false), /is a link/)
    }
    t.strictSame(warnings, ['the hosts file is a link'])
    privileges.failure = undefined
    await block.sync(false)
    t.strictSame(privileges.writes, [['a.test', 'b.test', 'c.test']], 'and tried again')
    services.length = 0
    await block.sync(false)
  })
})

t.test('the plugin syncs on start, on events and by command', async t => {
  const privileges = new FakePrivileges()
  const off = { on: false, reason: 'no helper' }
  for (const feature of [{ on: true }, off]) {
    const features = { 'hosts-file': feature }
    const provide = { privileges, processTable: hostTable(), catalog: catalogOf([]) }
    const kernel = await testKernel({ plugins: [plugin], provide, features })
    t.teardown(() => kernel.close())
    t.match(kernel.plugins, [{ name: 'hosts', state: 'active', commands: ['sync-hosts'] }])
    await kernel.hooks.booted(() => {})
    const { checks } = await kernel.doctor()
    const [block, localhost, names] = checks
    t.match(block, { id: 'hosts-block', severity: 'optional', status: feature.on ? 'pass' : 'skip' })
    t.match(localhost, { id: 'localhost', severity: 'important', status: 'pass', summary: /127\.0\.0\.1|::1/ })
    const areFound = feature.on || (await findsLocalhostNames())
    t.match(names, { id: 'localhost-names', severity: 'optional', status: areFound ? 'pass' : 'warn' })
    t.match(await kernel.command('sync-hosts'), { exitCode: 0, text: /has the names/ })
  }
  t.strictSame(privileges.writes, [], 'without services, and without a block, nothing is written')
})
