import t from 'tap'
import { nameChecks } from '../../../plugins/hosts/checks.ts'
import { acceptedNames, findsLocalhostNames, selectNames } from '../../../plugins/hosts/name-lookup.ts'
import { blockOf, entry } from './harness.ts'

t.test('selects names of running services that the helper accepts', async t => {
  const services = [
    entry('running', 'shop.localhost', 'web.shop.localhost'),
    entry('starting', 'a.test', 'shop.localhost'),
    entry('stopped', 'stopped.test'),
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

t.test('ignores a name server that answers for names that do not exist', async t => {
  for (const [addresses, expected] of [
    [[], false],
    [['203.0.113.7'], false],
    [['127.0.0.1', '203.0.113.7'], false],
    [['127.0.0.1'], true],
    [['::1', '127.0.0.1'], true],
  ] as const)
    t.equal(await findsLocalhostNames(async () => addresses), expected, addresses.join(' '))
})

t.test('suggests a fix for this system when names are not found', async t => {
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

t.test('waits until programs resolve the names in the block, within a limit', async t => {
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
  t.ok(performance.now() - began < 10_000, 'a name that does not resolve does not delay readiness')
})
