import { spawnSync } from 'node:child_process'
import t from 'tap'

/** Lines of a run of three files: one that passes, one that was killed after 120 s, one that fails. */
const tap = `TAP version 14
# Subtest: build/test/a.test.js
    ok 1 - should be equal
    1..1
ok 1 - build/test/a.test.js # time=12.3ms

# Subtest: build/test/b.test.js
    1..0 # no tests found
not ok 2 - build/test/b.test.js # time=120000ms
  ---
  signal: SIGKILL
  ...

# Subtest: build/test/c.test.js
    ok 1 - should be equal
    not ok 2 - should be equal
    1..2
not ok 3 - build/test/c.test.js # time=1000ms

not ok 4 - timeout!
  ---
  expired: build/test/b.test.js
  ...

1..4
`

t.test('a file that was killed has a line of its own', async t => {
  const { stdout, status } = spawnSync(process.execPath, ['build/test/report.js'], { input: tap, encoding: 'utf8' })
  const lines = stdout.split('\n').filter(line => /^\S/.test(line))
  t.strictSame(lines, [
    'ok     build/test/a.test.js: 1 passed, 0 failed, 0 skipped (0.0 s)',
    'FAILED build/test/b.test.js: 0 passed, 1 failed, 0 skipped (120.0 s)',
    'FAILED build/test/c.test.js: 1 passed, 1 failed, 0 skipped (1.0 s)',
    '2 passed, 2 failed, 0 skipped',
  ])
  t.match(stdout, 'signal: SIGKILL')
  t.equal(status, 1)
})
