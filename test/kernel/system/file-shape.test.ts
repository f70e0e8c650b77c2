import t from 'tap'
import { type FileShape, fileShape, hasShape, requireShape } from '../../../kernel/system/file-shape.ts'

const project = fileShape({
  type: 'object',
  required: ['name', 'ports'],
  properties: {
    name: { type: 'string', pattern: '^/' },
    ports: { type: 'object', additionalProperties: { type: 'integer' } },
    tags: { type: 'array', items: { enum: ['a', 'b'] } },
    line: { type: ['integer', 'null'] },
  },
})

t.test('returns a value that fits, keys of a later version included', async t => {
  const right = { name: '/a', ports: { web: 3000 }, tags: ['a', 'b'], line: null, later: {} }
  t.equal(requireShape(right, project), right)
  t.ok(hasShape({ name: '/a', ports: {} }, project))
})

t.test('names the place of the first value that does not fit', async t => {
  const ports = {}
  const cases: readonly [unknown, string][] = [
    [null, 'the content is not of type object'],
    [[], 'the content is not of type object'],
    [{ ports }, 'name is missing'],
    [{ name: 'a', ports }, 'name does not match ^/'],
    [{ name: '/a' }, 'ports is missing'],
    [{ name: '/a', ports: { web: 3.5 } }, 'ports.web is not of type integer'],
    [{ name: '/a', ports, tags: ['a', 'c'] }, 'tags[1] is not one of a, b'],
    [{ name: '/a', ports, tags: {} }, 'tags is not of type array'],
    [{ name: '/a', ports, line: '1' }, 'line is not of type integer or null'],
  ]
  for (const [value, message] of cases) {
    t.throws(() => requireShape(value, project), new Error(message), message)
    t.notOk(hasShape(value, project))
  }
})

t.test('takes names of a prototype as keys', async t => {
  const shape: FileShape<unknown> = fileShape({ type: 'object', required: ['constructor'], properties: {} })
  t.ok(hasShape({ toString: 1 }, fileShape({ type: 'object', properties: { name: { type: 'string' } } })))
  t.ok(hasShape({ constructor: 1 }, shape))
  t.throws(() => requireShape({}, shape), new Error('constructor is missing'))
})
