import t from 'tap'
import { TypeSchema } from '../../../cli/edit/service-options.ts'

const list = { type: 'array', items: { type: 'string' } }
const root = {
  definitions: {
    port: { type: 'integer' },
    timeout: { type: ['number', 'string'] },
    command: { anyOf: [{ type: 'string' }, list] },
    env: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
    health_check: {
      anyOf: [
        { type: 'string' },
        { type: 'object', properties: { type: { const: 'http' }, status: { type: 'integer' } } },
        { type: 'object', properties: { type: { const: 'log' }, pattern: { type: 'string' } } },
      ],
    },
    needs: { anyOf: [list, { type: 'object', additionalProperties: { enum: ['ready', 'started'] } }] },
    'type-exec': { type: 'object', properties: { command: { type: 'string' } }, required: ['command'] },
    'type-box': {
      type: 'object',
      anyOf: [{ required: ['image'] }, { required: ['build'] }],
      required: ['type'],
      properties: {
        version: { type: 'string' },
        sizes: { type: 'array', items: { type: 'integer' } },
        quiet: { type: 'boolean' },
        port: { $ref: '#/definitions/port' },
        timeout: { $ref: '#/definitions/timeout' },
        command: { $ref: '#/definitions/command' },
        env: { $ref: '#/definitions/env' },
        health_check: { $ref: '#/definitions/health_check' },
        needs: { $ref: '#/definitions/needs' },
      },
    },
  },
}

const box = new TypeSchema('box', root)

function parsed(...words: string[]): object {
  return Object.fromEntries(box.parse(words).map(({ key, value }) => [key, value]))
}

t.test('a value gets the type of its key', async t => {
  t.strictSame(parsed('version=17', 'port=17', 'quiet=true'), { version: '17', port: 17, quiet: true })
  t.strictSame(parsed('timeout=0.5', 'sizes=1'), { timeout: 0.5, sizes: [1] })
  t.strictSame(parsed('timeout=500ms', 'version='), { timeout: '500ms', version: '' })
})

t.test('a wrong value stays a text, for the check of the file', async t => {
  t.strictSame(parsed('port=x', 'quiet=yes', 'unknown=x'), { port: 'x', quiet: 'yes', unknown: 'x' })
  t.strictSame(parsed('port=08', 'port2=1e3'), { port: '08', port2: '1e3' })
  t.strictSame(parsed('unknown=8', 'other=false', 'deep.er=a=b'), { unknown: 8, other: false, deep: { er: 'a=b' } })
})

t.test('a key in another one has the type that it has there', async t => {
  t.strictSame(parsed('health_check.type=http', 'health_check.status=204', 'env.A=1', 'env.B=b'), {
    health_check: { type: 'http', status: 204 },
    env: { A: 1, B: 'b' },
  })
  t.strictSame(parsed('health_check.pattern=204', 'needs.db=started'), {
    health_check: { pattern: '204' },
    needs: { db: 'started' },
  })
})

t.test('a key of a list may be repeated', async t => {
  t.strictSame(parsed('sizes=1', 'sizes=2', 'command=a b', 'needs=db'), {
    sizes: [1, 2],
    command: 'a b',
    needs: ['db'],
  })
  t.strictSame(parsed('command=a', 'command=b', 'command=c'), { command: ['a', 'b', 'c'] })
})

t.test('lists and tables may be written as in the file', async t => {
  t.same(parsed('sizes=[1, 2]', 'env={A="b"}', 'needs=["db"]', 'version=[1]', 'command=["a'), {
    sizes: [1, 2],
    env: { A: 'b' },
    needs: ['db'],
    version: '[1]',
    command: '["a',
  })
})

t.test('refuses what is no option', async t => {
  const refuses = (words: readonly string[], message: string) =>
    t.throws(() => box.parse(words), { code: 'USAGE', message }, words.join(' '))
  refuses(['x'], "'x' is not KEY=VALUE")
  refuses(['=x'], "'=x' is not KEY=VALUE")
  refuses(['port=1', 'port=2'], "'port' has two values")
  refuses(['health_check=x', 'health_check.type=http'], "'health_check.type' has two values")
  refuses(['env.A=1', 'env={}'], "'env' has two values")
  refuses(['type=exec'], 'the type is box already')
})

t.test('an unknown type is refused with those that exist', async t => {
  t.throws(() => new TypeSchema('bux', root), {
    code: 'SERVICE_TYPE_UNSUPPORTED',
    message: "unknown service type 'bux'",
    hint: /^Did you mean 'box'\? Use one of exec, box, /,
  })
  t.ok(new TypeSchema('exec', root).isDefault)
  t.notOk(box.isDefault)
})
