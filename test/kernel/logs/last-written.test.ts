import t from 'tap'
import { lastWritten } from '../../../kernel/logs/last-written.ts'

/** Texts, and what xterm shows of each. */
const table: readonly (readonly [text: string, shown: string])[] = [
  ['plain', 'plain'],
  ['', ''],
  ['\x1b[31mred\x1b[0m', '\x1b[31mred\x1b[0m'],
  ['10 %\r20 %', '20 %'],
  ['done\r', 'done'],
  ['done\r\r\r', 'done'],
  ['\r\x1b[Kagain', '\x1b[Kagain'],
  // npm's spinner, at the beginning of the output of every `npm run`.
  ['\\\x1b[1G\x1b[0K', ''],
  ['\x1b[1G\x1b[0K⠙\x1b[1G\x1b[0K', ''],
  ['⠙\x1b[1G\x1b[0Kdone', '\x1b[0Kdone'],
  ['loading\x1b[2K\x1b[1Gready', 'ready'],
  ['loading\x1b[2K', ''],
  ['loading\r\x1b[0m\x1b[K', ''],
  // Nothing is written over it.
  ['kept\r\x1b[0m', 'kept'],
  ['kept\x1b[K', 'kept\x1b[K'],
]

t.test('of a line that was overwritten, what was written last', async t => {
  for (const [text, shown] of table) t.equal(lastWritten(text), shown, JSON.stringify(text))
})

t.test('is fast where nothing but returns is written', async t => {
  const text = '\r'.repeat(1_000_000)
  t.equal(lastWritten(`a${text}`), 'a')
})
