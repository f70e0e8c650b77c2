import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { root } from '../lib/sources.ts'

t.test('the threat model names a test for each row', async t => {
  const page = readFileSync(join(root, 'docs', 'security.md'), 'utf8')
  const rows = page.split('\n').filter(line => line.startsWith('| ') && !/^\| (?:threat|---)/.test(line))
  t.ok(rows.length > 20, `${rows.length} rows`)
  for (const row of rows) {
    const [, path = '', title = ''] = /`(test\/[^`]+)`: (.+?) +\|$/.exec(row) ?? []
    const file = join(root, path)
    t.ok(existsSync(file) && path !== '' && readFileSync(file, 'utf8').includes(title), row.slice(0, 80))
  }
})
