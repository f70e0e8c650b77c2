/**
 * The tables of keys in docs/configuration.md are made from the keys themselves. After a change of a key,
 * `TAP_SNAPSHOT=1 npm test -- test/repository/configuration-page.test.ts` writes them again.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { isTable, own } from '../../kernel/config/document/table.ts'
import { hasDefault, type Key } from '../../kernel/config/fields/keys.ts'
import { timeKeys } from '../../kernel/config/tables/health-check.ts'
import { serviceKeys, typeKey } from '../../kernel/config/tables/service-keys.ts'
import { type TestKernel, testKernel } from '../../kernel/testing/index.ts'
import { markdownTable } from '../lib/markdown-table.ts'
import { root } from '../lib/sources.ts'

const file = join(root, 'docs', 'configuration.md')

interface Row {
  readonly key: string
  readonly type: string
  readonly default: string
}

function defaultOf(key: Key): string {
  return hasDefault(key) ? `\`${JSON.stringify(key.default)}\`` : (key.absent ?? 'none')
}

/** What a property of a plugin's JSON schema takes. */
function typeOf(schema: unknown): string {
  const words = isTable(schema) ? own(schema, 'enum') : undefined
  if (Array.isArray(words)) return words.map(word => `\`${JSON.stringify(word)}\``).join(', ')
  const type = isTable(schema) ? own(schema, 'type') : undefined
  return { string: 'text', boolean: 'true or false', number: 'number', integer: 'number' }[String(type)] ?? 'table'
}

/** The keys of shell commands: each with the types that have it. */
function commandRows(kernel: TestKernel): readonly Row[] {
  const rows = new Map<string, Row & { readonly of: readonly string[] }>()
  for (const name of ['exec', 'worker']) {
    const schema: unknown = kernel.type(name).shape.schema
    const properties = isTable(schema) ? own(schema, 'properties') : undefined
    const required = isTable(schema) ? own(schema, 'required') : undefined
    for (const [key, property] of Object.entries(isTable(properties) ? properties : {})) {
      const isRequired = Array.isArray(required) && required.includes(key)
      const written = isTable(property) ? own(property, 'default') : undefined
      rows.set(key, {
        key,
        type: typeOf(property),
        default: isRequired ? 'required' : `\`${JSON.stringify(written)}\``,
        of: [...(rows.get(key)?.of ?? []), `\`${name}\``],
      })
    }
  }
  return [...rows.values()].map(({ key, type, default: absent, of }) => ({
    key,
    type: `${type}; ${of.join(' and ')}`,
    default: absent,
  }))
}

t.test('the tables of docs/configuration.md have every key, with its type and default', async t => {
  const kernel = await testKernel({ plugins: [], builtIns: ['platform-linux', 'platform-darwin', 'exec-runtime'] })
  const commands = commandRows(kernel)
  const defaultType = ['exec', 'worker'].find(name => kernel.type(name).isDefault)
  await kernel.close()
  t.strictSame(
    commands.map(({ key }) => key),
    ['command', 'tty', 'protocol'],
  )
  const type = { key: typeKey.key, type: typeKey.type.name, default: `\`"${defaultType}"\`` }
  const common = Object.values(serviceKeys).map(key => ({ key: key.key, type: key.type.name, default: defaultOf(key) }))
  const rows = [type, ...commands, ...common]
  const expected: Readonly<Record<string, string>> = {
    service: markdownTable([['key', 'type', 'default'], ...rows.map(row => [`\`${row.key}\``, row.type, row.default])]),
    health_check: markdownTable([
      ['key', 'default', 'meaning'],
      ...timeKeys.map(key => [`\`${key.key}\``, defaultOf(key), key.doc]),
    ]),
  }
  let page = readFileSync(file, 'utf8')
  for (const [name, text] of Object.entries(expected)) {
    const place = new RegExp(`(<!-- keys: ${name} -->\n\n)[^]*?(\n\n<!-- end of keys -->)`)
    t.match(page, place, `there is a place for the keys of ${name}`)
    page = page.replace(place, (_, before: string, after: string) => `${before}${text}${after}`)
  }
  if (process.env['TAP_SNAPSHOT'] === '1') writeFileSync(file, page)
  t.equal(readFileSync(file, 'utf8'), page)
})
