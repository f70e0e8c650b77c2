/** docs/platforms.md: no row claims a test that is not there, or was skipped. */
import { accessSync, constants, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { root } from '../lib/sources.ts'
import { steps } from '../mac/steps.ts'
import { page, pageOf } from '../requirement/page.ts'
import { endsOf, unshown } from '../requirement/ran.ts'
import { type Row, rows } from '../requirement/rows.ts'

const claims = rows.flatMap(({ linux, mac }) => [
  ...linux.map(claim => ({ claim, os: 'linux' })),
  ...mac.map(claim => ({ claim, os: 'darwin' })),
])

t.test('the page agrees with the rows', async t => {
  t.equal(readFileSync(page, 'utf8'), pageOf(rows), 'node build/test/requirement/page.js rebuilds it')
  t.ok(rows.length >= 27)
  for (const { asks, linux, mac } of rows) t.ok(linux.length + mac.length > 0, asks)
})

t.test('each claimed test exists in its file, for the claimed system', async t => {
  for (const { claim, os } of claims) {
    const [file = '', ...names] = claim.split(' > ')
    const text = readFileSync(join(root, file), 'utf8')
    for (const name of names) {
      const [, title = name, system] = /^(.*) \((linux|darwin)\)$/.exec(name) ?? []
      t.ok(
        [`'${title}'`, `"${title}"`, `\`${title}\``].some(quoted => text.includes(quoted)),
        claim,
      )
      if (system === undefined) continue
      t.equal(system, os, claim)
      const register = new RegExp(`\\b(onEach|onHost|on)\\(\\s*(?:'(linux|darwin)',\\s*)?['"\`]${literal(title)}`).exec(
        text,
      )
      const where =
        register?.[1] === 'onEach' ? ['linux', 'darwin'] : register?.[1] === 'onHost' ? ['linux'] : [register?.[2]]
      t.ok(where.includes(system), `${claim}: run with every change`)
    }
  }
})

t.test('each step for a Mac exists', async t => {
  for (const shown of rows.flatMap(({ hardware }) => hardware)) {
    if (shown.startsWith('step '))
      t.ok(
        steps.some(({ id }) => `step ${id}` === shown),
        shown,
      )
    else t.doesNotThrow(() => accessSync(join(root, shown), constants.X_OK), shown)
  }
})

const report = `TAP version 14
# Subtest: build/test/e2e/a.test.js
    # Subtest: life (darwin)
        # Subtest: begins
            ok 1 - should be equal
            1..1
        ok 1 - begins # time=1ms
        # Subtest: stops
            1..0 # SKIP not here
        ok 2 - stops # SKIP not here
        1..2
    ok 1 - life (darwin) # time=2ms
    # Subtest: broken
        not ok 1 - should be equal
        1..1
    not ok 2 - broken # time=1ms
    1..2
not ok 1 - build/test/e2e/a.test.js # time=9ms
1..1
`

t.test('claims that a run did not show are found', async t => {
  const a = 'test/e2e/a.test.ts'
  t.equal(endsOf(report).get(`${a} > life (darwin) > begins`), 'passed')
  const rowsOf = (linux: readonly string[]): Row[] => [{ section: '5', asks: 'x', linux, mac: [], hardware: [] }]
  const claimed = (...linux: string[]) => unshown([report], rowsOf(linux))
  t.strictSame(claimed(`${a} > life (darwin) > begins`), [])
  t.strictSame(claimed(`${a} > life (darwin) > stops`), [`${a} > life (darwin) > stops: skipped`])
  t.strictSame(claimed(`${a} > life (darwin)`), [`${a} > life (darwin) > stops: skipped`], 'in part')
  t.strictSame(claimed(`${a} > broken`), [`${a} > broken: failed`])
  t.strictSame(claimed(a), [`${a}: failed`])
  t.strictSame(claimed('test/e2e/b.test.ts'), ['test/e2e/b.test.ts: it was not run'])
  const again = report.replaceAll('not ok', 'ok').replaceAll(' # SKIP not here', '')
  t.strictSame(unshown([report, again], rowsOf([a, `${a} > broken`])), [], 'a file that was run again')
})

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
