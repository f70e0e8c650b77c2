import fc from 'fast-check'
import t from 'tap'
import { type Key, KeyReader } from '../../../cli/screen/keys.ts'

/** Reads what comes in pieces; Escape alone is known after a while. */
async function read(...pieces: readonly (string | Buffer)[]): Promise<readonly string[]> {
  const keys: Key[] = []
  const reader = new KeyReader(key => keys.push(key))
  for (const piece of pieces) reader.push(typeof piece === 'string' ? Buffer.from(piece) : piece)
  await new Promise(wake => setTimeout(wake, 60))
  reader.close()
  return keys.map(key => ('name' in key ? key.name : `pasted ${key.pasted}`))
}

t.test('names keys', async t => {
  t.strictSame(await read('jG/ \r\t\x7f\x03\x1aé漢😀'), [
    ...['j', 'G', '/', ' ', 'enter', 'tab', 'backspace', 'ctrl-c', 'ctrl-z', 'é', '漢', '😀'],
  ])
  t.strictSame(await read('\x1b[A\x1bOB\x1b[5~\x1b[6~\x1b[H\x1bOF\x1b[1~\x1b[4~\x1b[Z\x1b[1;5A'), [
    ...['up', 'down', 'pageUp', 'pageDown', 'home', 'end', 'home', 'end', 'shift-tab', 'up'],
  ])
  t.strictSame(await read('\x1b[I\x1b[<0;3;4M\x1b[15~q'), ['q'], 'unknown sequences are no keys')
  t.strictSame(await read('\x1b'), ['escape'])
  t.strictSame(await read('\x1bj'), ['escape', 'j'])
})

t.test('pasted text is no keys', async t => {
  t.strictSame(await read('a\x1b[200~rm -rf\nq', '\x1b[A\x1b[20', '1~b'), ['a', 'pasted rm -rf\nq\x1b[A', 'b'])
})

t.test('keys do not depend on how their bytes are split', async () => {
  const part = fc.constantFrom('j', '漢', '😀', '\x1b[A', '\x1bOB', '\x1b[5~', '\x1b[200~x\x1b[201~', '\r')
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 6 }), fc.array(fc.nat(30), { maxLength: 4 }), async (parts, cuts) => {
      const bytes = Buffer.from(parts.join(''))
      const places = [0, ...cuts.map(cut => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
      const pieces = places.slice(1).map((end, index) => bytes.subarray(places[index], end))
      const [whole, split] = await Promise.all([read(bytes), read(...pieces)])
      return whole.join() === split.join()
    }),
    { numRuns: 60 },
  )
})
