import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { isTable, own } from '../../kernel/config/document/table.ts'
import { options } from '../../plugins/container/options.ts'
import { root } from '../lib/sources.ts'

t.test('docs/containers.md has a row for each key of containers, and for no other one', t => {
  const page = readFileSync(join(root, 'docs', 'containers.md'), 'utf8')
  const section = page.split('\n## ').find(part => part.startsWith('Keys\n')) ?? ''
  const cells = section.split('\n').flatMap(line => (line.startsWith('| `') ? [line.split('|')[1] ?? ''] : []))
  const keys = cells.flatMap(cell => [...cell.matchAll(/`(\w+)`/g)].map(([, key]) => key))
  const properties: unknown = isTable(options.schema) ? own(options.schema, 'properties') : undefined
  // A key of every service that means another folder here.
  t.same(keys.sort(), [...Object.keys(isTable(properties) ? properties : {}), 'workdir'].sort())
  t.end()
})
