import fc from 'fast-check'
import t from 'tap'
import { type Item, Pages } from '../../../cli/mcp/pages.ts'
import { cutText, sizeOf } from '../../../cli/mcp/size.ts'
import { mostBytes } from '../../lib/mcp.ts'

const same = async (value: unknown) => value
const characters = fc.constantFrom('a', '"', '\\', '\n', '\u0001', 'é', '漢', '😀', '\ud83d', '•', ' ')
const texts = fc.oneof(
  fc.string({ unit: characters, maxLength: 200 }),
  fc.tuple(characters, fc.integer({ min: 1, max: 20_000 })).map(([text, count]) => text.repeat(count)),
)

t.test('no page has more than 8,000 tokens, and all pages together have every item once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(texts, { maxLength: 400 }), texts, texts, async (list, head, fact) => {
      const pages = new Pages()
      const items = list.map((text, index): Item => ({ text, data: { index, text } }))
      const report = { head, facts: { project: { name: fact, path: fact } }, list: 'lines', items }
      let page = await pages.first(report, same)
      const seen: number[] = []
      for (let turn = 0; ; turn++) {
        if (Buffer.byteLength(JSON.stringify(page)) > mostBytes) return false
        const { structuredContent: data } = page
        if (typeof data !== 'object' || data === null) return false
        const { lines, cursor }: { lines: readonly { index: number }[]; cursor: string | null } = JSON.parse(
          JSON.stringify(data),
        )
        seen.push(...lines.map(({ index }) => index))
        if (cursor === null) break
        if (turn > list.length) return false
        page = pages.next(cursor)
      }
      // What would take too much memory is left out at the end.
      return seen.every((index, at) => index === at) && (seen.length === items.length || sizeOf(list) > 100_000)
    }),
    { numRuns: 150 },
  )
})

t.test('a text is cut between characters, at most to its size', async t => {
  fc.assert(
    fc.property(texts, fc.integer({ min: 10, max: 500 }), (text, bytes) => {
      const cut = cutText(text, bytes)
      return sizeOf(cut) <= bytes && (cut === text || text.startsWith(cut.slice(0, -1)))
    }),
  )
  t.equal(cutText('😀😀😀😀', 12), '😀…')
  t.end()
})

t.test('an unknown cursor is an error that says how to go on', async t => {
  t.throws(() => new Pages().next('c9'), { code: 'USAGE', hint: /without `cursor`/ })
})

t.test('masks texts before they are cut', async t => {
  const secret = 'canary-0123456789'
  const text = `${'x'.repeat(2490)}${secret}`
  const masked = async (value: unknown): Promise<unknown> => JSON.parse(JSON.stringify(value).replaceAll(secret, '•'))
  const page = await new Pages().first({ head: 'h', facts: {}, list: 'l', items: [{ text, data: text }] }, masked)
  t.notMatch(JSON.stringify(page), 'canary')
})
