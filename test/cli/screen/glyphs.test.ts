import stringWidth from 'string-width'
import t from 'tap'
import { columnsOf } from '../../../cli/screen/glyphs.ts'

/** Skin tones and parts of Hangul syllables, which are drawn over the character before. */
const joined = /^[\u{1f3fb}-\u{1f3ff}\u1160-\u11ff\ud7b0-\ud7fb]$/u

/** Unassigned and private ones, and letters without case, which are ideographs and syllables nearly all: some of each. */
const many = /^[\p{Cn}\p{Co}\p{Cs}\p{Lo}]$/u
const step = 97

t.test('the columns of each character are those of string-width', async t => {
  const different: string[] = []
  for (let code = 0; code < 0x11_0000; code++) {
    const character = String.fromCodePoint(code)
    if (many.test(character) && code % step !== 0) continue
    if (joined.test(character) || character.normalize('NFC') !== character) continue
    if (columnsOf(character) !== stringWidth(character)) different.push(code.toString(16))
  }
  t.strictSame(different, [])
})
