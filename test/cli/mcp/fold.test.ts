import t from 'tap'
import { toBlocks } from '../../../cli/mcp/logs/block.ts'
import { byInterest, foldBlocks } from '../../../cli/mcp/logs/fold.ts'
import type { LogLine } from '../../../kernel/events.ts'

function line(text: string, second: number, service = 'shop:web'): LogLine {
  return { time: new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString(), service, stream: 'stdout', text }
}

function fold(lines: readonly LogLine[]) {
  return foldBlocks(toBlocks(lines)).toSorted(byInterest(() => false))
}

t.test('folds lines that differ in numbers and ids, and shows the odd one first', async t => {
  const lines = Array.from({ length: 3412 }, (_, n) =>
    line(n === 1700 ? 'GET /health 503 12ms' : `GET /health 200 ${(n * 7) % 97}ms`, n),
  )
  const kinds = fold(lines)
  t.match(kinds, [
    { count: 1, gravity: 2, text: 'GET /health 503 12ms' },
    { count: 3411, gravity: 0, text: /^GET \/health 200 \d+ms$/ },
  ])
  t.equal(kinds.length, 2)
})

t.test('ids, hashes and addresses are one kind, other words are not', async t => {
  const ids = Array.from({ length: 50 }, (_, n) => {
    const hex = ((n * 2_654_435_761) >>> 0).toString(16).padStart(8, '0')
    return line(`job ${hex}-aaaa-bbbb-cccc-${hex.slice(0, 8)}0000 at 0x${hex} took ${n}.5s`, n)
  })
  t.match(fold(ids), [{ count: 50 }])
  t.equal(fold([line('user ann signed in', 1), line('user bob signed in', 2)]).length, 2)
})

t.test('keeps a stack trace with its error, apart from lines of other services', async t => {
  const blocks = toBlocks([
    line('Error: boom', 1),
    line('GET / 200', 2, 'shop:api'),
    line('    at f (web.js:3:1)', 3),
    line('    at g (web.js:9:1)', 4),
    line('next', 5),
  ])
  t.strictSame(
    blocks.map(({ text }) => text),
    ['Error: boom\n    at f (web.js:3:1)\n    at g (web.js:9:1)', 'GET / 200', 'next'],
  )
})
