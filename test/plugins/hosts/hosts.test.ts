import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Catalog, CatalogEntry, Status } from '../../../kernel/contract/plugin.ts'
import { testKernel } from '../../../kernel/testing/index.ts'
import { nameChecks } from '../../../plugins/hosts/checks.ts'
import { HostsBlock } from '../../../plugins/hosts/hosts-block.ts'
import plugin from '../../../plugins/hosts/index.ts'
import { acceptedNames, findsLocalhostNames, selectNames } from '../../../plugins/hosts/name-lookup.ts'
import { folderOf, SharedNames } from '../../../plugins/hosts/shared-names.ts'
import type { Privileges } from '../../../plugins/privileges/service.ts'
import { hostTable } from '../../lib/machine.ts'

const uid = process.getuid?.() ?? 0

function entry(status: Status, ...hosts: readonly string[]): CatalogEntry {
  return {
    ...{ key: `p:${hosts[0]}`, project: 'p', name: 'web', path: '/p', type: 'exec', status, health: null, port: 1 },
    ...{ url: null, pid: null, startedAt: null, restarts: 0, cpu: null, memory: null, reason: null },
    ...{ hosts, upstream: null },
  }
}

/** The helper's part: what the block has, and whether it works. */
class FakePrivileges implements Privileges {
  readonly writes: (readonly string[])[] = []
  failure: Error | undefined
  /** Called while a write is under way. */
  meanwhile: () => unknown = () => {}

  async hosts(names: readonly string[]): Promise<void> {
    await this.meanwhile()
    if (this.failure !== undefined) throw this.failure
    this.writes.push(names)
  }

  listen = () => Promise.reject(new Error('not here'))
  delegateCgroup = () => Promise.reject(new Error('not here'))
  trust = () => Promise.reject(new Error('not here'))
  untrust = () => Promise.reject(new Error('not here'))
}

function catalogOf(services: readonly CatalogEntry[]): Catalog {
  return {
    services: () => services,
    projects: () => [],
    get: () => undefined,
    settled: () => Promise.reject(new Error('not here')),
    arriving: () => undefined,
    hasStandIn: async () => false,
    examine: async () => undefined,
    tail: async () => [],
    on: () => () => {},
  }
}

/** A block whose services are `services`, in a folder of the test's own. */
function blockOf(t: Test, hostsText = '', find?: (name: string) => Promise<readonly string[]>) {
  const dir = t.testdir({ hosts: hostsText })
  const services: CatalogEntry[] = []
  const privileges = new FakePrivileges()
  const warnings: string[] = []
  const shared = new SharedNames(uid, '/data/one', hostTable, join(dir, 'names'))
  const nothing = () => {}
  const block = new HostsBlock({
    ...{ uid, privileges, shared, hostsFile: join(dir, 'hosts') },
    ...(find === undefined ? {} : { find }),
    catalog: catalogOf(services),
    log: { info: nothing, error: nothing, warn: text => warnings.push(text) },
  })
  return { block, services, privileges, warnings, dir }
}

t.test('names that are wanted', async t => {
  const services = [
    entry('running', 'shop.localhost', 'web.shop.localhost'),
    entry('starting', 'a.test', 'shop.localhost'),
    entry('stopped', 'gone.test'),
    entry('failed', 'failed.test'),
    entry(
      'restarting',
      'x.internal',
      'wpad.test',
      'a.isatap.localhost',
      'example.com',
      'localhost',
      '*.wild.test',
      `${'a'.repeat(64)}.test`,
      'Upper.test',
    ),
  ]
  t.strictSame(selectNames(services, false), ['a.test', 'shop.localhost', 'web.shop.localhost'])
  t.strictSame(selectNames(services, true), ['a.test'], 'where the system finds those below localhost')
  const many = [entry('running', ...Array.from({ length: 2000 }, (_, at) => `n${at}.test`))]
  t.equal(selectNames(many, false).length, 1024, 'no more than the helper takes')
  const long = Array.from({ length: 1024 }, (_, at) => `${'x'.repeat(60)}.n${1000 + at}.test`)
  t.equal(acceptedNames(long).length, Math.floor(40_960 / ((long[0]?.length ?? 0) + 1)), 'as for bytes')
  t.type(await findsLocalhostNames(), 'boolean')
})

