import { join } from 'node:path'
import t from 'tap'
import type { Check, CheckResult } from '../../kernel/contract/plugin.ts'
import { ownChecks, runChecks } from '../../kernel/doctor.ts'
import { found, testLoader } from '../lib/plugin-loader.ts'

/** A plugin with checks that end so. */
function checked(name: string, ...results: readonly (Partial<CheckResult> | (() => Promise<CheckResult>))[]) {
  const checks = results.map((result, at): Check => {
    const run =
      typeof result === 'function'
        ? result
        : async (): Promise<CheckResult> => ({ status: 'warn', severity: 'optional', summary: 'so', ...result })
    return { id: `c${at}`, title: 'C', run }
  })
  return found(name, {
    name,
    api: 1,
    setup: (host: { check(it: Check): void }) => {
      for (const check of checks) host.check(check)
    },
  })
}

t.test('lists all fixes once', async t => {
  const kernel = testLoader()
  const plugins = await kernel.load(
    checked(
      'a',
      { fix: 'Run `sudo locald admin setup`. Not needed, but nice.' },
      { fix: 'Run `locald trust`.' },
      { status: 'pass', fix: 'no' },
    ),
    checked(
      'b',
      { fix: 'Run `sudo locald admin setup`: names are then kept.' },
      { fix: 'Free some space.' },
      { status: 'skip', fix: 'no' },
    ),
    checked('b2', { fix: 'Run `sudo locald admin setup`.' }),
    checked('c', { fix: 'Run `ulimit -n 4096` in the shell.' }, { fix: 'Free some space.', status: 'fail' }, {}),
    checked(
      'd',
      () => Promise.reject(new Error('x')),
      () => new Promise(() => {}),
    ),
  )
  const answer = await runChecks({ contributions: kernel.contributions, plugins, own: [], limit: 50 })
  t.strictSame(answer.fixes, [
    'Run `sudo locald admin setup`.',
    'Run `locald trust`.',
    'Free some space.',
    'Run `ulimit -n 4096` in the shell.',
    'No fix is known; report it to the maintainers of c.',
    'Run `locald doctor` again; if the check still fails, report it to the maintainers of d.',
  ])
  const some = await runChecks({
    contributions: kernel.contributions,
    plugins,
    own: [],
    only: ['c1', 'none'],
    limit: 50,
  })
  t.strictSame(
    some.checks.map(({ plugin, id }) => `${plugin} ${id}`),
    ['a c1', 'b c1', 'c c1', 'd c1'],
    'only those asked for are run',
  )
  t.strictSame(answer.commands, [
    { command: 'sudo locald admin setup', root: true },
    { command: 'locald trust', root: false },
  ])
  t.equal(answer.ok, false)
  const ill = answer.checks.filter(({ status }) => status === 'warn' || status === 'fail')
  for (const { plugin, id, fix } of ill) t.type(fix, 'string', `${plugin} ${id} is covered`)
  const again = await runChecks({ contributions: kernel.contributions, plugins, own: [], limit: 50 })
  t.strictSame(again.fixes, answer.fixes, 'the order is stable')
})

t.test('checks the folder for temporary files', async t => {
  const before = process.env['TMPDIR']
  t.teardown(() => {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  })
  const there = t.testdir({ a: {} })
  const look = async (folder: string) => {
    process.env['TMPDIR'] = folder
    const check = ownChecks({ data: there }).find(({ id }) => id === 'temporary-folder')
    return check?.run()
  }
  t.match(await look(there), { status: 'pass', summary: `${there} is writable` })
  const deleted = join(there, 'deleted')
  t.match(await look(deleted), { status: 'fail', severity: 'important', summary: /ENOENT/, fix: /Set TMPDIR/ })
})
