import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { root } from '../lib/sources.ts'

t.test('docs/dependencies.md has a row for each dependency, and no other', async t => {
  const manifest: {
    readonly dependencies: Record<string, string>
    readonly optionalDependencies: Record<string, string>
  } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const page = readFileSync(join(root, 'docs', 'dependencies.md'), 'utf8')
  const rows = [...page.matchAll(/^\| (`.*?) +\|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  )
  const optional = Object.keys(manifest.optionalDependencies)
  const used = [...Object.keys(manifest.dependencies), ...new Set(optional.map(name => name.replace(/\/.*/, '/*')))]
  t.strictSame([...rows].sort(), [...used].sort())
})
