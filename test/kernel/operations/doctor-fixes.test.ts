import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { DoctorFixes } from '../../../kernel/operations/doctor-fixes.ts'
import type { DoctorAnswer } from '../../../kernel/protocol.ts'

function answerOf(...commands: DoctorAnswer['commands']): DoctorAnswer {
  return { ok: true, checks: [], fixes: [], commands }
}

t.test('runs exactly the commands of the last checks that need no root', async t => {
  const fixes = new DoctorFixes(undefined)
  fixes.note(answerOf({ command: 'echo one; exit 3', root: false }, { command: 'sudo true', root: true }), true)
  t.strictSame(await fixes.run('echo one; exit 3'), { command: 'echo one; exit 3', exitCode: 3, output: 'one\n' })
  for (const command of ['sudo true', 'echo one', 'echo one; exit 3 ', ''])
    await t.rejects(fixes.run(command), { code: 'USAGE' }, command)
  fixes.note(answerOf({ command: 'echo two', root: false }), false)
  t.match(await fixes.run('echo one; exit 3'), { exitCode: 3 }, 'some checks only add theirs')
  fixes.note(answerOf({ command: 'echo two', root: false }), true)
  await t.rejects(fixes.run('echo one; exit 3'), { code: 'USAGE' })
})

t.test('runs one at a time, and the same one once', async t => {
  const folder = t.testdir()
  const file = join(folder, 'log')
  const fixes = new DoctorFixes(undefined)
  const command = (name: string) => `echo ${name} begin >> '${file}'; sleep 0.2; echo ${name} end >> '${file}'`
  fixes.note(answerOf({ command: command('a'), root: false }, { command: command('b'), root: false }), true)
  const ran = await Promise.all([fixes.run(command('a')), fixes.run(command('b')), fixes.run(command('a'))])
  t.strictSame(
    ran.map(({ exitCode }) => exitCode),
    [0, 0, 0],
  )
  t.equal(readFileSync(file, 'utf8'), 'a begin\na end\nb begin\nb end\n')
})

t.test('a command of locald runs with this installation', async t => {
  const fixes = new DoctorFixes('doctor-fixes-test')
  fixes.note(answerOf({ command: 'locald --version', root: false }), true)
  t.match(await fixes.run('locald --version'), { exitCode: 0, output: /^locald \d+\.\d+\.\d+/ })
})
