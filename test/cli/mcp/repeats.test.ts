import t from 'tap'
import { joinRepeats } from '../../../cli/mcp/logs/repeats.ts'

/** Returns the blocks of a text, one a character; a space is left out, so that times differ. */
function join(text: string): readonly string[] {
  const blocks = [...text].map((each, index) => ({
    ...{ service: each === each.toUpperCase() ? 'shop:api' : 'shop:web', stream: 'out' },
    ...{ time: String(index).padStart(2, '0'), text: each.toLowerCase() },
  }))
  return joinRepeats(blocks).map(({ count, text: line, first, last }) => `${count}${line} ${first}-${last}`)
}

t.test('joins what is repeated at once, a block or several, in its order', t => {
  t.strictSame(join(''), [])
  t.strictSame(join('abc'), ['1a 00-00', '1b 01-01', '1c 02-02'])
  t.strictSame(join('aaab'), ['3a 00-02', '1b 03-03'])
  t.strictSame(join('xabcabcabcy'), ['1x 00-00', '3a 01-07', '3b 02-08', '3c 03-09', '1y 10-10'])
  t.strictSame(join('abab' + 'a'), ['2a 00-02', '2b 01-03', '1a 04-04'])
  t.strictSame(join('aabaab'), ['2a 00-03', '2a 01-04', '2b 02-05'])
  t.strictSame(join('aA'), ['1a 00-00', '1a 01-01'], 'of two services')
  t.end()
})
