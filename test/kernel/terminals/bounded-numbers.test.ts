import t from 'tap'
import { BoundedNumbers } from '../../../kernel/terminals/bounded-numbers.ts'
import { Screen } from '../../../kernel/terminals/screen.ts'

/** Feeds a text in pieces of a size, and returns what comes out, without the bytes that terminals ignore. */
function bounded(text: string, size = text.length * 4): string {
  const [numbers, bytes] = [new BoundedNumbers(), Buffer.from(text)]
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += size) pieces.push(numbers.bound(bytes.subarray(at, at + size)))
  const all = Buffer.concat(pieces)
  t.equal(all.length, bytes.length, 'as many bytes')
  return all.toString().replaceAll('\x7f', '')
}

t.test('bounds numbers in control sequences, and nothing else', async t => {
  const cases = {
    '\x1b[2147483647Ib': '\x1b[214Ib',
    '\u009b2147483647Ib': '\u009b214Ib',
    '\x1b[5;2147483647;7H': '\x1b[5;214;7H',
    '\x1b[0000012345A': '\x1b[00000123A',
    '\x1b[?1049h\x1b[?2026$p': '\x1b[?1049h\x1b[?2026$p',
    '\x1b[38;2;255;128;064mA 123456 B': '\x1b[38;2;255;128;064mA 123456 B',
    'plain 2147483647 [2147483647I': 'plain 2147483647 [2147483647I',
    '\x1b]0;12345678\x07': '\x1b]0;12345678\x07',
  }
  for (const [text, expected] of Object.entries(cases)) {
    t.equal(bounded(text), expected, JSON.stringify(text))
    t.equal(bounded(text, 1), expected, `${JSON.stringify(text)}, byte by byte`)
  }
  t.equal(bounded('\x1b[999L\x1b[1;999r'), '\x1b[99L\x1b[1;999r')
})

t.test('a screen shows sequences with huge numbers at once', { timeout: 30_000 }, async t => {
  const screen = await Screen.create({ cols: 120, rows: 40 })
  const numbers = new BoundedNumbers()
  // Each of these takes minutes where its number is not bounded.
  for (const last of ['I', 'Z', 'L', 'M', 'S', 'T', 'b']) {
    screen.write(numbers.bound(Buffer.from(`a\x1b[2147483647${last}`)))
  }
  screen.write(numbers.bound(Buffer.from('\x1b[H\x1b[2Jdone')))
  await screen.settled()
  t.match(screen.text(), 'done')
  screen.close()
})
