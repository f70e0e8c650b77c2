import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readJson, writeAtomic } from '../../../kernel/system/files.ts'
import { folder } from '../../lib/log-model.ts'

t.test('writes a file whole or not at all, private to the user', async t => {
  const dir = folder(t)
  const file = join(dir, 'new', 'x.json')
  writeAtomic(file, '{"a":1}')
  t.strictSame(readJson(file), { a: 1 })
  t.equal(statSync(file).mode & 0o777, 0o600)
  writeAtomic(file, 'é'.repeat(100_000))
  t.equal(readFileSync(file, 'utf8').length, 100_000)
  t.throws(() => readJson(file), SyntaxError)
  t.equal(readJson(join(dir, 'none')), undefined)
  execFileSync('mkfifo', [join(dir, 'pipe')])
  t.throws(() => readJson(join(dir, 'pipe')), /not a regular file/, 'a pipe is not waited for')
  rmSync(join(dir, 'pipe'))
  t.throws(() => readJson('/dev/zero'), /not a regular file/)
  mkdirSync(join(dir, 'folder'))
  writeFileSync(join(dir, 'folder', 'x'), '')
  t.throws(() => writeAtomic(join(dir, 'folder'), 'text'))
  t.strictSame(readdirSync(dir).sort(), ['folder', 'new'], 'a write that fails leaves nothing')
})
