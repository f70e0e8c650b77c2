// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are the texts of compose files.
import fc from 'fast-check'
import t from 'tap'
import { interpolate } from '../../../../kernel/config/references/interpolation.ts'
import {
  parseTemplate,
  resolveTemplate,
  type Scope,
  translateTemplate,
} from '../../../../plugins/project-sources/compose/template.ts'

const values: Readonly<Record<string, string>> = { SET: 'set', EMPTY: '', DOLLAR: '$' }
const scope: Scope = name => values[name]

function resolve(text: string): string {
  const pieces = parseTemplate(text)
  const resolved = 'fault' in pieces ? pieces : resolveTemplate(pieces, scope)
  return typeof resolved === 'string' ? resolved : `fault: ${resolved.fault}`
}

function translate(text: string): readonly [string, ...string[]] {
  const pieces = parseTemplate(text)
  const translated = 'fault' in pieces ? pieces : translateTemplate(pieces, scope)
  return 'fault' in translated ? [`fault: ${translated.fault}`] : [translated.text, ...translated.fixed]
}

t.test('resolves references as compose does', async t => {
  const cases: Readonly<Record<string, string>> = {
    'plain {text}': 'plain {text}',
    '$SET-$EMPTY-$UNSET.': 'set--.',
    '${SET}${UNSET}': 'set',
    '${UNSET:-a}${EMPTY:-b}${SET:-c}': 'abset',
    '${UNSET-a}${EMPTY-b}': 'a',
    '${SET:+a}${EMPTY:+b}${EMPTY+c}${UNSET+d}': 'ac',
    '${UNSET:-${EMPTY:-$SET}}': 'set',
    '${UNSET:-{"a":{"b":1}}}': '{"a":{"b":1}}',
    '$$SET $${SET} $$$SET': '$SET ${SET} $set',
    '${UNSET:?give it}': 'fault: needs the variable UNSET: give it',
    '${UNSET?}': 'fault: needs the variable UNSET',
    '${EMPTY?give it}': '',
    a$: 'fault: has a $ at column 2 that names no variable; write $$ for a dollar',
    '${SET': 'fault: has a ${ at column 1 that is never closed',
    '${SET/x}': 'fault: has a ${ at column 1 that is never closed',
    [`${'${A:-'.repeat(20)}${'}'.repeat(20)}`]: 'fault: has defaults nested more than 10 deep',
  }
  for (const [text, expected] of Object.entries(cases)) t.equal(resolve(text), expected, text)
})

t.test('keeps references in the syntax of locald, and resolves the others', async t => {
  const cases: Readonly<Record<string, readonly [string, ...string[]]>> = {
    '$SET ${UNSET}': ['${SET:-} ${UNSET:-}'],
    'a ${UNSET:-b ${SET:-c}}': ['a ${UNSET:-b ${SET:-c}}'],
    '${UNSET:?say it}': ['${UNSET:?say it}'],
    '${UNSET-a}${SET-b}': ['${UNSET:-a}${SET:-b}'],
    '${EMPTY-a}': ['', 'EMPTY'],
    '${SET:+on}': ['on', 'SET'],
    '${UNSET:-{1}}': ['{1}', 'UNSET'],
    '$${SET} $$SET $$': ['$${SET} $SET $'],
    '$$${SET}': ['$set', 'SET'],
    '${DOLLAR:+$$}{SET}': ['$${SET}', 'DOLLAR'],
  }
  for (const [text, expected] of Object.entries(cases)) t.strictSame(translate(text), expected, text)
})

t.test('locald gets from the translation what compose gets from the text', async t => {
  const word = fc.constantFrom('a', ' ', '$$', '{', '}', '$SET', '${UNSET}', '${UNSET:-', '${SET:+', '${EMPTY-', '}')
  const project = { name: 'shop', domain: 'shop.localhost' }
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), words => {
      const text = words.join('')
      const [translated] = translate(text)
      const expected = resolve(text)
      if (expected.startsWith('fault: ')) return t.equal(translated, expected, text)
      const got = interpolate(translated, { project, variable: scope, service: () => undefined })
      return t.equal(got, expected, `${text} as ${translated}`)
    }),
    { numRuns: 1000 },
  )
})
