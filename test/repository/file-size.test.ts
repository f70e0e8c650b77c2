/** Files are small enough to hold in one's head: one over 300 lines gives its reason in its first comment. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { root } from '../lib/sources.ts'

const limit = 300
/** How the reason begins. */
const reason = /\bOver 300 lines: \w+/

/** Returns whether a text is short enough or says at its head why it is not. */
function isFitting(text: string): boolean {
  const lines = text.trimEnd().split('\n')
  return lines.length <= limit || reason.test(lines.slice(0, 20).join('\n'))
}

t.test('a source file has at most 300 lines, or says why it has more', async t => {
  const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
    .split('\0')
    .filter(
      file => /\.(?:tsx?|css|c|h|py|sh)$/.test(file) && !file.startsWith('examples/') && existsSync(join(root, file)),
    )
  t.ok(files.length > 500, `${files.length} files`)
  t.strictSame(
    files.filter(file => !isFitting(readFileSync(join(root, file), 'utf8'))),
    [],
  )
})

t.test('the rule sees what is wrong', async t => {
  const long = 'const a = 1\n'.repeat(301)
  t.ok(isFitting('const a = 1\n'.repeat(300)))
  t.notOk(isFitting(long))
  t.ok(isFitting(`/** A table. Over 300 lines: one entry for each command. */\n${long}`))
})
