import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { folderOf, SharedNames } from '../../../plugins/hosts/shared-names.ts'
import { hostTable } from '../../lib/machine.ts'
import { uid } from './harness.ts'

t.test('uses a folder that the system does not clean where there is one', async t => {
  const home = t.testdir({ mac: { Library: {} }, empty: {} })
  const own = 54_321
  const inTmp = `/tmp/locald-hosts-${own}`
  const mac = { os: 'darwin', uid: own } as const
  t.equal(folderOf(mac, join(home, 'mac')), join(home, 'mac', 'Library', 'Application Support', 'locald', 'names'))
  t.equal(folderOf(mac, join(home, 'empty')), inTmp)
  t.equal(folderOf(mac, undefined), inTmp)
  t.equal(folderOf({ os: 'linux', uid: own }, join(home, 'mac')), inTmp)
})

t.test('merges the names of all daemons of a user', async t => {
  const folder = join(t.testdir(), 'names')
  const one = new SharedNames(uid, '/data/one', hostTable, folder)
  const two = new SharedNames(uid, '/data/two', hostTable, folder)
  t.strictSame(await one.all(), [], 'no daemon has names')
  await one.put(['b.test', 'c.test'])
  t.equal(statSync(folder).mode & 0o777, 0o700)
  await two.put(['a.test', 'b.test'])
  t.strictSame(await two.all(), ['a.test', 'b.test', 'c.test'])
  await one.put([])
  t.strictSame(await two.all(), ['a.test', 'b.test'])
  const dead = spawn('true', { stdio: 'ignore' })
  await once(dead, 'exit')
  writeFileSync(join(folder, 'dead.json'), JSON.stringify({ pid: dead.pid, start: '1@x', names: ['dead.test'] }))
  writeFileSync(join(folder, 'other.json'), JSON.stringify({ pid: process.pid, start: 'another', names: ['pid.test'] }))
  writeFileSync(join(folder, 'torn.json'), '{"pid":')
  t.strictSame(await two.all(), ['a.test', 'b.test'], 'those that were killed do not count, nor who has their pid now')
  t.strictSame(
    readdirSync(folder)
      .filter(name => name.endsWith('.json'))
      .sort().length,
    2,
    'they are removed',
  )
  await two.put([])
  await two.put(['a.test'])
  execFileSync('mkfifo', [join(folder, 'pipe.json')])
  t.strictSame(await two.all(), ['a.test'], 'what is no file is not waited for')
  await two.put([])
  const dir = t.testdir({ open: {}, theirs: { 'x.json': '{}' } })
  chmodSync(join(dir, 'theirs'), 0o700)
  symlinkSync(join(dir, 'theirs'), join(dir, 'link'))
  for (const [name, owner] of [
    ['open', uid],
    ['theirs', uid + 1],
    ['link', uid],
  ] as const) {
    const names = new SharedNames(owner, '/data/x', hostTable, join(dir, name))
    const ways: Record<string, () => Promise<unknown>> = {
      put: () => names.put(['a.test']),
      leave: () => names.put([]),
      read: () => names.all(),
    }
    for (const [way, act] of Object.entries(ways)) {
      await t.rejects(
        async () => void (await act()),
        { code: 'PATHS_UNUSABLE', message: /is not a folder of yours alone/ },
        `${way} ${name}`,
      )
    }
  }
})
