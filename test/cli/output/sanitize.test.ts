import t from 'tap'
import { formatError } from '../../../cli/output/errors.ts'
import { sanitize, sanitizeLine, toSafeJson } from '../../../cli/output/sanitize.ts'
import { table } from '../../../cli/output/table.ts'
import { print, printJson, printStderr } from '../../../cli/output/terminal.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import { code, sourcesOf } from '../../lib/sources.ts'

/** A title, a cleared screen, the 8-bit forms, a hidden text, a turned direction, an overwritten line. */
const hostile = 'a\x1b]0;pwned\x07\x1b[2J\x9b2J\x9d0;x\x9c\x1b[8mb\x1b[0m\u202e\u2066c\x7f\r\x1bcd'
const steers = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/

/** What is written to a stream meanwhile. */
function written(stream: NodeJS.WriteStream, act: () => void): string {
  const real = stream.write
  let text = ''
  stream.write = (chunk: string | Uint8Array) => {
    text += String(chunk)
    return true
  }
  try {
    act()
  } finally {
    stream.write = real
  }
  return text
}

t.test('escapes control characters in text from outside', async t => {
  t.equal(
    sanitize(hostile, true),
    'a\\u001b]0;pwned\\u0007\\u001b[2J\\u009b2J\\u009d0;x\\u009cb\\u202e\\u2066c\\u007f\\u000d\\u001bcd',
  )
  t.notMatch(sanitize(hostile, false), steers)
  t.equal(sanitize('größe 漢字 ✓\tשלום\nb\r\nc', false), 'größe 漢字 ✓\tשלום\nb\nc', 'as it is')
  t.equal(
    sanitize('\x1b[31mred\x1b[39m \x1b[1mb\x1b[22m', true),
    '\x1b[31mred\x1b[39m \x1b[1mb\x1b[22m',
    'our own colours',
  )
  t.equal(sanitize('\x1b[31mred\x1b[39m \x1b[7;8mb', false), 'red b')
  t.equal(sanitize('\x1b[30;40mx\x1b[38;5;0m', true), 'x', 'no others')
  t.equal(sanitizeLine('a\nb'), 'a b')
})

t.test('escapes control characters in JSON without changing its value', async t => {
  t.notMatch(toSafeJson({ [hostile]: hostile }), steers)
  t.strictSame(JSON.parse(toSafeJson({ [hostile]: hostile })), { [hostile]: hostile })
})

t.test('prints errors and hints without control characters', async t => {
  const error = new LocaldError('CONFIG_INVALID', `unknown service '${hostile}'`, {
    hint: hostile,
    problems: [{ message: hostile, file: `/x/${hostile}`, key: hostile }],
  })
  const rows = [{ cells: [{ text: `${hostile}\nfake` }, { text: 'x' }], note: hostile }]
  const shown = table(['NAME', 'X'], rows, (_, text) => text)
  t.equal(shown.split('\n').length, 3, 'a cell has one line')
  const out = written(process.stdout, () => {
    print(shown)
    printJson(error.toJSON())
  })
  const said = written(process.stderr, () => printStderr(formatError(error)))
  t.notMatch(out, steers)
  t.notMatch(said, steers)
})

t.test('all output passes the sanitiser', async t => {
  const writers = sourcesOf('cli').filter(({ text }) => /process\s*\.\s*std(?:out|err)\s*\.\s*write\b/.test(code(text)))
  t.strictSame(
    writers.map(({ file }) => file),
    // The monitor's terminal gets its own control sequences; what it draws is in cells, without any.
    ['cli/output/terminal.ts', 'cli/screen/terminal.ts'],
  )
})
