import fc from 'fast-check'
import { parse } from 'smol-toml'
import t from 'tap'
import { formatKey, formatToml, formatValue, type TomlValue } from '../../../cli/init/toml.ts'

t.test('writes tables, inline tables, comments and tables as comments', async t => {
  const text = formatToml(
    ['Made by a test.'],
    [
      { header: ['project'], entries: [{ key: 'name', value: 'shop' }] },
      {
        header: ['services', 'web.1'],
        comments: ['A comment\nof two lines.'],
        entries: [
          { key: 'port', value: 80, comment: 'fixed' },
          { key: 'env', value: { A: 'x'.repeat(90) } },
          { key: 'build', value: { context: '.', args: { 'B C': '1' } } },
          { key: 'init', value: false },
        ],
      },
      { header: ['services', 'off'], entries: [{ key: 'words', value: ['a', 'b\nc'] }], isInactive: true },
    ],
  )
  t.equal(
    text,
    `# Made by a test.

[project]
name = "shop"

[services."web.1"]
# A comment of two lines.
port = 80  # fixed
build = { context = ".", args = { "B C" = "1" } }
init = false

[services."web.1".env]
A = "${'x'.repeat(90)}"

# [services.off]
# words = ["a", """
# b
# c"""]
`,
  )
  t.strictSame(JSON.parse(JSON.stringify(parse(text))).services, {
    'web.1': {
      port: 80,
      build: { context: '.', args: { 'B C': '1' } },
      init: false,
      env: { A: 'x'.repeat(90) },
    },
  })
})

t.test('a TOML parser reads back every value', async t => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom('"', '\\', '\n', 'a', '\r') }))
  const { value } = fc.letrec<{ value: TomlValue }>(tie => ({
    value: fc.oneof(
      { maxDepth: 3 },
      text,
      fc.integer(),
      fc.boolean(),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(
        text.filter(key => key !== '__proto__'),
        tie('value'),
        { maxKeys: 3, noNullPrototype: true },
      ),
    ),
  }))
  fc.assert(
    fc.property(text, value, (key, written) => {
      const toml = formatToml([key], [{ header: ['t'], entries: [{ key: 'k', value: written, comment: key }] }])
      t.strictSame(JSON.parse(JSON.stringify(parse(toml))), { t: { k: written } })
    }),
    { numRuns: 300 },
  )
})

t.test('half of a surrogate pair becomes the replacement character', async t => {
  const toml = formatToml([], [{ header: ['t'], entries: [{ key: 'k', value: 'a\ud800b' }] }])
  t.match(parse(toml), { t: { k: 'a\ufffdb' } })
})

t.test('quotes only what needs quotes', async t => {
  t.equal(formatKey('web-1_A'), 'web-1_A')
  t.equal(formatKey(''), '""')
  t.equal(formatKey('a.b'), '"a.b"')
  t.equal(formatValue('tab\tnul\0del\x7f'), '"tab\\tnul\\u0000del\\u007f"')
  t.equal(formatValue('two\nlines"""'), '"""\ntwo\nlines\\"\\"\\""""')
  t.equal(formatValue({}), '{}')
})
