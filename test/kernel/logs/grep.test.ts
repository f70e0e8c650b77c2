import { readdirSync, readlinkSync } from 'node:fs'

import t from 'tap'
import { Grep } from '../../../kernel/logs/grep.ts'
import { stripAnsi } from '../../../kernel/logs/plain-text.ts'
import { ServiceLog } from '../../../kernel/logs/service-log.ts'
import { LogWriter } from '../../../kernel/logs/writer.ts'
import { collect, folder } from '../../lib/log-model.ts'
import { onlyLinux } from '../../lib/machine.ts'

t.test('a pattern that times out leaves no file open', { skip: onlyLinux('reads /proc') }, async t => {
  const log = new ServiceLog(folder(t))
  const writer = new LogWriter(log.file, 1e9, 3)
  writer.write('stdout', `${'a'.repeat(40)}!`)
  await t.rejects(collect({ sources: [{ service: 'p:a', log }], tail: 5, grep: '^(a+)+$' }), { code: 'USAGE' })
  const open = readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)]
    } catch {
      return []
    }
  })
  t.notOk(open.includes(log.file))
})

t.test('regular expressions', async t => {
  const matching = (source: string, ...texts: string[]) =>
    new Grep(source).matching(texts.map(text => ({ text }))).map(({ text }) => text)
  t.strictSame(
    matching('^b', 'a', 'b', '\u001b[31mbc\u001b[0m'),
    ['b', '\u001b[31mbc\u001b[0m'],
    'colours are not seen',
  )
  t.strictSame(matching('\\p{Lu}', 'a', 'Ä'), ['Ä'])
  t.strictSame(matching('a\\-b', 'a-b'), ['a-b'], 'also what is no Unicode expression')
  t.strictSame(matching('x', 'x', 'y', 'x'), ['x', 'x'], 'no state is kept')
  t.equal(stripAnsi('\u001b]8;;http://x\u0007link\u001b]8;;\u0007 \u001b[1;2Hz'), 'link z')
})
