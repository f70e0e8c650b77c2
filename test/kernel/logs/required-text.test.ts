import t from 'tap'
import { requiredTexts, searchablePart } from '../../../kernel/logs/required-text.ts'

t.test('the texts that a regular expression needs', async t => {
  const needs: readonly (readonly [string, readonly string[] | undefined])[] = [
    ['error', ['error']],
    ['^GET /orders/\\d+ 503$', ['GET /orders/']],
    ['a\\.b\\-c', ['a.b-c']],
    ['ab?cde', ['cde']],
    ['ab*c', ['a']],
    ['abc+d', ['abc']],
    ['abc+?d', ['abc']],
    ['ab{0,2}c', ['a']],
    ['ab{2}c', ['ab']],
    ['ab{c', ['a']],
    ['warn|error', ['warn', 'error']],
    ['warn|', undefined],
    ['warn|\\d', undefined],
    ['(?:timed out|refused) by', ['timed out', 'refused']],
    ['(?<what>refused): x', ['refused']],
    ['(refused)? by', [' by']],
    ['(refused)* by', [' by']],
    ['(refused){0} by', [' by']],
    ['(?!refused)by', undefined],
    ['(?<!x)refused', undefined],
    ['(?=x)refused', undefined],
    ['(a|b(c|d))efg', ['efg']],
    ['[abc]def[\\]x]gh', ['def']],
    ['[]]?x', ['x']],
    ['\\u0041bc', undefined],
    ['\\x41bc', undefined],
    ['(x)\\1', undefined],
    ['.*', undefined],
    ['', undefined],
    ['漢字?', ['漢']],
    ['😀?', undefined],
    ['x\u001b\\[31m', ['[31m']],
    [`${'('.repeat(30)}x${')'.repeat(30)}`, undefined],
  ]
  for (const [source, texts] of needs) t.strictSame(requiredTexts(source, false), texts, source)
  t.strictSame(requiredTexts('größe', true), ['gr'], 'only ASCII where case does not matter')
  t.strictSame(searchablePart('a(b', true), ['a(b'])
  t.strictSame(searchablePart('ä', true), undefined)
})
