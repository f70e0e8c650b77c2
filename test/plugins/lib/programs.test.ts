import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { findProgram, pathFolders, runProgram } from '../../../plugins/lib/programs.ts'

const sh = '/bin/sh'

t.test('relative and repeated folders of PATH are ignored', async t => {
  t.strictSame(pathFolders('/a:./b::/c:/a'), ['/a', '/c'])
  t.strictSame(pathFolders(undefined), [])
})

t.test('the first name wins over the first folder; folders and files without permission are no programs', async t => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'locald-')))
  t.teardown(() => rmSync(root, { recursive: true }))
  const [one, two] = [join(root, 'one'), join(root, 'two')]
  for (const folder of [join(one, 'wanted'), two]) mkdirSync(folder, { recursive: true })
  for (const file of [join(one, 'other'), join(two, 'wanted'), join(two, 'plain')]) writeFileSync(file, '')
  for (const file of [join(one, 'other'), join(two, 'wanted')]) chmodSync(file, 0o755)
  t.equal(await findProgram(['wanted', 'other'], [one, two]), join(two, 'wanted'))
  t.equal(await findProgram(['plain'], [one, two]), undefined)
})

t.test('a program gets its input and environment; its output and exit code are returned', async t => {
  const script = 'read line; echo "$line $A"; echo bad >&2; exit 3'
  const result = await runProgram(sh, ['-c', script], { input: 'good\n', env: { A: 'b' } })
  t.strictSame(result, { code: 3, stdout: 'good b\n', stderr: 'bad\n' })
})

t.test('a program that ignores its input succeeds', async t => {
  t.match(await runProgram(sh, ['-c', 'exec true'], { input: 'x'.repeat(1_000_000) }), { code: 0 })
})

t.test('a program that ignores SIGTERM is killed after the time limit', async t => {
  const began = performance.now()
  const result = await runProgram(sh, ['-c', 'trap "" TERM; while :; do sleep 0.05; done'], { timeoutMs: 200 })
  t.match(result, { code: null, failure: 'timed out after 0.2 s' })
  t.ok(performance.now() - began < 5000)
})

t.test('a missing program and an aborted run have no exit code and a reason', async t => {
  t.match(await runProgram('/no/such/program', []), { code: null, failure: /ENOENT/ })
  const abort = new AbortController()
  const running = runProgram(sh, ['-c', 'sleep 30'], { signal: abort.signal })
  abort.abort()
  t.match(await running, { code: null, failure: /abort/i })
})