t.test('a name server that answers for what does not exist finds no names of this machine', async t => {
  for (const [addresses, expected] of [
    [[], false],
    [['203.0.113.7'], false],
    [['127.0.0.1', '203.0.113.7'], false],
    [['127.0.0.1'], true],
    [['::1', '127.0.0.1'], true],
  ] as const)
    t.equal(await findsLocalhostNames(async () => addresses), expected, addresses.join(' '))
})

t.test('the fix for names that are not found is one of this system', async t => {
  const text = async (os: NodeJS.Platform) => {
    const checks = nameChecks(
      os,
      () => undefined,
      async () => [],
    )
    const { status, fix } = (await checks.find(({ id }) => id === 'localhost-names')?.run()) ?? {}
    t.equal(status, 'warn')
    return fix
  }
  t.match(await text('darwin'), /sudo locald admin setup/)
  t.notMatch(await text('darwin'), /nss|Debian/)
  t.match(await text('linux'), /libnss-myhostname/)
})

t.test(
  'who waits for names waits until programs find those in the block, and no longer than they may take',
  async t => {
    const asked: string[] = []
    let isRead = false
    const find = async (name: string) => {
      asked.push(name)
      return isRead ? ['127.0.0.1'] : ['203.0.113.7']
    }
    const { block, services } = blockOf(t, '', find)
    await block.waitUntilResolved(['a.test'])
    t.strictSame(asked, [], 'not for what is not written')
    services.push(entry('starting', 'a.test'))
    await block.sync(false)
    // As macOS, which reads the new file a second later.
    setTimeout(() => {
      isRead = true
    }, 300)
    const began = performance.now()
    await block.waitUntilResolved(['a.test', 'other.example'])
    t.ok(isRead)
    t.ok(performance.now() - began < 2000)
    t.strictSame([...new Set(asked)], ['a.test'])
    isRead = false
    await block.waitUntilResolved(['a.test'])
    t.ok(performance.now() - began < 10_000, 'a name that nobody finds keeps nothing from being ready')
  },
)

t.test('the folder of the names: none that is cleaned where the system has one', async t => {
  const home = t.testdir({ mac: { Library: {} }, empty: {} })
  const own = 54_321
  const inTmp = `/tmp/locald-hosts-${own}`
  const mac = { os: 'darwin', uid: own } as const
  t.equal(folderOf(mac, join(home, 'mac')), join(home, 'mac', 'Library', 'Application Support', 'locald', 'names'))
  t.equal(folderOf(mac, join(home, 'empty')), inTmp)
  t.equal(folderOf(mac, undefined), inTmp)
  t.equal(folderOf({ os: 'linux', uid: own }, join(home, 'mac')), inTmp)
})

t.test('the names of all daemons of a user', async t => {
  const folder = join(t.testdir(), 'names')
  const one = new SharedNames(uid, '/data/one', hostTable, folder)
  const two = new SharedNames(uid, '/data/two', hostTable, folder)
  t.strictSame(await one.all(), [], 'nobody wants any')
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

  t.test('one that an earlier daemon left is removed', async t => {
    const { block, privileges } = blockOf(
      t,
      `127.0.0.1 localhost\n# BEGIN locald uid ${uid}\n# END locald uid ${uid}\n`,
    )
    await block.sync(false)
    t.strictSame(privileges.writes, [[]])
  })

  t.test('a change while it is written is not lost', async t => {
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

  t.test('two daemons at once', async t => {
    const { block, services, privileges, dir } = blockOf(t)
    const other = new SharedNames(uid, '/data/two', hostTable, join(dir, 'names'))
    services.push(entry('running', 'a.test'))
    privileges.meanwhile = async () => {
      privileges.meanwhile = () => {}
      await other.put(['z.test'])
    }
    await block.sync(false)
    t.strictSame(privileges.writes.at(-1), ['a.test', 'z.test'], 'whoever writes last writes all')
    await other.put([])
  })

  t.test('the file of its names was removed', async t => {
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

  t.test('what the helper says is told once', async t => {
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

t.test('the plugin', async t => {
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
