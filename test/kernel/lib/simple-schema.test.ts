import { Ajv } from 'ajv'
import t from 'tap'
import * as requests from '../../../kernel/api/schemas/requests.ts'
import { compilePluginSchema, readSimply } from '../../../kernel/config/fields/plugin-schema.ts'
import { fits, isSimple } from '../../../kernel/lib/simple-schema.ts'

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

t.test('leaves a schema that does not compile to ajv', async t => {
  const broken = [{ type: 'text' }, { pattern: '(' }, { minLength: 'x' }, { required: 'a' }, { enum: 1 }]
  for (const schema of broken) t.notOk(isSimple(schema), JSON.stringify(schema))
})

t.test('fills in defaults as ajv does', async t => {
  const port = { type: 'integer', default: 80 }
  const schema = { type: 'object', properties: { name: { type: 'string' }, port }, additionalProperties: false }
  const validate = compilePluginSchema(schema)
  for (const table of [{}, { name: 'a' }, { port: 1 }, { port: '1' }, { other: 1 }, { port: 2, name: 'b' }]) {
    const filled = structuredClone(table)
    const expected = validate(filled) ? JSON.stringify(filled) : undefined
    t.equal(JSON.stringify(readSimply(schema, table)), expected, JSON.stringify(table))
  }
  const nested = { type: 'object', properties: { a: { type: 'object', properties: { b: port } } } }
  t.equal(readSimply(nested, { a: {} }), undefined, 'not those of inner tables')
})
