/** What the browser loads: small enough to be there at once. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { root } from '../lib/sources.ts'

interface WebFile {
  readonly path: string
  readonly br: number
  readonly isFirst: boolean
}

/** Bytes, compressed with Brotli. */
const limits = { first: 80 * 1024, all: 250 * 1024 }

const { files }: { readonly files: readonly WebFile[] } = JSON.parse(
  readFileSync(join(root, 'dist', 'web', 'manifest.json'), 'utf8'),
)

const sumOf = (list: readonly WebFile[]) => list.reduce((sum, { br }) => sum + br, 0)

t.test('the first load and the whole app are within their budgets', async t => {
  const first = files.filter(({ isFirst }) => isFirst)
  t.ok(first.length > 5, `${first.length} files`)
  // A browser asks for six at a time over HTTP/1.1.
  const scripts = first.filter(({ path }) => path.endsWith('.js'))
  t.ok(scripts.length <= 6, scripts.map(({ path }) => path).join(' '))
  t.ok(sumOf(first) <= limits.first, `${sumOf(first)} bytes at first`)
  t.ok(sumOf(files) <= limits.all, `${sumOf(files)} bytes in all`)
})

t.test('the page has no script and no style of its own', async t => {
  const html = readFileSync(join(root, 'dist', 'web', 'index.html'), 'utf8')
  t.notMatch(html, /<style|style=|\son\w+=/)
  for (const [tag = ''] of html.matchAll(/<script[^>]*>/g)) t.match(tag, / src="\/assets\//)
})
