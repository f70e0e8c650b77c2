import t from 'tap'
import { entryOf, itemsOf, type Node, textOf } from '../../../../plugins/project-sources/compose/node.ts'
import { parseYaml } from '../../../../plugins/project-sources/compose/yaml.ts'
import { failureOf, translateText } from './translate.ts'

async function parse(text: string): Promise<Node | undefined> {
  const [node] = await parseYaml('/compose.yaml', text, name => (name === 'SET' ? 'set' : undefined))
  return node
}

t.test('replaces aliases and merge keys; own keys win, and so do earlier sources', async t => {
  const node = await parse(`x: &x { a: 1, b: 1 }
y: &y { b: 2, c: 2 }
one: { <<: *x, b: 3 }
two:
  <<: [*y, *x]
three: *x
`)
  const read = (...path: readonly string[]) => textOf(entryOf(node, ...path))
  t.strictSame([read('one', 'a'), read('one', 'b')], ['1', '3'])
  t.strictSame([read('two', 'a'), read('two', 'b'), read('two', 'c')], ['1', '2', '2'])
  t.equal(read('three', 'b'), '1')
})

t.test('an anchor of a name used before stands for the later value from there on', async t => {
  const node = await parse('a: &x 1\nb: &y { c: *x }\nd: &x 2\ne: *x\nf: *y\ng: *x\n')
  t.strictSame([entryOf(node, 'b', 'c'), entryOf(node, 'e'), entryOf(node, 'f', 'c'), entryOf(node, 'g')].map(textOf), [
    '1',
    '2',
    '1',
    '2',
  ])
})

t.test('keeps numbers as they are written, and the lines of keys', async t => {
  const node = await parse('a: 3.10\nb:\n  - 0x10\n  - 1e3\nc:\n\n  d: "$SET"\n')
  t.equal(textOf(entryOf(node, 'a')), '3.10')
  t.strictSame(itemsOf(entryOf(node, 'b')).map(textOf), ['0x10', '1e3'])
  t.strictSame(
    itemsOf(entryOf(node, 'b')).map(({ at }) => at.line),
    [3, 4],
  )
  t.equal(entryOf(node, 'c')?.at.line, 5)
  t.match(entryOf(node, 'c', 'd'), { text: 'set', template: '$SET', variables: ['SET'], at: { line: 7 } })
})

t.test('names line and reason of what is not YAML, but none of its words', async t => {
  const cases: Readonly<Record<string, RegExp>> = {
    'a: [secret': /^\/compose\.yaml:\d: not valid YAML: [a-z ]+$/,
    'a: 1\na: secret': /^\/compose\.yaml:2: not valid YAML: duplicate key$/,
    'a: *secret': /^\/compose\.yaml:1: /,
    '<<: secret': /^\/compose\.yaml:1: a merge key \(<<\) that names no mapping$/,
    [`a: ${'['.repeat(100)}${']'.repeat(100)}`]: /^\/compose\.yaml:1: nested more than 64 deep$/,
    [`a: ${'{a: '.repeat(30_000)}`]: /^\/compose\.yaml:1: (?:nested|.*resource exhaustion)/,
    'a: &a [*a]': /^\/compose\.yaml:1: /,
  }
  for (const [text, message] of Object.entries(cases)) {
    const error = await failureOf(translateText(text).then(undefined, error => Promise.reject(error)))
    t.equal(error.code, 'CONFIG_INVALID')
    const [problem] = error.problems
    t.match(`/compose.yaml:${problem?.line}: ${problem?.message}`, message, text.slice(0, 40))
  }
})

t.test('a few aliases that stand for billions of values are refused at once', async t => {
  const lines = Array.from({ length: 20 }, (_, i) => `x${i + 1}: &x${i + 1} [${Array(10).fill(`*x${i}`).join(', ')}]`)
  const error = await failureOf(translateText(['x0: &x0 [1]', ...lines].join('\n')))
  t.match(error.message, /more than 20000 values|nested/)
})
