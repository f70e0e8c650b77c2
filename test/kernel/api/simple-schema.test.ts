import { Ajv } from 'ajv'
import t from 'tap'
import * as requests from '../../../kernel/api/schemas/requests.ts'
import { fits, isSimple } from '../../../kernel/api/simple-schema.ts'

const texts = ['', '/a', 'é', '\u{1f600}'.repeat(2048), 'x'.repeat(4097), '2026-01-02T03:04:05Z', 'stdout', 'a\n/b']
const plain = [null, true, 0, 1, 1.5, -1, 65_536, 2_147_484, ...texts, [], ['a'], ['a', 1], [null], {}, { a: 'b' }]
const leases = [{ pid: 1 }, { seconds: 1 }, { pid: 1, seconds: 1 }, { name: 'x' }, { pid: 1, name: '' }, { pid: 0 }]

/** Values of a schema's shape: each property alone and all of them, of each kind. */
function* valuesOf(schema: object): Generator<unknown> {
  yield* plain
  const keys = 'properties' in schema ? Object.keys(Object(schema.properties)) : []
  const filled = { path: '/a', env: {}, argv: ['x'], services: ['x'], service: 'x', pid: 1, timeoutMs: 1, name: 'x' }
  const base = Object.fromEntries(Object.entries(filled).filter(([key]) => keys.includes(key)))
  yield base
  yield { ...base, unknown: 1 }
  for (const key of keys) {
    const { [key]: _, ...others } = base
    yield others
    for (const value of [...plain, ...leases]) {
      yield { [key]: value }
      yield { ...base, [key]: value }
    }
  }
}

t.test('decides as ajv does', async t => {
  const ajv = new Ajv({ strict: false, validateSchema: false, meta: false })
  let valid = 0
  for (const [name, schema] of Object.entries(requests)) {
    t.ok(isSimple(schema), `${name} is simple`)
    const validate = ajv.compile(schema)
    const wrong = [...valuesOf(schema)].filter(value => {
      const isValid = validate(value)
      if (isValid) valid++
      return fits(value, schema) !== isValid
    })
    t.strictSame(wrong, [], name)
  }
  t.ok(valid > 300, `${valid} values are valid`)
})

t.test('leaves other schemas to ajv', async t => {
  const others = [{ default: 1 }, { $ref: '#' }, { format: 'date' }, { items: { const: 1 } }, { not: { default: 1 } }]
  for (const schema of others) t.notOk(isSimple(schema), JSON.stringify(schema))
  for (const schema of [{ anyOf: [{ $ref: '#' }] }, { properties: { a: { default: 1 } } }, undefined])
    t.notOk(isSimple(schema), JSON.stringify(schema))
})
